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
def workplace(repeats: int, threads: int | None = None) -> Iterator[Workplace]:
    """Folders that last as long as the block. Where MLHW_DATA has no MNIST, made data of its shape stands in for it.

    ``threads`` wins over MLHW_THREADS; where neither says how many, numpy and torch choose.
    """
    settings = from_environment()
    with tempfile.TemporaryDirectory(prefix="mlhw-benchmarks-") as name:
        folder = Path(name)
        settings = replace(
            settings,
            data=settings.data.absolute(),
            cache=settings.cache.absolute(),
            outputs=folder / "outputs",
            threads=threads or settings.threads,
        )
        if (settings.data / "MNIST").is_dir():
            yield Workplace(settings, repeats)
        else:
            make_mnist(folder / "data", FILES)
            for entry in settings.data.iterdir() if settings.data.is_dir() else ():
                (folder / "data" / entry.name).symlink_to(entry)  # what else there is stays in reach
            made = replace(settings, data=folder / "data", cache=folder / "cache")
            yield Workplace(made, repeats, "made data of MNIST's shape")


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
