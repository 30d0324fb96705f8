"""``mlhw data list | fetch | verify | preview``, without the printing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlhw.arrays import Place, Splits
from mlhw.datasets import verify as verification
from mlhw.datasets.fetch import Fetched, fetch
from mlhw.datasets.sources import SOURCES, Source
from mlhw.datasets.verify import FileStatus
from mlhw.errors import ConfigError, DataError, did_you_mean
from mlhw.files import make_folder

Progress = Callable[[str, int, int], None]
Status = Literal["ready", "partial", "missing", "embedded", "generated"]


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One public data set as ``mlhw data list`` shows it; sizes in bytes.

    ``status``: ``ready`` (all files there, by name and size), ``partial``, ``missing``, ``embedded`` in a library, or
    ``generated`` (a course's file that is not there: training makes such data).
    ``prepared`` counts the versions of it in the cache, ``prepared_bytes`` their size.
    """

    name: str
    title: str
    status: Status
    folder: str
    licence: str
    homepage: str
    download_bytes: int
    prepared: int
    prepared_bytes: int


@dataclass(frozen=True, slots=True)
class PreviewRecord:
    """Where the page was written, and what it shows: rows a split, the classes' names and their rows a split."""

    path: Path
    rows: dict[str, int]
    class_names: tuple[str, ...]
    counts: dict[str, list[int]]
    skipped: tuple[str, ...] = field(default=())


def list_sources(data: Path, cache: Path) -> list[SourceRecord]:
    """Every public data set and whether it is there; looks at names and sizes alone, so it takes no time."""
    return [_record(source, data, cache) for source in SOURCES.values()]


def fetch_source(
    name: str,
    data: Path,
    *,
    mirrors: Sequence[str] | None = None,
    progress: Progress = lambda what, done, total: None,
    offline: bool = False,
) -> list[Fetched]:
    """What became of each file of the data set ``name``; see ``mlhw.datasets.fetch.fetch``, also for what it raises."""
    return fetch(name, data, mirrors=mirrors, progress=progress, offline=offline)


def verify_source(name: str, data: Path, *, progress: Progress = lambda what, done, total: None) -> list[FileStatus]:
    """The state of each file of the data set ``name``, by size and hash. Raises ConfigError for an unknown name."""
    return verification.verify(name, data, progress)


def remedy(name: str) -> str:
    """What to do where files of the data set ``name`` are missing or wrong, in one sentence."""
    if SOURCES[name].course_file is not None:
        return "Put the course's own file there, or go on without one: such data is then generated."
    return f"`mlhw data fetch {name}` brings them."


def preview(
    name: str,
    data: Path,
    cache: Path,
    output: Path,
    *,
    labels: Literal["coarse", "fine"] = "coarse",
    image_size_pixels: int = 96,
    progress: Progress = lambda what, done, total: None,
) -> PreviewRecord:
    """A page of labelled samples and class counts of a data set, written to ``output`` as PNG.

    Args:
        name: of a public data set, or the path of a folder of class folders, or of a CSV of pictures or of pixels.
        data: MLHW_DATA.
        cache: MLHW_CACHE.
        output: the PNG to write; its folder is made.
        labels: Grocery's coarse or fine classes.
        image_size_pixels: the side to which picture files are brought.
        progress: told of preparation.

    Raises:
        ConfigError: ``name`` is neither a data set nor a path.
        DataError: the data is missing, malformed or has no pictures to show.
        OutputError: ``output`` cannot be written.
    """
    title, splits = _load(name, Place(data, cache, progress), labels, image_size_pixels)
    train = splits.train
    make_folder(output.parent)
    if name in SOURCES and SOURCES[name].course_file is not None:
        return _preview_points(title, splits, output)
    if len(train.input_shape) != 3:
        raise DataError(
            f"{name}: rows of {train.input_shape[0]} numbers are no square pictures; there is nothing to draw."
        )
    from mlhw.plots import preview as page

    classes, counts = len(train.class_names), _counts(splits)
    samples = _samples(train.inputs, train.targets, classes, page.layout(classes).samples)
    height, width, channels = train.input_shape
    facts = (
        f"{classes} classes · {height}×{width} pixels · {'colour' if channels == 3 else 'grey'} · rows a class by split"
    )
    page.draw(output, title, train.class_names, samples, counts, facts)
    return _preview_record(output, splits, counts)


def _preview_points(title: str, splits: Splits, output: Path) -> PreviewRecord:
    """The page of rows that are points: training rows, evenly spread over the split."""
    from mlhw.plots import scatter

    train, counts = splits.train, _counts(splits)
    features = train.input_shape[0]
    rows = np.unique(np.linspace(0, len(train) - 1, min(scatter.most_points(features), len(train))).round().astype(int))
    facts = (
        f"{features} features · {len(train.class_names)} classes · {len(rows):,} of {len(train):,} training rows shown"
    )
    points, targets = np.asarray(train.inputs[rows]), np.asarray(train.targets[rows])
    scatter.draw(output, title, train.class_names, points, targets, counts, facts)
    return _preview_record(output, splits, counts)


