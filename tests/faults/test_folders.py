"""Folders that are renamed, replaced or removed, where that fails or is cut off: whole under their names, or not there.

``MLHW_TEST_FAULTS`` lets every operation of each fail and be the last; else some of each kind are chosen.
"""

from __future__ import annotations

import errno
import gzip
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlhw.runs import removal, store
from mlhw.sweeps.folders import mend
from tests.datasets.made import write_grocery, write_mnist
from tests.datasets.test_fetch_archives import zipped
from tests.faults.killing import Training
from tests.faults.warm import KILLED, Ended, Warm

ALL = bool(os.environ.get("MLHW_TEST_FAULTS"))
ERRORS = (errno.EACCES, errno.ENOSPC, errno.EXDEV, errno.EBUSY)
Operation = tuple[int, str, list[str]]

# The places in the source that are made to fail here (see test_write_sites.py), by what comes to them.
REACHES = {
    "rm": ("runs/removal.py:erase", "runs/removal.py:put_away", "runs/removal.py:put_back"),
    "shop": ("datasets/fetch.py:_move_in", "datasets/unpack.py:_extract_one"),
    "digits": ("datasets/unpack.py:gunzip",),
    "parcel": ("sweeps/folders.py:_extract", "sweeps/folders.py:mend", "sweeps/folders.py:unpack"),
    "large": ("datasets/cache.py:prepared", "datasets/subset.py:build"),
}


def content(folder: Path) -> dict[str, bytes]:
    """The files in ``folder``, but for a lock's and those in what is being made."""
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        name.as_posix(): path.read_bytes()
        for name, path in found.items()
        if not (name.name in ("lock", "holder.json") or name.suffix == ".lock" or name.as_posix().startswith("."))
    }


def operations(trace: Path) -> list[Operation]:
    return [tuple(json.loads(line)) for line in trace.read_text(encoding="utf-8").splitlines()]


def chosen(found: list[Operation]) -> list[Operation]:
    """All of ``found``, or the first and the last of each kind by each chain of callers."""
    by = {tuple(each[2]): each for each in reversed(found)} | {(*each[2], ""): each for each in found}
    return found if ALL else sorted({each[0]: each for each in by.values()}.values())


def assert_said(ended: Ended, path: Path) -> None:
    assert ended.code == 1, ended.err
    assert "Traceback" not in ended.err
    assert "This is a bug" not in ended.err
    assert len(ended.err.strip().splitlines()) == 1, ended.err
    assert "cannot " in ended.err
    assert str(path) in ended.err


