"""A torchvision network around the tensors of a file: built without initial weights, which would only be overwritten."""

from __future__ import annotations

import inspect
import re
import typing
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from mlhw.errors import DataError
from mlhw.models.state_dicts import StateDict
from mlhw.models.weights import default_weights
from mlhw.vision import torchvision

LISTED = 6  # keys of a kind that a message names
DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")  # in files from before names might hold no dots


class _Unfilled(TorchFunctionMode):
    """``torch.empty``, from which layers make their weights, allocates nothing, and nothing is drawn into such weights.

    With everything on the meta device, RegNet could not read its widths from a tensor; and torch's own way to draw nothing on
    that device takes more than half of the time in which EfficientNet is built.
    """

    DRAWS = frozenset({"uniform_", "normal_", "fill_", "zero_", "erfinv_", "mul_", "add_", "clamp_"})

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.empty and kwargs.get("device") is None:
            kwargs["device"] = "meta"
        elif getattr(func, "__name__", "") in self.DRAWS and args and args[0].is_meta:
            return args[0]
        return func(*args, **kwargs)


def fitted(name: str, state: StateDict) -> tuple[nn.Module, int]:
    """The network ``name`` with the tensors of ``state`` as its weights, and its number of outputs.

    The tensors are not copied where they are float32 already.

    Its number of outputs is that of the file's last layer. What torchvision does for its own weights is done here too:
    GoogLeNet and Inception rescale their inputs (``transform_input``), GoogLeNet drops its auxiliary outputs, DenseNet's old
    names are translated, a ViT takes the picture size of its default weights. ``state.notes`` tells of number formats.

    Raises:
        ConfigError: there is no such network.
        DataError: names or shapes do not fit (listed both ways), or a weight is not finite.
    """
    tensors, options = _as_named_today(name, state), _options(name, state.tensors)
    module = _empty(name, options)
    expected = module.state_dict()
    if _other_shapes(expected, tensors):
        outputs = _outputs(name, options, expected, tensors)
        if outputs not in (None, 0):
            options["num_classes"] = outputs
            module = _empty(name, options)
    state.tensors = _as_float32(module, tensors, state.notes)
    _load(name, module, state)
    _require_finite(module, state)
    # MNASNet's oldest files put other layers in, fresh ones.
    return module.eval().requires_grad_(False), options["num_classes"]


def _options(name: str, keys: Iterable[str]) -> dict[str, Any]:
    """What the network's class is to be told, as far as it has such a parameter."""
    builder = inspect.unwrap(torchvision.models.get_model_builder(name))
    known = inspect.signature(typing.get_type_hints(builder)["return"]).parameters
    wanted = {
        "num_classes": len(default_weights(name).meta["categories"]),
        "init_weights": False,
        "transform_input": True,
        "aux_logits": any(key.startswith("AuxLogits.") for key in keys),
        "image_size": max(default_weights(name).meta["min_size"]),
    }
    return {key: value for key, value in wanted.items() if key in known}


def _empty(name: str, options: Mapping[str, Any]) -> nn.Module:
    with _quietly(), _Unfilled():
        module: nn.Module = torchvision.models.get_model(name, weights=None, **options)
    return module.requires_grad_(False)


@contextmanager
def _quietly() -> Iterator[None]:
    """torch's generator is left as found, and torchvision's advice on its versions is not for the user."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _as_named_today(name: str, state: StateDict) -> dict[str, Any]:
    if name.startswith("densenet"):
        return {DENSENET.sub(r"\1\2", key): value for key, value in state.tensors.items()}
    if name == "googlenet":
        return {key: value for key, value in state.tensors.items() if not key.startswith(("aux1.", "aux2."))}
    return dict(state.tensors)


def _outputs(
    name: str, options: Mapping[str, Any], expected: Mapping[str, Any], tensors: Mapping[str, Any]
) -> int | None:
    """The number of outputs that the last layer in ``tensors`` has, or None where that does not tell one."""
    more = _empty(name, {**options, "num_classes": options["num_classes"] + 1}).state_dict()
    last = [key for key in expected if expected[key].shape != more[key].shape]
    sizes = {tuple(tensors[key].shape[:1]) for key in last if isinstance(tensors.get(key), torch.Tensor)}
    (size,) = sizes if len(sizes) == 1 else ((),)
    return size[0] if size else None


def _as_float32(module: nn.Module, tensors: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """Half and double precision as the network's own; what is not floating-point stays, and will not fit."""
    expected, found, seen = module.state_dict(), dict(tensors), set()
    for key, value in tensors.items():
        own = expected.get(key)
        if not isinstance(value, torch.Tensor) or own is None or value.dtype == own.dtype:
            continue
        if value.is_floating_point() and own.is_floating_point():
            seen.add(str(value.dtype).removeprefix("torch."))
            found[key] = value.to(own.dtype)
    notes.extend(f"{kind} made float32" for kind in sorted(seen))
    return found


