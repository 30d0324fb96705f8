"""Every place where mlhw writes a file meets a disk that fails there: a message, exit 1, and nothing half written.

The places are found in the source (``sites.py``) and each stands in one of two lists here: a command that is made to fail
there, or what shows it instead; or, where it is of folders, in that of ``test_folders.py``. ``MLHW_TEST_FAULTS`` lets every
operation of every command fail once.
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
from tests.faults import test_folders
from tests.faults.killing import leftovers
from tests.faults.sites import write_sites
from tests.faults.warm import Ended, Warm
from tests.models.zoo_made import by_hand, saved

ALL = bool(os.environ.get("MLHW_TEST_FAULTS"))

CNN = """
name: one
data: {kind: digits, split_rows: 60}
model: {kind: digits-cnn, channels: [2, 2]}
train: {epochs: 1, batch_size: 30, lr: 0.01}
threads: 1
expect: {test_accuracy: ">= 0"}
"""
TOY = """
name: toy
data: {kind: peaks, source: generated, train_rows: 50}
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

# Each place under the cheapest command that comes to it.
REACHES: dict[str, tuple[str, ...]] = {
    "prepare": (
        "commands/train.py:train",
        "datasets/cache.py:_store",
        "datasets/images.py:decode_splits",
        "datasets/npy.py:__enter__",
    ),
    "train": (
        "commands/finish.py:finish",
        "plots/style.py:save",
        "runs/checkpoint.py:save",
        "runs/locks.py:hold",
        "runs/metrics.py:__init__",
        "runs/predictions.py:write",
        "runs/preparation.py:write",
        "runs/store.py:create",
        "runs/store.py:log",
    ),
    "train in the plane": ("runs/regions.py:write",),
    "sweep": (
        "commands/sweep/results.py:results",
        "sweeps/folder.py:begin",
        "sweeps/folder.py:create",
        "sweeps/records.py:write",
    ),
    "export": ("commands/inspect.py:export",),
    "export of events": ("trackers/events.py:__init__",),
    "plot": (),
    "report": ("commands/report/report.py:report",),
    "predict": (
        "commands/predict/results.py:finish",
        "runs/growing.py:__init__",
    ),
    "grade": ("cli/grade.py:_tell",),
    "graph": (
        "commands/graph.py:_draw",
        "plots/graph.py:save_graph",
    ),
    "sweep-lr": (),
    "check": ("commands/check.py:_write",),
    "preview": ("plots/preview.py:draw",),
    "preview of the plane": ("plots/scatter.py:draw",),
    "classify": (
        "commands/pretrained/finish.py:finish",
        "commands/pretrained/inputs.py:write",
        "commands/pretrained/work.py:start",
    ),
    "compare": ("commands/pretrained/compare.py:conclude",),
    "filters": (
        "commands/filters.py:_write",
        "commands/filters.py:_write_arrays",
        "commands/filters.py:filters",
    ),
}

# What no command reaches, and what shows it instead.
ELSEWHERE = {
    "datasets/fetch.py:_fetch_archive": "what an attempt before left; what cannot be deleted stays",
    "datasets/fetch.py:_wrong_archive": "the same",
    "checks/apart.py:check_apart": "a folder of the system's own that the check removes",
    "checks/child.py:write": "the same, by the child",
    "cli/guard.py:run": "os.devnull",
    "grading/limits.py:within": "os.devnull",
    "commands/doctor.py:unwritable": "tests/commands/test_doctor.py: it is there to fail",
    "commands/report/browser.py:print_pdf": "needs a Chromium; tests/cli/test_report.py",
    "commands/pretrained/work.py:resume": "as start",
    "commands/pretrained/work.py:_on_record": "error.json, of a run that failed for another reason",
    "commands/grade/files.py:write_files": "after a pool of processes, which a fork cannot start; tests/cli/test_grade.py",
    "commands/stack.py:note": "stacks fail everywhere in test_disk.py",
    "commands/train.py:record_failure": "error.json, as above",
    "commands/train.py:tell_differences": "environment.json again; test_kills.py resumes, test_disk.py fails there",
    "commands/sweep/on_ray.py:_write": "on a Ray cluster; tests/cli/test_sweep_ray.py",
    "datasets/mnist.py:_from_idx": "a folder of the system's own, for torchvision to read",
    "models/weights.py:fetch": "downloads; tests/models/test_weights.py",
    "sweeps/folders.py:pack": "a parcel of a Ray cluster, in memory",
    "sweeps/ray_connection.py:connected": "a folder of the system's own; what cannot be deleted stays",
}


@dataclass
class Place:
    """A folder with finished runs, pictures and networks, that the commands work in."""

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
    return made


def commands(place: Place) -> dict[str, tuple[str, ...]]:
    """What is run, by name; all write into the outputs, but ``prepare``, which is watched in the cache."""
    file, pictures = place.file, place.file("pictures")
    return {
        "train": ("train", file("one.yaml")),
        "train in the plane": ("train", file("toy.yaml")),
        "prepare": ("train", file("folder.yaml")),
        "sweep": ("sweep", file("toy.yaml"), "--grid", "train.lr=0.1,0.2", "--executor", "stack", "--again"),
        "sweep-lr": ("sweep-lr", file("toy.yaml"), "--lrs", "0.1,0.3", "--executor", "stack", "--again"),
        "export": ("export", place.run),
        "export of events": ("export", place.run, "--to", "tensorboard"),
        "plot": ("plot", place.run, place.toy),
        "report": ("report", place.run, place.toy),
        "predict": ("predict", place.run, file("digit.png")),
        "grade": ("grade", file("one.yaml"), "--no-train", "--junit", str(place.outputs / "junit.xml")),
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


GOES_ON = {"runs/store.py:log"}  # a log must not end a run
COSTLY = ("classify", "compare", "filters", "check", "preview", "preview of the plane", "plot", "sweep-lr")


def test_every_place_that_writes_is_one_that_a_command_fails_at_or_says_why_not() -> None:
    places = [place for each in (REACHES | test_folders.REACHES).values() for place in each]
    assert sorted({*places, *ELSEWHERE}) == sorted(write_sites())
    assert len(places) + len(ELSEWHERE) == len({*places, *ELSEWHERE}), "a place is named twice"
    assert REACHES.keys() == commands(Place(Path())).keys()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in COSTLY else ()) for name in REACHES]
)
def test_where_a_write_fails_the_command_says_so_and_leaves_nothing_half_written(
    name: str, place: Place, warm: Warm, tmp_path: Path
) -> None:
    watched = Watched(name, place, warm, tmp_path)
    operations = watched.operations()
    last = {site: each for each in operations for site in REACHES[name] if site in each[2]}
    assert sorted(last) == sorted(REACHES[name]), "a place that the command does not come to any more"
    for number, path, callers in operations if ALL else {each[0]: each for each in last.values()}.values():
        ended = watched.run(fail_at=number, lasting=False, error=errno.EIO)
        said = (path, callers, ended.err)
        assert "Traceback" not in ended.err, said
        assert "This is a bug" not in ended.err, said
        assert leftovers(watched.within) == [], said
        if not ended.failed or GOES_ON.intersection(callers):
            continue  # it came no further, or can do without
        if ended.code == 0 and Path(ended.failed).is_dir():
            continue  # a mkdir of what is there
        assert ended.code == 1, said
        assert "cannot " in ended.err, said
        assert str(watched.within) in ended.err, said


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
