"""Where the benchmarks find data and leave runs: the user's own data and cache, and a temporary outputs folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mlhw.commands.settings import Settings, from_environment

FILES = {"train": 60_000, "t10k": 10_000}


@dataclass(frozen=True)
class Workplace:
    """Folders for one run of the suite, how often to measure, and what has to be said of the data."""

    settings: Settings
    repeats: int
    mnist_note: str = ""

    def environ(self) -> dict[str, str]:
        """The environment of a child process that is to use the same folders."""
        settings = self.settings
        folders = {"MLHW_DATA": settings.data, "MLHW_CACHE": settings.cache, "MLHW_OUTPUTS": settings.outputs}
        threads = {"MLHW_THREADS": str(settings.threads)} if settings.threads else {}
        return dict(os.environ) | {name: str(folder) for name, folder in folders.items()} | threads


@contextmanager
def data_with_mnist() -> Iterator[tuple[dict[str, str], str]]:
    """The environment in which every process finds data, as long as the block lasts, and what has to be said of it.

    Where MLHW_DATA has no MNIST, made data of its shape stands in for it.
    """
    settings = from_environment()
    data, cache = settings.data.absolute(), settings.cache.absolute()
    with tempfile.TemporaryDirectory(prefix="mlhw-benchmarks-") as name:
        note = ""
        if not (data / "MNIST").is_dir():
            note, folder = "made data of MNIST's shape", Path(name)
            make_mnist(folder / "data", FILES)
            for entry in data.iterdir() if data.is_dir() else ():
                (folder / "data" / entry.name).symlink_to(entry)  # what else there is stays in reach
            data, cache = folder / "data", folder / "cache"
        yield {"MLHW_DATA": str(data), "MLHW_CACHE": str(cache)}, note


@contextmanager
def workplace(repeats: int, threads: int | None = None) -> Iterator[Workplace]:
    """Folders that last as long as the block, the data as :func:`data_with_mnist` finds it.

    ``threads`` wins over MLHW_THREADS; where neither says how many, numpy and torch choose.
    """
    with data_with_mnist() as (environ, note), tempfile.TemporaryDirectory(prefix="mlhw-benchmarks-") as name:
        found = from_environment(dict(os.environ) | environ)
        outputs = Path(name) / "outputs"
        yield Workplace(replace(found, outputs=outputs, threads=threads or found.threads), repeats, note)


def make_mnist(data: Path, rows: dict[str, int]) -> None:
    """Write IDX files of random pixels and labels into ``data``/MNIST/raw, ``rows`` of them for train and for t10k."""
    raw = data / "MNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, count in rows.items():
        images, labels = rng.integers(0, 256, (count, 28, 28)), rng.integers(0, 10, count)
        _write_idx(raw / f"{part}-images-idx3-ubyte", images.astype(np.uint8))
        _write_idx(raw / f"{part}-labels-idx1-ubyte", labels.astype(np.uint8))


def _write_idx(path: Path, values: np.ndarray) -> None:
    magic = np.array([0x0800 + values.ndim, *values.shape], dtype=">i4")  # 0x08: unsigned bytes
    path.write_bytes(magic.tobytes() + values.tobytes())
