"""Where in a picture a network found its class: Grad-CAM (Selvaraju et al., ICCV 2017)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import nn
from torch.overrides import TorchFunctionMode

from mlhw.errors import ConfigError
from mlhw.models.responses import convolution, hooked, not_used, reached

# What may follow a convolution and keeps its map, by the function's name, with the name for a reader.
_KEEPS_THE_MAP = {
    "batch_norm": "batch norm",
    **dict.fromkeys(("relu", "relu_"), "ReLU"),
    **dict.fromkeys(("relu6", "hardtanh", "hardtanh_"), "clipped ReLU"),
    **dict.fromkeys(("leaky_relu", "leaky_relu_"), "leaky ReLU"),
    **dict.fromkeys(("silu", "silu_"), "SiLU"),
    **dict.fromkeys(("hardswish", "hardswish_"), "hard swish"),
    **dict.fromkeys(("elu", "elu_"), "ELU"),
    "gelu": "GELU",
    **dict.fromkeys(("add", "add_", "__add__", "__radd__", "__iadd__"), "residual sum"),
    **dict.fromkeys(("cat", "concat"), "concatenation"),
    **dict.fromkeys(("dropout", "dropout2d"), ""),
}
_LOOKS = ("__get__", "size", "dim", "numel", "__len__", "is_floating_point", "is_contiguous")  # at a tensor, no more


class Cam(NamedTuple):
    """Grad-CAM of some pictures at one layer.

    ``heat`` is 0 or above, in units of the score times an activation; ``scores`` are those of all classes before softmax;
    ``classes`` those that were asked for, one a picture. ``after`` says what the layer's output went through before it was
    taken, in words: ``("batch norm", "ReLU")``.
    """

    heat: Float[torch.Tensor, "rows mapheight mapwidth"]
    scores: Float[torch.Tensor, "rows classes"]
    classes: Int[torch.Tensor, " rows"]
    after: tuple[str, ...]


def last_map(network: nn.Module, batch: Float[torch.Tensor, "rows channels height width"]) -> str:
    """The convolution computed last whose map has more than one place: where Grad-CAM looks if no layer is named.

    Networks that squeeze and excite have later ones of 1×1, which tell nothing of where.

    Raises:
        ConfigError: there is none.
    """
    maps = [conv.name for conv in reached(network, batch) if conv.height * conv.width > 1]
    if not maps:
        raise ConfigError(
            "no convolution of the network has a map of more than one place: Grad-CAM has nothing to show."
        )
    return maps[-1]


def grad_cam(
    network: nn.Module,
    layer: str,
    batch: Float[torch.Tensor, "rows channels height width"],
    classes: Int[torch.Tensor, " rows"] | None = None,
) -> Cam:
    """Grad-CAM at the convolution ``layer``, of ``classes`` or of those that ``network`` predicts.

    For class c with score y (before softmax) and activations A of channels k: ReLU(Σ_k α_k A_k), where α_k is the mean over
    all places of ∂y/∂A_k (equations 1 and 2).

    The activations are what the next layer is given: the convolution's output after the normalisation, activation, residual
    sum and concatenation that follow it. Where global average pooling and a linear layer end the network, the sum is then
    the class activation map of Zhou et al. (CVPR 2016) divided by the number of places.

    The network should be in evaluation mode. Its weights need not ask for gradients: only the layers behind ``layer`` keep
    what it takes to go back.

    Raises:
        ConfigError: no such convolution, or the network does not use it to predict.
        ValueError: the network does not give scores (rows, classes).
    """
    module, follower = convolution(network, layer), _Follower()

    def begin(_module: nn.Module, _inputs: Any, out: torch.Tensor) -> torch.Tensor | None:
        return follower.begin(out) if follower.leaf is None else None

    # Within a caller's inference mode, autograd could not take the batch itself: a copy made here it can.
    with torch.inference_mode(False), torch.enable_grad():
        with hooked([(module, begin)]), follower:
            scores = network(batch.clone())
        if follower.leaf is None:
            raise not_used(layer)
        follower.stop()
        if scores.ndim != 2:
            raise ValueError(f"the network should give scores (rows, classes), gave {tuple(scores.shape)}")
        asked = scores.detach().argmax(dim=1) if classes is None else classes.to(scores.device)
        if scores.requires_grad:
            torch.autograd.grad(scores.gather(1, asked[:, None]).sum(), follower.leaf, allow_unused=True)
    if follower.gradient is None:
        raise not_used(layer)
    importance = follower.gradient.mean(dim=(2, 3), keepdim=True)
    heat = (importance * follower.activation).sum(dim=1).relu()
    return Cam(heat, scores.detach(), asked, tuple(filter(None, follower.after)))


class _Follower(TorchFunctionMode):
    """Goes along with a convolution's output until a layer takes it that makes another map of it.

    There, ``activation`` is a copy of it, and ``gradient`` will be that of the score.
    """

    activation: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.leaf: torch.Tensor | None = None
        self.gradient: torch.Tensor | None = None
        self.after: list[str] = []
        self._at: torch.Tensor | None = None

    def begin(self, out: torch.Tensor) -> torch.Tensor:
        """Cut ``out`` off what came before; returns what takes its place."""
        self.leaf = out.detach().requires_grad_()
        self._at = self.leaf.clone()  # a ReLU in place may overwrite it; autograd forbids that of the leaf
        return self._at

    def stop(self) -> None:
        """Take the activation, unless that is done; the hook is given the gradient for the values as they are now."""
        if self._at is not None:
            self.activation = self._at.detach().clone()
            self._at.register_hook(self._keep)  # type: ignore[no-untyped-call]  # untyped in torch
            self._at = None

    def _keep(self, gradient: torch.Tensor) -> None:
        self.gradient = gradient

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs, at, name = kwargs or {}, self._at, getattr(func, "__name__", "")
        if at is None or name in _LOOKS or not _is_among(at, [*args, *kwargs.values()]):
            return func(*args, **kwargs)
        if name not in _KEEPS_THE_MAP:
            self.stop()  # before the call, which might overwrite it
            return func(*args, **kwargs)
        size = at.shape[:1] + at.shape[2:]
        out = func(*args, **kwargs)
        if out.shape[:1] + out.shape[2:] == size:
            self._at = out
            self.after.append(_KEEPS_THE_MAP[name])
        else:
            self.stop()
        return out


def _is_among(tensor: torch.Tensor, values: Sequence[Any]) -> bool:
    return any(
        value is tensor or (isinstance(value, list | tuple) and any(part is tensor for part in value))
        for value in values
    )
