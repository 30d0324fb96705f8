"""torchvision's classification networks and their weights: which there are, where the files lie, how they are brought.

Names, addresses, sizes, accuracies and hashes come from torchvision's enumerations; nothing is repeated here. The files lie
where torch itself looks for them (``TORCH_HOME``), so what another program fetched is found, and the other way round.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import urlparse

import torch
from filelock import FileLock

from mlhw.datasets.download import Download, Progress, cannot_write, download
from mlhw.datasets.hashes import file_hash
from mlhw.errors import ConfigError, DataError, DataMissing, nearest
from mlhw.vision import torchvision

MIRROR = "MLHW_WEIGHTS_MIRROR"  # the address of a folder that holds the files, to use in place of torchvision's own
MEBIBYTE = 1 << 20  # what torchvision's meta data counts file sizes in


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """The weights that torchvision takes for ``model`` by default.

    ``weights`` is their name in the enumeration, ``sha256`` the beginning of the file's hash, which its name carries.
    ``size_bytes`` is what torchvision says, right to about 1 kB. ``top1`` and ``top5`` are accuracies on ImageNet's
    validation set, from 0 to 1.
    """

    model: str
    weights: str
    url: str
    path: Path
    sha256: str
    size_bytes: int
    parameters: int
    top1: float
    top5: float

    @property
    def part(self) -> Path:
        """Where a download that broke off waits to be continued."""
        return self.path.with_name(f"{self.path.name}.part")


@functools.cache
def names() -> tuple[str, ...]:
    """Every classification network of torchvision, by name; the quantized ones are left out."""
    return tuple(torchvision.models.list_models(module=torchvision.models))


def default_weights(name: str) -> Any:
    """The member of torchvision's enumeration that it calls the default for ``name``.

    For AlexNet, VGG16 and ResNet18 that is ``IMAGENET1K_V1``, the weights of their papers' time. Others moved on: ResNet50's
    default is ``IMAGENET1K_V2``, a newer recipe.

    Raises:
        ConfigError: there is no such network; names the nearest.
    """
    if name not in names():
        close = nearest(name, names())
        advice = f"Did you mean {' or '.join(close)}?" if close else f"`mlhw weights list` has all {len(names())}."
        raise ConfigError(
            f"there is no network '{name}' for classification in torchvision {torchvision.__version__}. {advice}"
        )
    return torchvision.models.get_model_weights(name).DEFAULT


def folder() -> Path:
    """Where torch keeps downloaded weights: ``$TORCH_HOME/hub/checkpoints``."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def weights_file(name: str) -> WeightsFile:
    """What is known of the default weights of ``name``; takes no time, builds nothing. Raises as ``default_weights``."""
    chosen = default_weights(name)
    meta = chosen.meta
    (accuracy,) = [scores for data, scores in meta["_metrics"].items() if data == "ImageNet-1K"]
    file = PurePosixPath(urlparse(chosen.url).path).name
    pinned = torch.hub.HASH_REGEX.search(file)
    return WeightsFile(
        name,
        str(chosen),
        chosen.url,
        folder() / file,
        pinned.group(1) if pinned else "",
        round(meta["_file_size"] * MEBIBYTE),
        meta["num_params"],
        round(accuracy["acc@1"] / 100, 6),
        round(accuracy["acc@5"] / 100, 6),
    )


def find(file: WeightsFile, *, offline: bool, progress: Progress = lambda what, done, total: None) -> Path:
    """Where ``file`` lies, fetched if it is not there. One that is there is taken as it is, as torch does.

    Raises:
        DataMissing, DataError, OutputError: see :func:`fetch`.
    """
    return file.path if file.path.is_file() else fetch(file, offline=offline, progress=progress)[0]


def fetch(
    file: WeightsFile,
    *,
    offline: bool,
    progress: Progress = lambda what, done, total: None,
    wait_seconds: float = 0.5,
) -> tuple[Path, Literal["present", "fetched"]]:
    """Bring ``file`` to its place with the pinned hash; one that is there with another hash is replaced once all has come.

    Args:
        file: see :func:`weights_file`.
        offline: download nothing (MLHW_OFFLINE=1).
        progress: told the file's name, the bytes done, and all of them.
        wait_seconds: before the second attempt at a connection; doubles with each.

    Raises:
        DataMissing: it is not there and cannot be had; names the file, its address and its place.
        DataError: what is there or came has another hash.
        OutputError: the folder cannot be written.
    """
    wrong = wrong_hash(file.path, file.sha256)
    if wrong is None:
        return file.path, "present"
    if offline:
        require([file])
        raise DataError(
            f"{file.path}: {wrong}, and MLHW_OFFLINE=1 forbids fetching it anew. Remove it and put {file.url} there."
        )
    try:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.path.with_name(f".{file.path.name}.lock")):  # a second process waits, then finds it there
            if wrong_hash(file.path, file.sha256) is None:
                return file.path, "present"
            _download(file, progress, wait_seconds)
            file.part.replace(file.path)
    except OSError as error:
        raise cannot_write(file.path, error, "TORCH_HOME") from error
    return file.path, "fetched"


def require(files: Iterable[WeightsFile]) -> None:
    """Raise DataMissing unless all ``files`` are there: names each, its address and its place."""
    absent = [file for file in files if not file.path.is_file()]
    if absent:
        models = ", ".join(file.model for file in absent)
        listed = "; ".join(f"{file.url} to {file.path}" for file in absent)
        raise DataMissing(
            f"{models}: the weights are not in {folder()}, and MLHW_OFFLINE=1 forbids fetching them. Elsewhere, download "
            f"{listed}; or set TORCH_HOME to a folder that has them in hub/checkpoints, or use a state dict of your own "
            "(--weights FILE)."
        )


def wrong_hash(path: Path, sha256: str) -> str | None:
    """What is wrong with the file at ``path``: that it is not there, or its hash; None where this begins as it should."""
    if not path.is_file():
        return "not there"
    try:
        got = file_hash(path)
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    if got.startswith(sha256):
        return None
    return (
        f"expected a sha256 that begins with {sha256}, got {got[: max(8, len(sha256))]} ({path.stat().st_size:,} bytes)"
    )


def _download(file: WeightsFile, progress: Progress, wait_seconds: float) -> None:
    mirror = os.environ.get(MIRROR, "").strip()
    url = f"{mirror.rstrip('/')}/{file.path.name}" if mirror else file.url
    check = partial(wrong_hash, sha256=file.sha256)
    most = (
        file.size_bytes + file.size_bytes // 20 + MEBIBYTE
    )  # the hash decides; this keeps a wrong address off the disk
    job = Download(file.path.name, [url], file.part, check, most, wait_seconds, "TORCH_HOME")
    try:
        download(job, progress)
    except DataError as error:
        by_hand = f"Or download {file.url} to {file.path}, or use a state dict of your own (--weights FILE)."
        raise type(error)(f"{file.model}: {error} {by_hand}") from error
