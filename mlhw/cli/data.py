"""data list, fetch, verify, preview."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mlhw.cli.options import Json, Quiet, complete_datasets
from mlhw.errors import DataError, PartialResult

NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="Data set (see `mlhw data list`).", autocompletion=complete_datasets, show_default=False
    ),
]


def list_data(as_json: Json = False) -> None:
    """The public data sets: whether they are there, where they belong, and how large they are."""
    from dataclasses import asdict

    from mlhw.cli.screen import megabytes, print_json, results
    from mlhw.commands.data import list_sources
    from mlhw.commands.settings import from_environment

    settings = from_environment()
    records = list_sources(settings.data, settings.cache)
    if as_json:
        for record in records:
            print_json(asdict(record))
        return
    rows = [
        (
            r.name,
            r.status,
            megabytes(r.download_bytes),
            megabytes(r.prepared_bytes),
            r.folder or "in scikit-learn",
            r.licence,
        )
        for r in records
    ]
    results().print_table(
        ("data set", "status", "download", "prepared", "folder", "licence"), rows, right=(2, 3), spare=(5, 3, 2)
    )


def fetch(
    name: NameArgument,
    mirror: Annotated[
        list[str] | None,
        typer.Option(
            "--mirror", metavar="URL", help="A folder on the web to try instead of the public ones. Repeatable."
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Download a data set: continued where it broke, checked against a pinned hash, whole or not at all."""
    from mlhw.cli.live import Live
    from mlhw.cli.screen import print_json, results
    from mlhw.commands.data import fetch_source
    from mlhw.commands.settings import from_environment

    settings = from_environment()
    display = Live(quiet=quiet)
    try:
        fetched = fetch_source(name, settings.data, mirrors=mirror, progress=display.progress, offline=settings.offline)
    finally:
        display.end()
    if as_json:
        print_json({"name": name, "files": [{"path": str(file.path), "status": file.status} for file in fetched]})
        return
    for file in fetched:
        results().print(f"{file.status}  {file.path}")


def verify(name: NameArgument, as_json: Json = False, quiet: Quiet = False) -> None:
    """Check every file of a data set by size and hash; exit 3 if one is missing or corrupt."""
    from mlhw.cli.live import Live
    from mlhw.cli.screen import print_json, results
    from mlhw.commands.data import remedy, verify_source
    from mlhw.commands.settings import from_environment

    settings = from_environment()
    display = Live(quiet=quiet)
    try:
        files = verify_source(name, settings.data, progress=display.progress)
    finally:
        display.end()
    bad = [file for file in files if file.status != "ok"]
    if as_json:
        listed = [{"path": str(file.path), "status": file.status, "detail": file.detail} for file in files]
        print_json({"name": name, "ok": not bad, "files": listed})
    elif not bad:
        many = f"{len(files)} files, all as they should be" if len(files) > 1 else "1 file, as it should be"
        results().print(f"{name}: {many if files else 'comes with scikit-learn'}")
    else:
        results().print_table(
            ("file", "status", "detail"), [(file.path, file.status, file.detail) for file in bad[:50]]
        )
    if bad:
        raise DataError(f"{name}: {len(bad)} of {len(files)} files not as they should be. {remedy(name)}")


def preview(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|PATH",
            help="Data set, or a folder of class folders, or a CSV.",
            autocompletion=complete_datasets,
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The PNG to write.", show_default="outputs/previews/NAME.png"),
    ] = None,
    labels: Annotated[
        str, typer.Option("--labels", metavar="coarse|fine", help="Grocery's 43 coarse or 81 fine classes.")
    ] = "coarse",
    size: Annotated[
        int, typer.Option("--size", metavar="PIXELS", min=8, max=1024, help="The side of prepared pictures.")
    ] = 96,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw a page of labelled samples (or, of a few features, points) and the class counts."""
    from dataclasses import asdict

    from mlhw.cli.live import Live
    from mlhw.cli.screen import print_json, results
    from mlhw.commands import data
    from mlhw.commands.settings import from_environment
    from mlhw.errors import ConfigError

    if labels not in ("coarse", "fine"):
        raise ConfigError(f"--labels '{labels}': should be coarse or fine.")
    settings = from_environment()
    stem = "".join(letter if letter.isalnum() else "-" for letter in Path(name).stem).strip("-") or "data"
    target = out or settings.outputs / "previews" / f"{stem}.png"
    display = Live(quiet=quiet)
    try:
        record = data.preview(
            name,
            settings.data,
            settings.cache,
            target,
            labels="fine" if labels == "fine" else "coarse",
            image_size_pixels=size,
            progress=display.progress,
        )
    finally:
        display.end()
    if as_json:
        print_json(asdict(record) | {"path": str(record.path)})
        _say_skipped(record.skipped)
        return
    screen = results()
    splits = list(record.rows)
    rows = [(label, *(record.counts[split][i] for split in splits)) for i, label in enumerate(record.class_names)]
    rows.append(("all", *(record.rows[split] for split in splits)))
    screen.print_table(("class", *splits), rows, right=tuple(range(1, len(splits) + 1)))
    screen.print(str(record.path))
    _say_skipped(record.skipped)


def _say_skipped(skipped: Sequence[str]) -> None:
    from mlhw.cli.screen import errors

    for reason in skipped[:10]:
        errors().print(f"warning: left out {reason}", style="yellow")
    if skipped:
        raise PartialResult(f"{len(skipped)} files could not be read and are left out.")
