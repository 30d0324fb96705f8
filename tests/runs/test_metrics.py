"""metrics.csv keeps every bit, survives a torn tail, and says where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlhw.errors import RunError
from mlhw.protocols import EpochRow
from mlhw.runs.metrics import HEADER, MetricsFile, last_epoch, read_metrics, row_of

NUMBER = st.floats(allow_nan=False)


def rows(epochs: int) -> list[EpochRow]:
    return [
        EpochRow(epoch, split, 1 / epoch, 0.1 + 0.2, 1e-3, 0.5)
        for epoch in range(1, epochs + 1)
        for split in ("train", "val")
    ]


def written(path: Path, content: list[EpochRow]) -> Path:
    file = MetricsFile(path)
    file.append(content)
    file.sync()
    file.close()
    return path


@given(loss=NUMBER, accuracy=NUMBER, lr=NUMBER)
def test_numbers_come_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, loss: float, accuracy: float, lr: float
) -> None:
    row = EpochRow(3, "val", loss, accuracy, lr, 0.25)
    assert read_metrics(written(tmp_path_factory.mktemp("m") / "metrics.csv", [row])) == [row]


def test_the_header_is_the_documented_one(tmp_path: Path) -> None:
    text = written(tmp_path / "m.csv", rows(1)).read_text(encoding="utf-8")
    assert text.splitlines()[0] == HEADER == "epoch,split,loss,accuracy,lr,seconds"


@pytest.mark.parametrize("torn", ["3,tr", "3,train,0.5,0.5,0.001,0.1", "3"])
def test_a_torn_tail_is_left_out_and_dropped_by_a_resume(tmp_path: Path, torn: str) -> None:
    path = written(tmp_path / "m.csv", rows(2))
    whole = path.read_bytes()
    path.write_bytes(whole + torn.encode())
    assert read_metrics(path) == rows(2)
    MetricsFile(path, keep=lambda row: row.epoch <= 2).close()
    assert path.read_bytes() == whole


def test_a_resume_drops_the_rows_after_its_checkpoint_and_goes_on(tmp_path: Path) -> None:
    path = written(tmp_path / "m.csv", rows(5))
    file = MetricsFile(path, keep=lambda row: row.epoch <= 3)
    file.append(rows(5)[6:])
    file.close()
    assert path.read_bytes() == written(tmp_path / "whole.csv", rows(5)).read_bytes()


@pytest.mark.parametrize("tail", ["", "9,tr", "9,train,0.5,0.5,0.001,0.1", "9\n"])
def test_the_last_epoch_is_that_of_the_whole_rows_at_the_end_however_long_the_file(tmp_path: Path, tail: str) -> None:
    path = tmp_path / "metrics.csv"
    file = MetricsFile(path)
    file.append([])
    assert last_epoch(path) == 0
    file.append([*rows(2), EpochRow(1, "test", 0.5, 0.5, 1e-3, 0.5)])
    assert last_epoch(path) == 2
    file.close()
    whole = path.read_bytes()
    path.write_bytes(b"no rows at all\n" * 100_000 + whole + tail.encode())  # were they read, they would be refused
    assert last_epoch(path) == 2


def test_a_line_that_is_no_row_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "m.csv", rows(2))
    path.write_text(path.read_text(encoding="utf-8").replace("1,val", "one,val"), encoding="utf-8")
    with pytest.raises(RunError, match=r"m\.csv:3"):
        read_metrics(path)


def test_row_of_finds_the_split_s_row() -> None:
    assert row_of(rows(3), 2, "val") == rows(3)[3]
    assert row_of(rows(3), 9, "val") is None
