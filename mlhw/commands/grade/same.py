"""What a student's experiment may differ in from the teacher's, and the experiment that their weights are scored by."""

from __future__ import annotations

from typing import Any, Final

from mlhw.config.schema import Experiment
from mlhw.grading.words import plural

_MOST_PIXELS: Final = 256
# Which rows one learns from, and how they are prepared, is part of a solution; which rows one is tested on is not.
_FREE: Final = {
    "val_fraction",
    "train_rows",
    "train_draw",
    "normalize",
    "image_size_pixels",
    "resize",
    "labels",
    "report",
}


def comparable(student: Experiment, teacher: Experiment) -> tuple[Experiment, list[str]]:
    """The student's experiment on the teacher's data, and why it is none to be held to the teacher's: empty where it is.

    Paths are always the teacher's: no config that was handed in has a say in which files are read.
    """
    if student.data.kind != teacher.data.kind:
        return student, [f"data.kind is {student.data.kind}, should be {teacher.data.kind}"]
    theirs, ours = student.data.model_dump(), teacher.data.model_dump()
    faults = [f"data.{key} is {_short(theirs[key])}, should be {_short(ours[key])}" for key in _bound(theirs, ours)]
    faults += _rules(theirs, ours)
    if student.model.kind != teacher.model.kind:
        faults.append(f"model.kind is {student.model.kind}, should be {teacher.model.kind}")
    merged = teacher.data.model_copy(update={key: theirs[key] for key in _FREE & theirs.keys()})
    return student.model_copy(update={"data": merged}), faults


def _bound(theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """The keys that must be the teacher's and are not. Where files lie differs from machine to machine."""
    places = {"path", "train", "val", "test", "source"}
    return [key for key, value in ours.items() if key not in _FREE | places and theirs.get(key) != value]


def _rules(theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """The limits on the free keys."""
    faults = []
    most = ours.get("train_rows")
    if most is not None and (theirs["train_rows"] or most + 1) > most:
        faults.append(f"data.train_rows is {_short(theirs['train_rows'])}, should be at most {plural(most, 'row')}")
    told, wanted = (each.get("report") or each.get("labels") for each in (theirs, ours))
    if told != wanted:
        faults.append(f"results are told in {told} classes, should be in {wanted} ones")
    size, bound = theirs.get("image_size_pixels", 0), max(_MOST_PIXELS, ours.get("image_size_pixels", 0))
    if size > bound:
        faults.append(f"data.image_size_pixels is {size}, at most {bound} are graded")
    return faults


def _short(value: Any) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
