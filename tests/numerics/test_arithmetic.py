"""Layer arithmetic: every number that the course printed, and the formulas against what torch and the arrays do."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from mlhw.numerics.arithmetic import convolution_parameters, output_size, output_sizes, pair, same_padding, widen
from mlhw.numerics.convolution import convolve_backward

UNTIMED = settings(deadline=None)  # the first call of each torch function takes long


def test_the_course_s_sizes() -> None:
    assert output_size(10, kernel=6, stride=2, padding=2) == 5
    assert output_size(12, kernel=6, stride=2, padding=2) == 6
    assert output_sizes((12, 10), kernel=6, stride=2, padding=2) == (6, 5)
    assert output_size(24, kernel=5) == 20
    assert output_size(32, kernel=5, padding=2) == output_size(32, kernel=9, padding=4) == 32


def test_the_course_s_parameter_counts() -> None:
    assert convolution_parameters(3, 1, 3) == 28
    assert convolution_parameters(3, 1, (3, 3), bias=False) == 27
    assert convolution_parameters(1, 1, 4) == 17
    assert convolution_parameters(1, 4, 6) == 148
    assert convolution_parameters(4, 3, 3) == 111


@UNTIMED
@given(
    size=st.integers(0, 40),
    kernel=st.integers(1, 9),
    stride=st.integers(1, 5),
    padding=st.integers(0, 5),
    dilation=st.integers(1, 4),
)
def test_a_size_is_the_count_of_places(size: int, kernel: int, stride: int, padding: int, dilation: int) -> None:
    """Counted one by one: where each place's last tap still lies inside the padded input."""
    places = [at for at in range(0, size + 2 * padding, stride) if at + dilation * (kernel - 1) < size + 2 * padding]
    assume(places)
    assert output_size(size, kernel, stride, padding, dilation) == len(places)


@UNTIMED
@given(kernel=st.integers(0, 20).map(lambda half: 2 * half + 1), size=st.integers(1, 50))
def test_same_padding_keeps_every_size(kernel: int, size: int) -> None:
    assert output_size(size, kernel, padding=same_padding(kernel)) == size


@UNTIMED
@given(
    channels=st.integers(1, 5),
    filters=st.integers(1, 5),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    bias=st.booleans(),
)
def test_parameters_are_those_that_torch_makes(
    channels: int, filters: int, kernel: tuple[int, int], bias: bool
) -> None:
    with torch.random.fork_rng(devices=[]):
        layer = nn.Conv2d(channels, filters, kernel, bias=bias)
    expected = sum(parameter.numel() for parameter in layer.parameters())
    assert convolution_parameters(channels, filters, kernel, bias) == expected


@UNTIMED
@given(layers=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=3))
def test_the_receptive_field_is_what_a_unit_s_gradient_reaches(layers: list[tuple[int, int]]) -> None:
    """Backward through ones only, from two neighbouring units: each reaches ``field`` pixels, ``jump`` apart."""
    field, jump, width = 1, 1, 128
    widths = []
    for kernel, stride in layers:
        field, jump = widen(field, jump, kernel, stride)
        widths.append(width)
        width = output_size(width, kernel, stride)
    reached = []
    for unit in (0, 1):
        gradient = np.zeros((1, 1, 1, width))
        gradient[..., unit] = 1.0
        for (kernel, stride), before in zip(reversed(layers), reversed(widths), strict=True):
            ones = np.ones((1, 1, 1, kernel))
            gradient = convolve_backward(gradient, np.zeros((1, 1, 1, before)), ones, stride=(1, stride))[0]
        reached.append(np.flatnonzero(gradient))
    # A stride above the kernel leaves pixels out: the field is then the reach from first to last.
    assert [np.ptp(pixels) + 1 for pixels in reached] == [field, field]
    assert reached[1][0] - reached[0][0] == jump


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: output_size(-1, 1), "size should be a whole number from 0, got -1"),
        (lambda: output_size(5, 0), "kernel should be a whole number from 1, got 0"),
        (lambda: output_size(5, 3, stride=0), "stride should be a whole number from 1, got 0"),
        (lambda: output_size(5, 3, padding=-1), "padding should be a whole number from 0, got -1"),
        (lambda: output_size(5, 3, dilation=0), "dilation should be a whole number from 1, got 0"),
        (lambda: output_size(5, 3, padding=1, dilation=4), "spans 9 does not fit into an input of 5 padded by 1"),
        (lambda: output_sizes((5, 2), 3), "width: a kernel that spans 3 does not fit into an input of 2"),
        (lambda: output_sizes((5, 5, 5), 3), "should be one number or (height, width), got (5, 5, 5)"),
        (lambda: same_padding(4), "no equal padding at both ends keeps the size under an even kernel: got 4"),
        (lambda: same_padding(0), "kernel should be a whole number from 1, got 0"),
        (lambda: convolution_parameters(0, 1, 3), "in channels should be a whole number from 1, got 0"),
        (lambda: convolution_parameters(1, 1, (3, 0)), "kernel width should be a whole number from 1, got 0"),
        (lambda: widen(1, 0, 3), "jump should be a whole number from 1, got 0"),
    ],
)
def test_what_is_too_small_or_does_not_fit_is_said(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_the_largest_kernel_that_fits_takes_one_place() -> None:
    assert output_size(5, 7, padding=1) == 1
    with pytest.raises(ValueError, match="at most 7"):
        output_size(5, 8, padding=1)


def test_one_number_stands_for_both_axes() -> None:
    assert pair(3) == pair((3, 3)) == (3, 3)
