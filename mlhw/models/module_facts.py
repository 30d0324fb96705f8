"""The layers of an ``nn.Module``, read off one forward pass of an example of zeros."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from mlhw.errors import ConfigError, MlhwError
from mlhw.models.layer_facts import LayerFacts
from mlhw.models.layer_rules import Field, of_function, of_layer
from mlhw.models.receptive_field import of_input


def module_layers(network: nn.Module, input_shape: Sequence[int]) -> list[LayerFacts]:
    """The layers of ``network`` in the order in which they compute, fed one image (height, width, channels) or flat example.

    Functions that a module calls beside its layers, such as a residual's addition, are listed under the module's name.
    Parameters are listed at their first use, once: their sum is that of the network, which is left as it was found.

    Raises:
        ConfigError: the network cannot take such an input; names the layer.
        MlhwError: a layer's output has not the size that arithmetic predicts, or there is no rule for a layer.
    """
    *size, channels = input_shape
    like = next(network.parameters(), torch.zeros(()))
    example = torch.zeros((1, channels, *size), device=like.device, dtype=like.dtype)
    reader = _Reader(network, example, tuple(map(of_input, size or [channels])))
    modes = {module: module.training for module in network.modules()}
    handles = [handle for name, module in network.named_modules() for handle in reader.watch(name, module)]
    network.eval()
    try:
        with torch.no_grad(), reader:
            network(example)
    except (RuntimeError, ValueError) as error:
        shape = "×".join(map(str, input_shape))
        raise ConfigError(f"the model cannot take an input of {shape}: {reader.place()}: {error}.") from error
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes.items():
            module.training = training
    return reader.layers + reader.rest()


class _Reader(TorchFunctionMode):
    """Writes down every layer, and every function between layers, that a tensor of known field goes through."""

    def __init__(self, network: nn.Module, example: torch.Tensor, field: Field) -> None:
        super().__init__()
        self.layers: list[LayerFacts] = []
        self._network = network
        self._blocks = {name: type(part).__name__ for name, part in network.named_children() if not _is_layer(part)}
        self._path = [""]  # the names of the modules at work, the innermost last
        self._inside = 0  # how many layers are at work: what they call is theirs
        # By id, with the tensor itself: kept alive, so that no other gets its id or its memory.
        self._fields = {id(example): (example, field)}
        self._counted: set[int] = set()

    def watch(self, name: str, module: nn.Module) -> list[Any]:
        """Hooks on ``module`` that tell this reader of its work; to be removed afterwards."""
        is_layer = _is_layer(module)

        def before(_: nn.Module, inputs: tuple[Any, ...]) -> None:
            self._path.append(name)
            self._inside += is_layer

        def after(_: nn.Module, inputs: tuple[Any, ...], out: Any) -> None:
            if is_layer and self._inside == 1:
                self._note(inputs, out, module)
            self._inside -= is_layer
            self._path.pop()

        return [module.register_forward_pre_hook(before), module.register_forward_hook(after)]

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if not self._inside and isinstance(out, torch.Tensor):
            flat = [value for part in args for value in (part if isinstance(part, list | tuple) else [part])]
            if any(id(value) in self._fields for value in flat):
                self._note(flat, out, getattr(func, "__name__", str(func)))
        return out

    def _note(self, inputs: Sequence[Any], out: torch.Tensor, what: nn.Module | str) -> None:
        known = [self._fields[id(value)] for value in inputs if id(value) in self._fields]
        shape, weights, buffers = tuple(out.shape[1:]), 0, 0
        try:
            if isinstance(what, str):
                effect = of_function(what, [field for _, field in known])
            else:
                effect = of_layer(what, known[0][1], known[0][0].shape[1:], shape)
                weights, buffers = self._new(what.parameters()), self._new(what.buffers())
        except MlhwError as error:
            raise MlhwError(f"{self.place()}: {error}") from None
        facts = LayerFacts(
            name=self._path[-1],
            kind=effect.kind,
            output_shape=shape,
            parameters=weights,
            buffers=buffers,
            multiply_adds=effect.multiply_adds,
            receptive_field=tuple(span.widest for span in effect.field),
            sees_all=all(span.sees_all for span in effect.field),
            kept_values=0 if any(value.data_ptr() == out.data_ptr() for value, _ in known) else prod(shape),
            by_hand=effect.by_hand,
            block=self._blocks.get(self._path[-1].partition(".")[0], ""),
        )
        self.layers.append(facts)
        self._fields[id(out)] = out, effect.field

    def _new(self, values: Iterable[torch.Tensor]) -> int:
        """How many numbers ``values`` hold that were not counted before."""
        new = [value for value in values if id(value) not in self._counted]
        self._counted |= {id(value) for value in new}
        return sum(value.numel() for value in new)

    def place(self) -> str:
        """Which part of the network is at work, in words."""
        return f"layer {self._path[-1]}" if self._path[-1] else "the network"

    def rest(self) -> list[LayerFacts]:
        """The parameters that belong to no layer at work, one a line."""
        return [
            LayerFacts(name, "Parameter", tuple(value.shape), count)
            for name, value in self._network.named_parameters()
            if (count := self._new([value]))
        ]


def _is_layer(module: nn.Module) -> bool:
    """Whether ``module`` is one of torch's own, and no mere sequence: its insides are torch's affair."""
    return type(module).__module__.startswith("torch.nn.") and not isinstance(module, nn.Sequential)
