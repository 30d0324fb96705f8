"""2-D convolution and max pooling of images (rows, channels, height, width), forward and backward.

What networks call convolution is a cross-correlation: the kernel is not flipped. Of padded inputs x with weights w, bias b
and stride s it is

    out[n, f, p, q] = b[f] + Σ_{c,i,j} w[f, c, i, j] · x[n, c, s·p + i, s·q + j]

Written as seven nested loops that is slow; as a matrix product it is fast (Chellapilla, Puri & Simard, "High performance
convolutional neural networks for document processing", 2006). Let the patch under the kernel at each place (p, q) be a
column of a matrix C (channels · kernel area, places), and W the weights as (filters, channels · kernel area). One image's
output is W C. Its gradients are products too: with D the image's d_out as (filters, places), it adds D Cᵀ to d_W, and each
entry of d_C = Wᵀ D is added to the pixel that the entry of C was copied from.

Cost: rows · filters · channels · kernel area · places multiplications forward, twice as many backward. Memory: C holds each
pixel up to kernel-area times, so it is made for no more images at a time than fill ``PART_BYTES`` (or for one).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view

from mlhw.numerics.arithmetic import output_sizes, pair

PART_BYTES = 1 << 21  # what a cache holds, so that the product reads patches from there (measured from 2¹⁸ to 2³⁰)


def convolve(
    inputs: Float[np.ndarray, "rows channels height width"],
    weights: Float[np.ndarray, "filters channels kernel_height kernel_width"],
    bias: Float[np.ndarray, " filters"] | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
) -> Float[np.ndarray, "rows filters out_height out_width"]:
    """The cross-correlation of each image with each filter, as ``torch.conv2d`` has it; a new, C-contiguous array.

    Its height and width are :func:`mlhw.numerics.arithmetic.output_size`, its dtype is that of the arguments (the widest).

    Args:
        inputs: images, in any memory layout.
        weights: for each filter a kernel for each channel.
        bias: a number for each filter, added to all of its outputs; None for none.
        stride: pixels between neighbouring places of the kernel, from 1; one number, or (down, across).
        padding: pixels of zeros added at both ends of each axis, from 0; one number, or (down, across).

    Raises:
        ValueError: shapes that do not fit each other, or too small a stride or padding.
    """
    places = _checked(inputs, weights, stride, padding)
    if bias is not None:
        _same("bias", bias.shape, (len(weights),))
    arrays = (inputs, weights) if bias is None else (inputs, weights, bias)
    windows = _windows(_padded(inputs, padding), weights.shape[2:], stride)
    kernels = _matrix(weights)
    out = np.empty((len(inputs), len(weights), places[0] * places[1]), np.result_type(*arrays))
    for part in _parts(windows):
        np.matmul(kernels, _columns(windows[part]), out=out[part])
    if bias is not None:
        out += bias[:, None]
    return out.reshape(len(inputs), len(weights), *places)


def convolve_backward(
    d_out: Float[np.ndarray, "rows filters out_height out_width"],
    inputs: Float[np.ndarray, "rows channels height width"],
    weights: Float[np.ndarray, "filters channels kernel_height kernel_width"],
    *,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
) -> tuple[
    Float[np.ndarray, "rows channels height width"],
    Float[np.ndarray, "filters channels kernel_height kernel_width"],
    Float[np.ndarray, " filters"],
]:
    """The gradients with respect to inputs, weights and bias of a loss whose gradient at the output is ``d_out``.

    Args:
        d_out: of the shape that :func:`convolve` returns.
        inputs: as given to :func:`convolve`, like all that follow.
        weights: likewise.
        stride: likewise.
        padding: likewise.

    Raises:
        ValueError: as :func:`convolve`, or a ``d_out`` of another shape than the output's.
    """
    places = _checked(inputs, weights, stride, padding)
    _same("d_out", d_out.shape, (len(inputs), len(weights), *places))
    dtype = np.result_type(d_out, inputs, weights)
    padded, kernels = _padded(inputs, padding), _matrix(weights)
    d_padded, d_kernels = np.zeros(padded.shape, dtype), np.zeros(kernels.shape, dtype)
    windows, d_windows = (_windows(images, weights.shape[2:], stride) for images in (padded, d_padded))
    d_flat = d_out.reshape(len(d_out), len(weights), places[0] * places[1])
    for part in _parts(windows):
        d_kernels += np.matmul(d_flat[part], _columns(windows[part]).swapaxes(1, 2)).sum(axis=0)
        d_columns = np.matmul(kernels.T, d_flat[part]).reshape(windows[part].shape)
        for i, j in np.ndindex(weights.shape[2:]):
            d_windows[part, :, i, j] += d_columns[:, :, i, j]
    down, across = pair(padding)
    height, width = inputs.shape[2:]
    d_inputs = np.ascontiguousarray(d_padded[:, :, down : down + height, across : across + width])
    return d_inputs, d_kernels.reshape(weights.shape), d_flat.sum(axis=(0, 2), dtype=dtype)


def max_pool(
    inputs: Float[np.ndarray, "rows channels height width"],
    kernel: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
) -> Float[np.ndarray, "rows channels out_height out_width"]:
    """The largest pixel in each window, channel by channel, as ``torch.max_pool2d`` has it without padding.

    Args:
        inputs: images, in any memory layout.
        kernel: the window in pixels, from 1; one number, or (height, width).
        stride: pixels between neighbouring windows, from 1; None for ``kernel``, so that they touch and do not overlap.

    Raises:
        ValueError: a window larger than the image, or a number below 1.
    """
    _four_axes("inputs", inputs, "rows, channels, height, width")
    step = kernel if stride is None else stride
    output_sizes(inputs.shape[2:], kernel, step)
    windows = _windows(inputs, pair(kernel), step)
    out = windows[:, :, 0, 0].copy()
    for i, j in np.ndindex(pair(kernel)):
        np.maximum(out, windows[:, :, i, j], out=out)
    return out


def max_pool_backward(
    d_out: Float[np.ndarray, "rows channels out_height out_width"],
    inputs: Float[np.ndarray, "rows channels height width"],
    kernel: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
) -> Float[np.ndarray, "rows channels height width"]:
    """The gradient with respect to ``inputs``: each of ``d_out`` goes to its window's largest pixel alone.

    Of equal ones that is the first, row by row, as in torch. Where windows overlap a pixel may collect several.

    Raises:
        ValueError: as :func:`max_pool`, or a ``d_out`` of another shape than its output's.
    """
    step = kernel if stride is None else stride
    out = max_pool(inputs, kernel, stride)
    _same("d_out", d_out.shape, out.shape)
    d_inputs = np.zeros(inputs.shape, np.result_type(d_out, inputs))
    windows, d_windows = (_windows(images, pair(kernel), step) for images in (inputs, d_inputs))
    waiting = np.ones(out.shape, bool)  # whose largest pixel has not been met yet
    for i, j in np.ndindex(pair(kernel)):
        found = waiting & (windows[:, :, i, j] == out)
        waiting ^= found
        target = d_windows[:, :, i, j]
        np.add(target, d_out, out=target, where=found)
    return d_inputs


def _checked(
    inputs: np.ndarray, weights: np.ndarray, stride: int | tuple[int, int], padding: int | tuple[int, int]
) -> tuple[int, int]:
    """The output's height and width, where the shapes fit."""
    _four_axes("inputs", inputs, "rows, channels, height, width")
    _four_axes("weights", weights, "filters, channels, height, width")
    if inputs.shape[1] != weights.shape[1]:
        raise ValueError(
            f"weights should have as many channels (axis 1) as the inputs, {inputs.shape[1]}, got {weights.shape[1]}"
        )
    return output_sizes(inputs.shape[2:], weights.shape[2:], stride, padding)


