"""The integer arithmetic of convolution and pooling layers: sizes, parameter counts, receptive fields.

Sizes are in pixels along one axis; height and width are computed apart. The formulas are those of Dumoulin & Visin,
"A guide to convolution arithmetic for deep learning" (2016), relation 6, and Araujo, Norris & Sim, "Computing receptive
fields of convolutional neural networks" (Distill, 2019), equation 2.
"""

from __future__ import annotations


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """⌊(size + 2·padding - span) / stride⌋ + 1, the number of places that the kernel takes along one axis.

    ``span = dilation·(kernel - 1) + 1`` is what the kernel covers: ``kernel`` itself where nothing is dilated.

    Args:
        size: pixels of the input, from 0.
        kernel: pixels of the kernel, from 1.
        stride: pixels between neighbouring places, from 1.
        padding: pixels of zeros added at each of the two ends, from 0.
        dilation: pixels between neighbouring taps of the kernel, from 1.

    Raises:
        ValueError: a number is too small, or the kernel spans more than the padded input.
    """
    _at_least(0, size=size, padding=padding)
    _at_least(1, kernel=kernel, stride=stride, dilation=dilation)
    span, padded = dilation * (kernel - 1) + 1, size + 2 * padding
    if span > padded:
        raise ValueError(
            f"a kernel that spans {span} does not fit into an input of {size} padded by {padding} at each end: "
            f"at most {padded} is allowed, so take a smaller kernel or more padding"
        )
    return (padded - span) // stride + 1


def output_sizes(
    sizes: tuple[int, ...],
    kernel: int | tuple[int, ...],
    stride: int | tuple[int, ...] = 1,
    padding: int | tuple[int, ...] = 0,
) -> tuple[int, int]:
    """The output's (height, width) of an input of ``sizes``: :func:`output_size` along each axis.

    Raises:
        ValueError: as :func:`output_size`, with the name of the axis before it.
    """
    found = []
    for axis, *numbers in zip(("height", "width"), pair(sizes), pair(kernel), pair(stride), pair(padding), strict=True):
        try:
            found.append(output_size(*numbers))
        except ValueError as error:
            raise ValueError(f"{axis}: {error}") from None
    return found[0], found[1]


def same_padding(kernel: int) -> int:
    """(kernel - 1) / 2, the padding at each end with which a layer of stride 1 keeps its input's size.

    Raises:
        ValueError: ``kernel`` is even, for which no equal padding at both ends does so, or below 1.
    """
    _at_least(1, kernel=kernel)
    if kernel % 2 == 0:
        raise ValueError(
            f"no equal padding at both ends keeps the size under an even kernel: got {kernel}, use an odd one"
        )
    return (kernel - 1) // 2


def convolution_parameters(in_channels: int, filters: int, kernel: int | tuple[int, int], bias: bool = True) -> int:
    """filters · (in_channels · height · width + 1), the weights of a convolution layer; without the 1 where no ``bias``.

    Args:
        in_channels: channels of the input, from 1; each filter has a kernel for each of them.
        filters: channels of the output, from 1.
        kernel: (height, width) in pixels, or one number for both, from 1.
        bias: whether each filter has one.

    Raises:
        ValueError: a number is below 1.
    """
    height, width = pair(kernel)
    _at_least(1, in_channels=in_channels, filters=filters, kernel_height=height, kernel_width=width)
    return filters * (in_channels * height * width + int(bias))


def widen(field: int, jump: int, kernel: int, stride: int = 1) -> tuple[int, int]:
    """(field + (kernel - 1)·jump, jump·stride): the receptive field and the jump after one more layer.

    The field is how many input pixels along one axis one unit sees, the jump how many lie between the fields of neighbouring
    units. A network starts at (1, 1); pooling widens as convolution does, elementwise layers change nothing.

    Raises:
        ValueError: a number is below 1.
    """
    _at_least(1, field=field, jump=jump, kernel=kernel, stride=stride)
    return field + (kernel - 1) * jump, jump * stride


def pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    """(height, width) of what may be given as one number for both.

    Raises:
        ValueError: a tuple of other than two numbers.
    """
    if not isinstance(value, tuple):
        return value, value
    if len(value) != 2:
        raise ValueError(f"should be one number or (height, width), got {value}")
    return value[0], value[1]


def _at_least(least: int, **numbers: int) -> None:
    for name, number in numbers.items():
        if number < least:
            raise ValueError(f"{name.replace('_', ' ')} should be a whole number from {least}, got {number}")
