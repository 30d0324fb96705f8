"""The convolution by hand beside torch's, and beside the seven nested loops that it replaces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import repeat

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks.harness import Result, Side, Work, interleaved
from benchmarks.workplace import Workplace
from mlhw.numerics.convolution import convolve

INPUTS, WEIGHTS = (5, 3, 24, 24), (16, 3, 5, 5)
CALLS = 200  # one alone takes a tenth of a millisecond: too little beside a cold cache and the clock


def convolution(place: Workplace) -> Iterator[Result]:
    """Forward through one layer of the course's example, beside ``torch.conv2d`` and beside seven Python loops."""
    with one_thread():
        for dtype in ("float32", "float64"):
            arrays = operands(dtype)
            ours, tensors = partial(convolve, *arrays), [torch.from_numpy(array) for array in arrays]
            yield _compared(f"convolution-{dtype}", ours, partial(torch.conv2d, *tensors), CALLS, 3.0, place)
        loops = partial(seven_loops, *operands("float64"))
        yield _compared("convolution-loops", partial(convolve, *operands("float64")), loops, 1, 1 / 500, place)


def seven_loops(inputs: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """What :func:`mlhw.numerics.convolution.convolve` returns for stride 1 and no padding, as one first writes it."""
    rows, channels, height, width = inputs.shape
    filters, _, kernel_height, kernel_width = weights.shape
    out = np.zeros((rows, filters, height - kernel_height + 1, width - kernel_width + 1), inputs.dtype)
    for n in range(rows):
        for f in range(filters):
            for p in range(out.shape[2]):
                for q in range(out.shape[3]):
                    for c in range(channels):
                        for i in range(kernel_height):
                            for j in range(kernel_width):
                                out[n, f, p, q] += weights[f, c, i, j] * inputs[n, c, p + i, q + j]
                    out[n, f, p, q] += bias[f]
    return out


def operands(dtype: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, weights and bias of the measured layer."""
    rng = np.random.default_rng(0)
    inputs, weights, bias = (rng.standard_normal(shape).astype(dtype) for shape in (INPUTS, WEIGHTS, WEIGHTS[:1]))
    return inputs, weights, bias


@contextmanager
def one_thread() -> Iterator[None]:
    """numpy and torch with one thread each, as long as the block lasts."""
    before = torch.get_num_threads()
    with threadpool_limits(limits=1):
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def _compared(name: str, ours: Work, reference: Work, calls: int, limit: float, place: Workplace) -> Result:
    """Milliseconds a call: ``CALLS`` of ours at a time, ``calls`` of the reference."""
    a, b = interleaved(_calling(ours, CALLS), _calling(reference, calls), place.repeats)
    times = tuple(1e3 * t / CALLS for t in a), tuple(1e3 * t / calls for t in b)
    return Result(name, *times, limit, unit="ms", note="one thread each")


def _calling(work: Work, calls: int) -> Side:
    def run() -> None:
        for _ in repeat(None, calls):
            work()

    return lambda: run