def _four_axes(name: str, array: np.ndarray, axes: str) -> None:
    if array.ndim != 4:
        raise ValueError(f"{name} should have the axes ({axes}), got the shape {array.shape}")


def _same(name: str, got: tuple[int, ...], allowed: tuple[int, ...]) -> None:
    if got != allowed:
        raise ValueError(f"{name} should have the shape {allowed}, got {got}")


def _padded(
    images: Float[np.ndarray, "rows channels height width"], padding: int | tuple[int, int]
) -> Float[np.ndarray, "rows channels padded_height padded_width"]:
    """``images`` in a frame of zeros; themselves where the frame is empty."""
    down, across = pair(padding)
    if not (down or across):
        return images
    rows, channels, height, width = images.shape
    padded = np.zeros((rows, channels, height + 2 * down, width + 2 * across), images.dtype)
    padded[:, :, down : down + height, across : across + width] = images
    return padded


def _windows(
    images: Float[np.ndarray, "rows channels height width"],
    kernel: tuple[int, ...],
    stride: int | tuple[int, int],
) -> Float[np.ndarray, "rows channels kernel_height kernel_width out_height out_width"]:
    """A view, so without cost: ``[n, c, i, j, p, q]`` is the pixel under the kernel's (i, j) at its place (p, q).

    Windows may overlap, but for one (i, j) no two places share a pixel: each ``[:, :, i, j]`` may be written to.
    """
    down, across = pair(stride)
    views = sliding_window_view(images, kernel, axis=(2, 3), writeable=True)
    return views[:, :, ::down, ::across].transpose(0, 1, 4, 5, 2, 3)


def _parts(windows: np.ndarray) -> Iterator[slice]:
    """Runs of rows whose patches fill ``PART_BYTES`` or less, or single rows."""
    rows, *shape = windows.shape
    step = max(1, PART_BYTES // max(1, windows.itemsize * int(np.prod(shape))))
    return (slice(start, start + step) for start in range(0, rows, step))


def _columns(
    windows: Float[np.ndarray, "rows channels kernel_height kernel_width out_height out_width"],
) -> Float[np.ndarray, "rows patch places"]:
    """The matrix C of each row, copied: patches as columns."""
    rows, channels, height, width, down, across = windows.shape
    return windows.reshape(rows, channels * height * width, down * across)


def _matrix(
    weights: Float[np.ndarray, "filters channels kernel_height kernel_width"],
) -> Float[np.ndarray, "filters patch"]:
    """The matrix W, a filter a row; a view where the memory allows."""
    filters, channels, height, width = weights.shape
    return weights.reshape(filters, channels * height * width)
