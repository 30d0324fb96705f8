"""A file of weights into named tensors, whatever wrote it; nothing in the file is ever run."""

from __future__ import annotations

import pickle
import re
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from mlhw.errors import DataError, DataMissing

ZIP = b"PK\x03\x04"
LEGACY = 0x1950A86A20F9469CFC6C.to_bytes(10, "little")  # begins every file that torch.save wrote before 1.6
WRAPPERS = ("state_dict", "model_state_dict", "model")
PREFIXES = ("module.", "_orig_mod.")  # of DataParallel, of torch.compile
SAVE = "Save it with torch.save(model.state_dict(), FILE)."


@dataclass(slots=True)
class StateDict:
    """Tensors by name, and what was taken off to get at them.

    ``versions`` are those of the layers, where the file has them: some layers translate what older versions wrote.
    """

    path: Path
    tensors: dict[str, Any]
    versions: dict[str, Any] | None
    notes: list[str] = field(default_factory=list)

    def ordered(self) -> OrderedDict[str, Any]:
        """What ``Module.load_state_dict`` takes, versions included."""
        state = OrderedDict(self.tensors)
        state._metadata = self.versions  # type: ignore[attr-defined]  # where torch looks for them
        return state


def read(path: Path) -> StateDict:
    """The tensors in ``path``: a zip or an old-format file of ``torch.save``, or safetensors, by content.

    Zip files and safetensors are mapped, not copied: a tensor is read from the disk when it is first used. Around the tensors
    there may be a dictionary with one of ``WRAPPERS`` as key, and ``PREFIXES`` before each name.

    Raises:
        DataMissing: there is no such file.
        DataError: it is cut off, no file of weights, or holds more than tensors and plain values (which could run code).
    """
    loaded, notes = _load(path), []
    while isinstance(loaded, Mapping) and (
        key := next((k for k in WRAPPERS if isinstance(loaded.get(k), Mapping)), "")
    ):
        loaded = loaded[key]
        notes.append(f"its '{key}'")
    if not isinstance(loaded, Mapping) or not any(isinstance(value, torch.Tensor) for value in loaded.values()):
        raise DataError(f"{path} holds no weights by name, but {_described(loaded)}. {SAVE}")
    tensors = {str(key): value for key, value in loaded.items()}
    if any(isinstance(value, torch.Tensor) and value.is_meta for value in tensors.values()):
        raise DataError(f"{path} holds names and shapes without numbers (tensors on torch's meta device). {SAVE}")
    versions = getattr(loaded, "_metadata", None)
    for prefix in PREFIXES:
        if all(key.startswith(prefix) for key in tensors):
            tensors = {key.removeprefix(prefix): value for key, value in tensors.items()}
            if versions is not None:
                bare = prefix.removesuffix(".")
                versions = {key.removeprefix(bare).removeprefix("."): value for key, value in versions.items()}
            notes.append(f"without the prefix '{prefix}'")
    return StateDict(path, tensors, versions, notes)


def require(path: Path) -> None:
    """Raise as ``read`` where there is no file at ``path`` that can be read."""
    _head(path)


def _load(path: Path) -> Any:
    head = _head(path)
    if head.startswith(ZIP):
        return _load_torch(path, mmap=True)
    if LEGACY in head:
        return _load_torch(path, mmap=False)
    if path.suffix.lower() == ".safetensors" or head[8:9] == b"{":
        try:
            return load_file(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise DataError(f"{path}: cut off or damaged safetensors ({error}). Fetch or save it again.") from error
    if head.startswith(b"\x80"):
        raise DataError(
            f"{path}: a plain Python pickle, not a file of torch.save. It is refused and not opened, since a pickle can run "
            f"code. {SAVE}"
        )
    if head.lstrip()[:1] == b"<":
        raise DataError(f"{path}: a web page, not weights (a login or error page?). Download it again.")
    raise DataError(f"{path}: not a file of weights (expected what torch.save writes, or safetensors).")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except FileNotFoundError as error:
        raise DataMissing(f"there is no file of weights {path}. Correct the path.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not head:
        raise DataError(f"{path}: an empty file. Fetch or save it again.")
    return head


def _load_torch(path: Path, *, mmap: bool) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickle protocols and old tensor types, which are read all the same
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except pickle.UnpicklingError as error:
        named = re.search(r"(?:GLOBAL|class|type) ([\w.]+\.[\w.]+)", str(error))
        what = f"holds {named.group(1)}, " if named else "holds what is "
        raise DataError(
            f"{path} {what}not tensors and plain values alone. It is refused, and nothing of it was run: such a file can run "
            f"code. {SAVE}"
        ) from error
    except Exception as error:  # of a damaged file, torch's readers raise whatever comes
        reason = str(error).split("\n")[0].split(". ")[0] or type(error).__name__
        if "TorchScript" in str(error):
            raise DataError(f"{path}: a TorchScript program, not a state dict. {SAVE}") from error
        raise DataError(
            f"{path}: cut off, damaged or not a file of torch.save ({reason}). Fetch or save it again."
        ) from error


def _described(value: Any) -> str:
    if isinstance(value, Mapping):
        keys = [str(key) for key in value]
        return (
            f"a dictionary of {', '.join(keys[:6])}{' …' if len(keys) > 6 else ''}" if keys else "an empty dictionary"
        )
    return f"one {type(value).__name__}"