def _counts(splits: Splits) -> dict[str, NDArray[np.int64]]:
    """Split name to its rows a class (classes,)."""
    classes = len(splits.train.class_names)
    return {name: np.bincount(split.targets, minlength=classes) for name, split in splits.named().items()}


def _preview_record(output: Path, splits: Splits, counts: dict[str, NDArray[np.int64]]) -> PreviewRecord:
    rows = {name: len(split) for name, split in splits.named().items()}
    listed = {name: values.tolist() for name, values in counts.items()}
    return PreviewRecord(output, rows, splits.train.class_names, listed, splits.skipped)


def _record(source: Source, data: Path, cache: Path) -> SourceRecord:
    folders = [path for path in (cache / "datasets").glob(f"{source.name}-*") if _is_of(source, path)]
    size = sum(file.stat().st_size for path in folders for file in path.iterdir())
    folder = verification.archive_folder(source, data) if source.archive else data / source.folder
    return SourceRecord(
        source.name,
        source.title,
        _status(source, folder),
        str(folder) if source.folder else "",
        source.licence,
        source.homepage,
        source.download_bytes,
        len(folders),
        size,
    )


def _is_of(source: Source, path: Path) -> bool:
    longer = [name for name in SOURCES if name.startswith(f"{source.name}-")]
    return path.is_dir() and not any(path.name.startswith(f"{name}-") for name in longer)


def _status(source: Source, folder: Path) -> Status:
    if (file := source.course_file) is not None:
        if not (folder / file.name).is_file():
            return "generated"
        return "ready" if _has(folder, file.name, file.size) else "partial"
    if source.archive is not None:
        there = [(folder / name).is_file() for name in source.archive.tables]
    else:
        there = [_has(folder, file.name, file.size) for file in source.files]
    if not there:
        return "embedded"
    return "ready" if all(there) else "partial" if any(there) else "missing"


def _has(folder: Path, name: str, size: int) -> bool:
    plain = folder / name
    return plain.stat().st_size == size if plain.is_file() else (folder / f"{name}.gz").is_file()


def _load(name: str, place: Place, labels: Literal["coarse", "fine"], size: int) -> tuple[str, Splits]:
    """The title and the splits of a data set by name, or of what lies at a path."""
    from mlhw.datasets import digits, folder, grocery, lists, mnist, pixels, tables, toy
    from mlhw.datasets.locating import locate

    known: dict[str, tuple[str, Callable[[], Splits]]] = {
        "mnist": ("MNIST", lambda: mnist.load(place)),
        "fashion-mnist": ("Fashion-MNIST", lambda: mnist.load_fashion(place)),
        "digits": ("scikit-learn's digits", lambda: digits.load(place)),
        "grocery": (
            f"Grocery Store Dataset, {labels} classes",
            lambda: _in_spite_of_bad(
                lambda skip: grocery.load(place, labels=labels, image_size_pixels=size, skip_bad=skip)
            ),
        ),
    }
    if name in known:
        title, load = known[name]
        return title, load()
    if name in toy.PROBLEMS:
        splits = toy.load(place, problem=name)
        return f"{toy.PROBLEMS[name].title}{', generated' if toy.is_generated(splits) else ''}", splits
    try:
        path = locate(place, name, "preview")
    except DataError as error:
        raise ConfigError(
            f"no data set and no path '{name}'. {did_you_mean(name, [*known, *toy.PROBLEMS])} Or give a folder or a CSV."
        ) from error
    if path.is_dir():
        return path.name, _in_spite_of_bad(
            lambda skip: folder.load(place, path=str(path), image_size_pixels=size, skip_bad=skip)
        )
    if lists.names_pictures(path):
        return path.name, _in_spite_of_bad(
            lambda skip: tables.load_images(place, train=str(path), image_size_pixels=size, skip_bad=skip)
        )
    return path.name, tables.load_pixels(place, train=str(path), image_shape=pixels.square_shape(path))


def _in_spite_of_bad(load: Callable[[bool], Splits]) -> Splits:
    """What ``load(False)`` gives, prepared as training prepares it; where some pictures are bad, the rest of them."""
    try:
        return load(False)
    except DataError:
        return load(True)


def _samples(inputs: Any, targets: NDArray[np.int64], classes: int, most: int) -> dict[int, NDArray[Any]]:
    """Class index to up to ``most`` of its rows, spread evenly over them."""
    found = {}
    for index in range(classes):
        rows = np.flatnonzero(targets == index)
        if len(rows):
            chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(np.int64))]
            found[index] = np.asarray(inputs[chosen])
    return found
