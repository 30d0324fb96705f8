"""What the filters of a convolution weigh, and what they answer to a picture. The network is left as it was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import nn

from mlhw.errors import ConfigError, nearest

MOST_LISTED = 20  # names of layers in a message


class Reached(NamedTuple):
    """A convolution that a forward pass went through, and the size of its maps."""

    name: str
    filters: int
    height: int
    width: int


def convolution(network: nn.Module, name: str) -> nn.Conv2d:
    """The 2-D convolution called ``name`` (as in ``named_modules``) of ``network``.

    Raises:
        ConfigError: there is no such layer, or it is another kind of layer; lists the convolutions, of many the nearest first.
    """
    modules = dict(network.named_modules())
    module = modules.get(name) if name else None
    if isinstance(module, nn.Conv2d):
        return module
    names = [known for known, layer in modules.items() if isinstance(layer, nn.Conv2d)]
    fault = f"layer '{name}' is a {type(module).__name__}, no convolution" if module else f"there is no layer '{name}'"
    raise ConfigError(f"{fault}. {_listed(name, names)}")


def _listed(name: str, names: Sequence[str]) -> str:
    """The convolutions ``names`` in a sentence, in the network's order where they are few.

    Of many: those within ``name``, those alike in letters, then some that are spread over the network's depth, its last one
    included.
    """
    if not names:
        return "The network has no 2-D convolutions."
    if len(names) <= MOST_LISTED:
        return f"{_counted(names)} {', '.join(names)}."
    inside = [known for known in names if known.startswith(f"{name}.")]
    near = list(dict.fromkeys([*inside, *nearest(name, names, most=MOST_LISTED // 2)]))[:MOST_LISTED]
    rest = [known for known in names if known not in near]
    room = MOST_LISTED - len(near)
    step = (len(rest) - 1) / max(room - 1, 1)
    rest = [rest[round(place * step)] for place in range(room)]
    more = len(names) - len(near) - len(rest)
    return f"{_counted(names)} {', '.join([*near, *rest])} and {more} more."


def _counted(names: Sequence[str]) -> str:
    return f"Its {len(names)} convolutions are" if len(names) > 1 else "Its only convolution is"


def kernels(
    network: nn.Module, layer: str, filters: Sequence[int] | None = None
) -> Float[torch.Tensor, "filters channels height width"]:
    """The weights of the chosen ``filters`` (all where None) of the convolution ``layer``, copied to the CPU.

    ``channels`` are those that one filter sees: with ``groups``, a part of the layer's inputs.

    Raises:
        ConfigError: no such convolution, or no such filter; says how many there are.
    """
    module = convolution(network, layer)
    return module.weight.detach()[_chosen(module, layer, filters)].cpu()  # by a list: a copy


def responses(
    network: nn.Module,
    layer: str,
    batch: Float[torch.Tensor, "rows channels height width"],
    filters: Sequence[int] | None = None,
) -> Float[torch.Tensor, "rows filters mapheight mapwidth"]:
    """What the chosen ``filters`` (all where None) of the convolution ``layer`` answer to ``batch``: its output, bias included.

    The layers after it, which may overwrite that output, are not computed.

    Raises:
        ConfigError: no such convolution or filter, or the network does not use it to predict.
    """
    module = convolution(network, layer)
    chosen, found = _chosen(module, layer, filters), list[torch.Tensor]()

    def take(_module: nn.Module, _inputs: Any, out: torch.Tensor) -> None:
        found.append(out[:, chosen])
        raise _Enough

    with torch.no_grad(), hooked([(module, take)]):
        try:
            network(batch)
        except _Enough:
            return found[0]
    raise not_used(layer)


class _Enough(Exception):
    """Ends a forward pass whose rest nobody asked for."""


def _chosen(module: nn.Conv2d, layer: str, filters: Sequence[int] | None) -> list[int]:
    count = module.out_channels
    if filters is None:
        return list(range(count))
    if wrong := [index for index in filters if not 0 <= index < count]:
        there = f"{count} filters, 0 to {count - 1}" if count > 1 else "one filter, 0"
        raise ConfigError(f"layer '{layer}' has {there}; there is no filter {', '.join(map(str, wrong[:8]))}.")
    return list(filters)


def reached(network: nn.Module, batch: Float[torch.Tensor, "rows channels height width"]) -> list[Reached]:
    """The convolutions that ``network`` computes for ``batch``, in that order, each at its first use."""
    found: dict[str, Reached] = {}

    def note(name: str) -> Callable[..., None]:
        def write(_module: nn.Module, _inputs: Any, out: torch.Tensor) -> None:
            found.setdefault(name, Reached(name, *out.shape[1:]))

        return write

    layers = [(layer, note(name)) for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)]
    with torch.no_grad(), hooked(layers):
        network(batch)
    return list(found.values())


@contextmanager
def hooked(layers: Iterable[tuple[nn.Module, Callable[..., Any]]]) -> Iterator[None]:
    """A block in which each function is called with (layer, inputs, output) after its layer, and may replace the output."""
    handles = [layer.register_forward_hook(function) for layer, function in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def not_used(layer: str) -> ConfigError:
    """That ``layer`` takes no part in a prediction, as an error."""
    return ConfigError(
        f"layer '{layer}' takes no part in what the network predicts (some serve training alone). Name another."
    )
