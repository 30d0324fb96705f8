"""Every place where mlhw writes a file meets a disk that fails there: a message, exit 1, and nothing half written.

The places are found in the source (``sites.py``), those that a command reaches by running it, and the two are held together:
a new place must be reached by one of the commands below, or say here why it is not.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.commands.pictures_made import OTHER, SMALL, draw_pictures
from tests.faults.killing import leftovers
from tests.faults.sites import write_sites
from tests.faults.warm import Ended, Warm
from tests.models.zoo_made import by_hand, saved

ALL = bool(os.environ.get("MLHW_TEST_FAULTS"))  # every operation of every command fails once, not one at each place

CNN = """
name: one
data: {kind: digits, split_rows: 60}
model: {kind: digits-cnn, channels: [2, 2]}
train: {epochs: 1, batch_size: 30, lr: 0.01}
threads: 1
"""
TOY = """
name: toy
data: {kind: gmm, source: generated, train_rows: 50}
model: {kind: numpy-resnet, layers: [{kind: dense, units: 4}]}
train: {epochs: 2, batch_size: 25, lr: 0.1}
threads: 1
"""
FOLDER = """
name: pictures
data: {kind: folder, path: FOLDER, image_size_pixels: 8}
model: {kind: digits-cnn, channels: [2, 2]}
train: {epochs: 1, batch_size: 4, lr: 0.01}
threads: 1
"""

# What no command below reaches, and what shows it instead.
ELSEWHERE = {
    "checks/apart.py:check_apart": "a folder of the system's own that the check removes",
    "checks/child.py:write": "the same, by the child",
    "cli/guard.py:run": "os.devnull",
    "grading/limits.py:within": "os.devnull",
    "commands/doctor.py:unwritable": "tests/commands/test_doctor.py: it is there to fail",
    "commands/report/browser.py:print_pdf": "needs a Chromium; tests/cli/test_report.py",
    "commands/pretrained/work.py:resume": "as start",
    "commands/pretrained/work.py:_on_record": "error.json: of a run that failed for another reason",
    "commands/train.py:record_failure": "the same",
    "commands/train.py:tell_differences": "environment.json again; test_kills.py resumes, test_disk.py fails there",
    "commands/sweep/on_ray.py:_write": "on a Ray cluster; tests/cli/test_sweep_ray.py",
    "datasets/fetch.py:_move_in": "downloads; tests/datasets/test_fetch.py",
    "datasets/mnist.py:_from_idx": "a folder of the system's own, for torchvision to read",
    "datasets/subset.py:build": "writes as images.py does; tests/datasets/test_subset.py",
    "datasets/unpack.py:_extract_one": "downloads; tests/datasets/test_fetch.py",
    "datasets/unpack.py:gunzip": "downloads; tests/datasets/test_fetch.py",
    "models/weights.py:fetch": "downloads; tests/models/test_weights.py",
    "runs/store.py:remove": "a rename of a whole folder; tests/cli/test_rm.py",
    "sweeps/folders.py:_extract": "parcels of a Ray cluster; tests/sweeps/test_folders.py",
    "sweeps/folders.py:pack": "the same",
    "sweeps/folders.py:unpack": "the same",
}


@dataclass
class Place:
    """A folder with finished runs, pictures, hand-ins and networks, that the commands work in."""

    folder: Path
    run: str = ""
    toy: str = ""
    weights: list[str] = field(default_factory=list)

    @property
    def outputs(self) -> Path:
        return self.folder / "outputs"

    def file(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture(scope="module")
def place(warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("sites"))
    paths = draw_pictures(made.folder / "pictures", 4)
    for number, path in enumerate(paths):
        target = made.folder / "classes" / f"class {number % 2}" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    Image.fromarray(np.full((8, 8), 200, dtype=np.uint8)).save(made.file("digit.png"))
    for name, text in {"one": CNN, "toy": TOY, "folder": FOLDER}.items():
        path = made.folder / f"{name}.yaml"
        path.write_text(text.replace("FOLDER", made.file("classes")), encoding="utf-8")
    (made.folder / "hand-ins" / "anna").mkdir(parents=True)
    made.weights = [
        part
        for name in (SMALL, OTHER)
        for part in ("--weights", f"{name}={saved(by_hand(name), made.folder / f'{name}.pth')}")
    ]
    made.run, made.toy = (
        Path(
            warm.run("train", made.file(f"{name}.yaml"), "--json", outputs=made.outputs, figures=False).json["path"]
        ).name
        for name in ("one", "toy")
    )
    shutil.copytree(made.outputs / made.run, made.folder / "hand-ins" / "anna" / made.run)
    return made


def commands(place: Place) -> dict[str, tuple[str, ...]]:
    """What is run, by name; all write into the outputs, but ``prepare``, which is watched in the cache."""
    file, pictures = place.file, place.file("pictures")
    return {
        "train": ("train", file("one.yaml")),
        "train in the plane": ("train", file("toy.yaml")),
        "prepare": ("train", file("folder.yaml")),
        "sweep": ("sweep", file("toy.yaml"), "--grid", "train.lr=0.1,0.2", "--executor", "stack"),
        "sweep-lr": ("sweep-lr", file("toy.yaml"), "--lrs", "0.1,0.3", "--executor", "stack"),
        "export": ("export", place.run),
        "plot": ("plot", place.run, place.toy),
        "report": ("report", place.run, place.toy),
        "predict": ("predict", place.run, file("digit.png")),
        "grade": ("grade", file("one.yaml"), "--no-train", "--junit", str(place.outputs / "junit.xml")),
        "grade hand-ins": ("grade", "--submission", file("hand-ins"), "--against", file("one.yaml")),
        "check": ("check", "gradients", file("toy.yaml"), "--rows", "2"),
        "graph": ("graph", "a*b + exp(a)", "a=1", "b=2"),
        "preview": ("data", "preview", "digits"),
        "preview of the plane": ("data", "preview", "gmm"),
        "classify": ("pretrained", "classify", pictures, "--model", SMALL, *place.weights[:2]),
        "compare": ("pretrained", "compare", pictures, "--model", f"{SMALL},{OTHER}", *place.weights),
        "filters": ("pretrained", "filters", "--model", SMALL, "--weights", file(f"{SMALL}.pth")),
    }


class Watched:
    """One command, run as often as its operations on files are to fail."""

    def __init__(self, name: str, place: Place, warm: Warm, folder: Path) -> None:
        self.arguments, self.warm, self.folder = commands(place)[name], warm, folder
        self.within = folder / "cache" if name == "prepare" else place.outputs
        self.outputs, self.figures = place.outputs, name in ("train", "train in the plane")
        self.cache = {"MLHW_CACHE": str(folder / "cache")} if name == "prepare" else {}

    def run(self, **how: object) -> Ended:
        """Run it; a cache is new each time."""
        if self.cache:
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
        return self.warm.run(
            *self.arguments, outputs=self.outputs, within=self.within, figures=self.figures, **self.cache, **how
        )

    def operations(self) -> list[tuple[int, str, list[str]]]:
        """Number, path and callers of each, in a run that nothing disturbs."""
        trace = self.folder / "trace"
        ended = self.run(trace=trace)
        assert ended.code in (0, 1), ended.err  # 1: of a grade that falls short
        return [tuple(json.loads(line)) for line in trace.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def reached() -> set[str]:
    """The places that the tests below have been at; they run in order, and the last of them looks."""
    return set()


NAMES = tuple(commands(Place(Path())))
GOES_ON = {"runs/store.py:log"}  # a log must not end a run


@pytest.mark.parametrize("name", NAMES)
def test_where_a_write_fails_the_command_says_so_and_leaves_nothing_half_written(
    name: str, place: Place, warm: Warm, tmp_path: Path, reached: set[str]
) -> None:
    watched, sites = Watched(name, place, warm, tmp_path), write_sites()
    chosen = {}
    for number, path, callers in watched.operations():
        here = sites.intersection(callers)
        if here - reached or ALL:
            chosen[number if ALL else min(here)] = (number, path, callers)
        reached |= here if ALL else set()
    for number, path, callers in chosen.values():
        reached |= sites.intersection(callers)
        ended = watched.run(fail_at=number, lasting=False, error=errno.EIO)
        said = (path, callers, ended.err)
        assert "Traceback" not in ended.err, said
        assert "This is a bug" not in ended.err, said
        assert leftovers(watched.within) == [], said
        if not ended.failed or GOES_ON.intersection(callers):
            continue  # it came no further, or can do without
        assert ended.code == 1, said
        assert "cannot " in ended.err, said
        assert str(watched.within) in ended.err or str(watched.folder) in ended.err, said


def test_every_place_that_writes_was_reached_or_says_why_not(reached: set[str]) -> None:
    sites = write_sites()
    assert ELSEWHERE.keys() <= sites, "a place that is no more"
    if not reached:
        pytest.skip("the tests above did not run")
    assert sorted(sites - reached - ELSEWHERE.keys()) == []


def test_a_figure_that_cannot_be_written_costs_no_run(place: Place, warm: Warm, tmp_path: Path) -> None:
    watched = Watched("train", place, warm, tmp_path)
    (number, path, _), *_ = [each for each in watched.operations() if "plots/style.py:save" in each[2]]
    before = set(place.outputs.glob("one-*"))
    ended = watched.run(fail_at=number, lasting=False)
    (run,) = set(place.outputs.glob("one-*")) - before
    assert ended.code == 1
    assert f"cannot write {run / 'plots'}" in ended.err
    assert f"The run is done; then draw its figures: mlhw plot {run.name}" in ended.err
    assert json.loads((run / "summary.json").read_text(encoding="utf-8"))["status"] == "done"
    assert not (run / "error.json").exists()
    assert warm.run("resume", run.name, outputs=place.outputs).code == 0
    assert warm.run("plot", run.name, outputs=place.outputs).code == 0
    assert (run / "plots" / Path(path).name.split(".")[1]).with_suffix(".png").exists()
