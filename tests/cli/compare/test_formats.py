"""How `mlhw compare` prints: tables as wide as the terminal, CSV and Markdown that hold whatever a setting holds."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from mlhw.cli import comparison, comparison_table, screen
from mlhw.commands.compare.table import Comparison
from mlhw.runs import store
from tests.cli.compare.made import VALS, asked, ids, made
from tests.cli.program import mlhw

NASTY = "=1+1|<b>\x1b[2J"


@pytest.fixture
def nasty(outputs: Path, three: list[str]) -> list[str]:
    for place, run_id in enumerate(three):
        config = outputs / run_id / "config.yaml"
        text = config.read_text(encoding="utf-8")
        config.write_text(f"{text}'=key|': {json.dumps(NASTY + str(place))}\nlow: {-place}\n", encoding="utf-8")
    return three


def test_csv_holds_no_formula_and_no_control_character_and_reads_back(outputs: Path, nasty: list[str]) -> None:
    text = comparison.as_csv(asked(outputs, *nasty))
    header, *lines = list(csv.reader(io.StringIO(text)))
    assert header[0] == "run_id"
    assert "'=key|" in header
    assert all(line[header.index("'=key|")].startswith("'=1+1|<b>") for line in lines)
    assert {line[header.index("low")] for line in lines} == {"0", "-1", "-2"}  # a number stays one
    assert [float(line[header.index("val_accuracy")]) for line in lines] == sorted(VALS, reverse=True)
    assert "\x1b" not in text


def test_markdown_keeps_its_columns_whatever_a_setting_holds(outputs: Path, nasty: list[str]) -> None:
    text = comparison.as_markdown(asked(outputs, *nasty))
    assert "\x1b" not in text
    assert "<b>" not in text
    bars = {line.replace("\\|", "").count("|") for line in text.splitlines()}
    assert len(bars) == 1


def shown(found: Comparison, width: int, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """What a terminal of ``width`` columns shows on stdout and stderr."""
    streams = []
    for name in ("results", "errors"):
        made_ = screen.Screen(stderr=name == "errors")
        made_.console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, soft_wrap=True)
        streams.append(made_)
        monkeypatch.setattr(comparison_table, name, lambda stream=made_: stream)
    comparison_table.print_comparison(found)
    out, err = (stream.console.file.getvalue() for stream in streams)  # type: ignore[attr-defined]
    return out, err


@pytest.mark.parametrize("width", [60, 80, 120, 300])
def test_a_table_is_no_wider_than_the_terminal_and_says_what_it_left_out(
    outputs: Path, nasty: list[str], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = made(
        outputs, "digits-cnn-20260101-000058-0058", "train.batch_size=7", "model.kind=numpy-mlp", "train.epochs=9"
    )
    out, err = shown(asked(outputs, *nasty, other), width, monkeypatch)
    lines = out.splitlines()
    assert len(lines) == 5
    assert max(map(cell_len, lines)) <= width
    assert "\x1b" not in out
    assert "val acc ↓" in lines[0]
    assert all(run_id in out for run_id in nasty)
    assert ("no room for" in err) is (width < 300)
    assert ("train loss" in lines[0]) is (width == 300)


def test_settings_are_short_in_the_terminal_and_whole_elsewhere(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [{"kind": "dense", "units": 16}] * 3
    runs = ids(2, "gmm-networks")
    for run_id, some in zip(runs, (layers, []), strict=True):
        made(outputs, run_id, f"model.layers={json.dumps(some)}", name="gmm-networks")
    found = asked(outputs, *runs)
    out, _ = shown(found, 160, monkeypatch)
    assert "dense 16 ×3" in out
    assert json.dumps(layers) in comparison.as_markdown(found)
    assert next(csv.DictReader(io.StringIO(comparison.as_csv(found))))["model.layers"] == json.dumps(layers)


def test_the_program_prints_each_format_alone_on_stdout(outputs: Path, three: list[str]) -> None:
    place = {"MLHW_OUTPUTS": str(outputs)}
    record = mlhw("compare", *three, "--json", **place).json
    assert set(record) == {"columns", "rows", "same", "sorted_by", "folded", "notes"}
    assert record["rows"][0]["config"] == {"train.lr": 0.01}
    assert mlhw("compare", *three, "--csv", **place).out.startswith("run_id,train.lr,")
    assert mlhw("compare", *three, "--md", **place).out.startswith("| run | train.lr |")
    assert mlhw("compare", *three, "--md", "--csv", **place).code == 2
    assert mlhw("compare", "--sort", "val_loss", "nosuch", **place).code == 5
    assert mlhw("compare", **place).code == 2


def test_nothing_heavy_is_loaded(outputs: Path, three: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLHW_OUTPUTS", str(outputs))
    code = (
        "import sys\nfrom mlhw.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([n for n in ('torch', 'numpy', 'pandas', 'matplotlib', 'sklearn') if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, "compare", *three], capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"
    assert store.RUN_ID.fullmatch(done.stdout.splitlines()[1].split()[0])