def _load(name: str, module: nn.Module, state: StateDict) -> None:
    expected = module.state_dict()
    for key, own in expected.items():  # counted by BatchNorm since torch 0.4.1, of no use without training
        if key.endswith(".num_batches_tracked") and key not in state.tensors:
            state.tensors[key] = torch.zeros((), dtype=own.dtype)
    if state.versions is None:  # MNASNet will not load without its own; other layers then look for old names too
        state.versions = {"": {"version": getattr(module, "_version", 1)}}
    misfits = _misfits(expected, state.tensors)
    try:
        with _quietly():
            # Tried even so: layers may translate old names, and only they know them.
            module.load_state_dict(state.ordered(), strict=True, assign=True)
    except (RuntimeError, ValueError, AttributeError, TypeError) as error:
        raise DataError(f"{state.path} does not fit {name}: {'; '.join(misfits) or error}.{_hint(misfits)}") from error
    found = module.state_dict()
    wrong = [key for key, own in expected.items() if key in found and _kind(found[key]) != _kind(own)]
    if wrong:
        kinds = ", ".join(sorted({_kind(found[key]) for key in wrong}))
        raise DataError(f"{state.path} does not fit {name}: {_some(wrong)} should be float32 numbers, are {kinds}.")


def _misfits(expected: Mapping[str, torch.Tensor], tensors: Mapping[str, Any]) -> list[str]:
    """What is missing, not known, and of another shape, a sentence each; empty where all fits."""
    missing = [key for key in expected if key not in tensors]
    unknown = [key for key in tensors if key not in expected]
    shapes = _other_shapes(expected, tensors)
    other = [f"{key} {_shape(tensors[key])} for {tuple(expected[key].shape)}" for key in shapes]
    kinds = (("missing", missing), ("not known", unknown), ("of another shape", other))
    return [f"{len(keys)} {kind}: {_some(keys)}" for kind, keys in kinds if keys]


def _hint(misfits: list[str]) -> str:
    return " Is it of another network? Name the one it was saved from with --model." if len(misfits) > 1 else ""


def _other_shapes(expected: Mapping[str, torch.Tensor], tensors: Mapping[str, Any]) -> list[str]:
    return [key for key, own in expected.items() if key in tensors and _shape(tensors[key]) != tuple(own.shape)]


def _kind(value: torch.Tensor) -> str:
    """Number format, and layout where it is none of rows and columns."""
    plain = value.layout == torch.strided
    return str(value.dtype).removeprefix("torch.") + ("" if plain else f" {str(value.layout).removeprefix('torch.')}")


def _shape(value: Any) -> tuple[int, ...] | str:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else f"a {type(value).__name__}"


def _some(keys: list[str]) -> str:
    more = len(keys) - LISTED
    return ", ".join(keys[:LISTED]) + (f" and {more} more" if more > 0 else "")


def _require_finite(module: nn.Module, state: StateDict) -> None:
    floats = {key: value for key, value in module.state_dict().items() if value.is_floating_point() and value.numel()}
    # One pass, through which NaN goes; isfinite takes thirty times as long.
    lows, highs = zip(*(torch.aminmax(value) for value in floats.values()), strict=True)
    good = torch.isfinite(torch.stack([torch.stack(lows), torch.stack(highs)])).all(dim=0)
    bad = [key for key, is_good in zip(floats, good.tolist(), strict=True) if not is_good]
    if bad:
        raise DataError(
            f"{state.path}: NaN or infinity in {_some(bad)}. It was saved from a training that had diverged."
        )