@pytest.fixture(scope="module")
def trained(warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    training = Training.made("numpy", tmp_path_factory.mktemp("trained") / "numpy")
    assert training.start(warm, figures=False).code == 0
    return training.runs()[0]


@dataclass
class Shelf:
    """An outputs folder with two copies of one run."""

    outputs: Path
    whole: dict[str, bytes]
    names: tuple[str, str]
    warm: Warm

    @classmethod
    def made(cls, trained: Path, folder: Path, warm: Warm) -> Shelf:
        names = (trained.name, f"other-{trained.name}")
        for name in names:
            shutil.copytree(trained, folder / name)
        return cls(folder, content(trained), names, warm)

    def rm(self, *names: str, **how: object) -> Ended:
        return self.warm.run("rm", "--yes", *(names or self.names), outputs=self.outputs, **how)

    def listed(self) -> list[str]:
        """The runs that there are; each is whole, and done."""
        for run in (found := store.all_runs(self.outputs)):
            assert content(run.path) == self.whole
            assert run.status() == "done"
        return [run.id for run in found]

    def finish(self) -> None:
        """What `rm` still finds by name, it removes, and nothing is left."""
        for name in self.names:
            code = self.rm(name).code
            assert code in (0, 5)
        assert list(self.outputs.iterdir()) == []


@pytest.fixture
def shelf(trained: Path, warm: Warm, tmp_path: Path) -> Callable[[str], Shelf]:
    return lambda name: Shelf.made(trained, tmp_path / name, warm)


def removing(shelf: Callable[[str], Shelf], tmp_path: Path) -> list[Operation]:
    first = shelf("traced")
    assert first.rm(trace=tmp_path / "trace").code == 0
    assert list(first.outputs.iterdir()) == []
    return operations(tmp_path / "trace")


def test_removing_takes_no_space(shelf: Callable[[str], Shelf], tmp_path: Path) -> None:
    """Else nothing could be removed from a disk that is full."""
    found = removing(shelf, tmp_path)
    assert [each for each in found if "files.py:atomic_write" in each[2]] == []
    assert [each for each in found if "runs/removal.py:put_away" in each[2]]


@pytest.mark.parametrize("lasting", [False, True])
def test_a_removal_that_fails_anywhere_names_the_folder_and_a_second_one_finishes(
    lasting: bool, shelf: Callable[[str], Shelf], tmp_path: Path
) -> None:
    for turn, (number, path, callers) in enumerate(chosen(removing(shelf, tmp_path))):
        got = shelf(f"failed-{number}")
        ended = got.rm(fail_at=number, lasting=lasting, error=ERRORS[turn % len(ERRORS)])
        if ended.code == 0:  # of a lock that could not be let go, and the like
            assert "files.py:remove_folder" not in callers, path
            continue
        assert_said(ended, got.outputs)
        listed = got.listed()
        if not listed:
            assert "finish: mlhw rm" in ended.err
        elif len(listed) < len(got.names):
            assert lasting, "one is gone, and the other is not"
            assert "Taken away already, with their files: " in ended.err
        got.finish()


def test_a_removal_that_is_killed_anywhere_is_finished_by_a_second_one(
    shelf: Callable[[str], Shelf], tmp_path: Path
) -> None:
    for number, _, _ in chosen(removing(shelf, tmp_path)):
        got = shelf(f"killed-{number}")
        assert got.rm(die_at=number).code == KILLED
        got.listed()
        got.finish()


def test_what_is_left_of_a_run_is_meant_by_its_whole_id_alone(shelf: Callable[[str], Shelf]) -> None:
    got = shelf("left")
    one = store.Run(got.outputs / got.names[0])
    removal.put_away(one)
    assert got.rm(one.id[:-1]).code == 5
    assert (got.outputs / f".{one.id}.removed").is_dir()
    ended = got.rm(one.id)
    assert (ended.code, ended.out) == (0, f"removed {one.id}\n")
    assert got.listed() == [got.names[1]]


def test_rm_follows_no_link_in_the_place_of_what_is_left(shelf: Callable[[str], Shelf], tmp_path: Path) -> None:
    got, elsewhere = shelf("linked"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").touch()
    name = "x-20260101-000000-abcd"
    (got.outputs / f".{name}.removed").symlink_to(elsewhere)
    assert_said(got.rm(name), got.outputs / f".{name}.removed")
    assert (elsewhere / "mine").exists()


@dataclass
class Part:
    """Something that makes one folder: where it is watched, and how it is begun."""

    within: Path
    target: Path
    arguments: tuple[str, ...]
    how: dict[str, str]


def part(name: str, trained: Path, folder: Path) -> Part:
    """A fresh place for the part ``name``."""
    data = folder / "data"
    if name == "shop":
        made = write_grocery(folder / "made")
        target = data / "GroceryStoreDataset" / "dataset"
        target.parent.mkdir(parents=True)
        (target.parent / "Shop.zip").write_bytes(zipped(made))
        return Part(data, target, (str(made), str(data)), {})
    if name == "digits":
        write_mnist(folder / "plain")
        target, made = data / "MNIST" / "raw", folder / "plain" / "MNIST" / "raw"
        target.mkdir(parents=True)
        for path in made.iterdir():
            (target / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
            (target / path.name).write_bytes(b"damaged")
        return Part(data, target, (str(made), str(data)), {})
    if name == "parcel":
        target = folder / "outputs" / trained.name
        target.mkdir(parents=True)
        (target / "config.yaml").write_text("old", encoding="utf-8")
        beside = target.with_name(f".{target.name}.01234567.old")  # of an earlier one that was killed as it cleaned up
        beside.mkdir()
        (beside / "config.yaml").touch()
        return Part(folder / "outputs", target, (str(trained), str(target)), {})
    training, cache = Training.made("numpy", folder / "run"), folder / "cache"
    for prepared in (Path(os.environ["MLHW_CACHE"]) / "datasets").glob("digits-*[0-9a-f]/"):
        shutil.copytree(prepared, cache / "datasets" / prepared.name)
        (cache / "datasets" / prepared.name / "meta.json").write_text("damaged", encoding="utf-8")
    short = ("-s", "train.epochs=1", "-s", "train.patience_epochs=null")
    return Part(cache, cache / "datasets", ("train", str(training.config), *short), {"MLHW_CACHE": str(cache)})


@pytest.mark.parametrize("name", [name for name in REACHES if name != "rm"])
def test_where_a_folder_cannot_be_made_or_replaced_nothing_half_made_has_its_name(
    name: str, trained: Path, warm: Warm, tmp_path: Path
) -> None:
    def run(place: Part, **how: object) -> Ended:
        return warm.run(
            *place.arguments,
            part=name,
            within=place.within,
            outputs=tmp_path / "out",
            figures=False,
            **place.how,
            **how,
        )

    first = part(name, trained, tmp_path / "first")
    before = content(first.target)
    assert run(first, trace=tmp_path / "trace").code == 0
    whole, found = content(first.target), operations(tmp_path / "trace")
    for site in REACHES[name]:
        assert any(site in each[2] for each in found), site
    sites = {*REACHES[name], "files.py:remove_folder"} - {"datasets/cache.py:prepared"}  # it calls nearly all
    for turn, (number, path, callers) in enumerate(chosen([each for each in found if sites.intersection(each[2])])):
        failing, dying = {"fail_at": number, "lasting": False, "error": ERRORS[turn % len(ERRORS)]}, {"die_at": number}
        both = ALL or "os.rename" in callers
        for how in (failing, dying) if both else [(failing, dying)[turn % 2]]:
            got = part(name, trained, tmp_path / f"{number}-{next(iter(how))}")
            ended = run(got, **how)
            said = (path, callers, ended.err)
            if "die_at" in how:
                assert ended.code == KILLED, said
            elif ended.code:
                assert_said(ended, got.within)
            if name == "parcel":
                mend(got.target)  # as a sweep that goes on does first
                assert content(got.target) in (before, whole), said
            there = content(got.target)
            for file, data in there.items():  # of several that came one by one some may be there, each whole
                assert data in (whole.get(file), before.get(file)), (file, said)
            assert run(got).code == 0, said
            assert content(got.target) == whole, said
            assert [path for path in got.within.rglob(".*") if path.is_dir()] == [], said
