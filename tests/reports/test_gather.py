"""What a report says of runs: the numbers of their files, and no more than they can bear."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlhw.commands.report import browser, classes, curves, recipe, tables, verdict
from mlhw.commands.report.report import report
from mlhw.commands.report.sources import Sources, gather
from mlhw.commands.settings import from_environment
from mlhw.config.load import load, load_file
from mlhw.errors import ConfigError, OutputError, RunError
from mlhw.protocols import EpochRow
from mlhw.runs.signature import signature
from tests.reports import made


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


def sources(*names: str) -> Sources:
    return gather(from_environment(), names)[0]


def quiet(what: str, done: int, total: int) -> None: ...


def written(*names: str, **how: Any) -> dict[str, Any]:
    return report(from_environment(), names, how.get("folder"), how.get("pdf", False), quiet)


def test_a_report_lies_with_what_it_is_of(outputs: Path) -> None:
    made.five(outputs)
    members = made.ids(5)
    alone, two, sweep = written(members[0]), written(*members[:2]), written("latest-sweep")
    assert alone["path"] == str(outputs / members[0] / "report.html")
    assert Path(two["path"]).parent.parent == outputs / "reports"
    assert two["path"] != written(*members[1:3])["path"]
    assert sweep["path"] == str(outputs / "sweeps" / "digits-cnn-20260102-000000-abcd" / "report.html")
    assert sweep["runs"] == members
    assert {"verdict", "curves", "results", "runs", "classes", "confusion", "layers", "config"} <= set(
        sweep["sections"]
    )
    assert sweep["bytes"] == Path(sweep["path"]).stat().st_size


def test_five_seeds_are_one_setting_with_mean_deviation_and_n(outputs: Path) -> None:
    made.five(outputs)
    found = sources("latest-sweep")
    (setting,) = found.settings
    values = [member.row.measures["val_accuracy"] for member in setting.members]
    assert setting.row.n == 5
    assert setting.mean("val_accuracy") == pytest.approx(np.mean(values))
    assert setting.deviation("val_accuracy") == pytest.approx(np.std(values, ddof=1))
    table = tables.results(found)
    assert [row[0] for row in table.rows] == ["train", "val", "test"]
    assert all(row[3] == "5" and "±" in row[1] for row in table.rows)
    (line,) = curves.lines(found)
    assert len(line.runs) == 5
    (dots,), split = tables.dots(found)
    assert split == "val"
    assert list(dots.values) == values


def test_dots_that_coincide_lie_in_lanes_of_their_own() -> None:
    lanes = tables._lanes([0.5, 0.9, 0.5, 0.5, 0.1], [0.1, 0.9])
    assert sorted(lanes[place] for place in (0, 2, 3)) == [-1, 0, 1]
    assert (lanes[1], lanes[4]) == (0, 0)


def test_settings_are_ranked_on_val_and_never_on_test(outputs: Path) -> None:
    members = made.ids(2)
    made.run(outputs, members[0], "train.lr=0.1", val_accuracy=0.9, test_accuracy=0.99)
    made.run(outputs, members[1], "train.lr=0.2", val_accuracy=0.95, test_accuracy=0.5)
    found = sources(*members)
    assert found.best().label == "lr 0.2"
    assert "Best on val: lr 0.2" in verdict.findings(found)[0].text.replace("\N{NO-BREAK SPACE}", " ")
    assert tables.results(found).rows[0][0] == "lr 0.2"


def test_without_val_no_setting_is_called_best(outputs: Path) -> None:
    for place, run_id in enumerate(made.ids(2)):
        rows = [row for row in made.epochs(4, place) if row.split != "val"]
        made.run(outputs, run_id, f"train.lr=0.{place + 1}", rows=rows, test_accuracy=0.5 + place / 10)
    found = sources(*made.ids(2))
    assert "none is called best" in verdict.findings(found)[0].text
    assert [row[0] for row in tables.results(found).rows] == ["lr 0.1", "lr 0.2"]


@pytest.mark.parametrize(("accuracy", "sign", "word"), [(0.99, "good", "held"), (0.5, "bad", "fell short")])
def test_what_was_expected_is_said_with_what_came(outputs: Path, accuracy: float, sign: str, word: str) -> None:
    made.run(outputs, *made.ids(1), test_accuracy=accuracy)
    found = [each for each in verdict.findings(sources("latest")) if "Expected test accuracy" in each.text]
    assert [each.sign for each in found] == [sign]
    assert word in found[0].text


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_a_run_that_is_not_done_says_so_first(outputs: Path, status: str) -> None:
    made.run(outputs, *made.ids(1), status=status)
    first = verdict.findings(sources("latest"))[0]
    assert first.sign == "bad"
    assert f"{status} after epoch 6 of 150" in first.text
    assert ("the loss became nan" in first.text) == (status == "failed")
    assert written("latest")["left_out"]


def test_a_sweep_with_a_failed_run_reports_the_others(outputs: Path) -> None:
    made.five(outputs)
    lost = outputs / made.ids(5)[2]
    (lost / "summary.json").unlink()
    (lost / "metrics.csv").write_text("epoch,split,loss,accuracy,lr,seconds\n", encoding="utf-8")
    found = written("latest-sweep")
    assert len(found["runs"]) == 4
    assert any(made.ids(5)[2] in note for note in found["left_out"])
    assert "1 of 5 runs are not done" in verdict.findings(sources("latest-sweep"))[0].text


def test_losses_that_are_not_finite_are_gaps(outputs: Path) -> None:
    rows = [
        *made.epochs(3, test=False),
        EpochRow(4, "train", math.nan, 0.1, 0.1, 0.1),
        EpochRow(4, "val", math.inf, 0.1, 0.1, 0.1),
    ]
    made.run(outputs, *made.ids(1), rows=rows, status="failed")
    run = curves.lines(sources("latest"))[0].runs[0]
    assert run.splits["train"].loss[-1] is None
    assert run.splits["val"].loss[-1] is None
    written("latest")


def test_a_single_epoch_is_enough(outputs: Path) -> None:
    made.run(outputs, *made.ids(1), rows=made.epochs(1))
    assert "curves" in written("latest")["sections"]


def test_nothing_to_report_is_an_error_that_says_why(outputs: Path) -> None:
    made.run(outputs, *made.ids(1), rows=[], status="interrupted")
    with pytest.raises(RunError, match="has no finished epoch yet"):
        sources("latest")
    with pytest.raises(ConfigError, match="name a run or a sweep"):
        sources()
    with pytest.raises(RunError, match="no run and no sweep 'nonesuch'"):
        sources("nonesuch")


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("train.lr=0.5", "seed.init=3"),
        ("train.optimizer=sgd", "train.optimizer.momentum=0.5"),
        ("train.schedule.kind=constant", "model.channels=[4, 8]"),
        ("data.normalize=unit", "train.augment=null"),
    ],
)
def test_the_command_gives_the_same_config(outputs: Path, overrides: tuple[str, ...]) -> None:
    made.run(outputs, *made.ids(1), *overrides)
    member = sources("latest").members[0]
    found = recipe.recipe(member, several=False)
    assert found is not None
    words = recipe.shlex.split(found.command)
    assert words[:3] == ["mlhw", "train", "digits-cnn"]
    said = load("digits-cnn", [word for flag, word in zip(words[3::2], words[4::2], strict=True) if flag == "-s"])
    then = load_file(member.run.config_file)
    assert signature(said.model_dump(mode="json")) == signature(then.model_dump(mode="json"))
    assert found.proof.startswith("Checked")
    assert bool(found.differences) == bool(overrides)


def test_a_config_that_no_preset_gives_comes_with_its_file(outputs: Path) -> None:
    made.run(outputs, *made.ids(1))
    path = outputs / made.ids(1)[0] / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("name: digits-cnn\n", "name: mine\n"), encoding="utf-8")
    found = recipe.recipe(sources("latest").members[0], several=False)
    assert found is not None
    assert found.preset == ""
    assert f"mlhw train {found.file_name}" in found.command
    assert "name: mine" in found.yaml


def test_a_run_of_an_older_version_is_reported_without_what_needs_its_config(outputs: Path) -> None:
    made.run(outputs, *made.ids(1))
    path = outputs / made.ids(1)[0] / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "gone_since: 1\n", encoding="utf-8")
    found = written("latest")
    assert any(note.startswith("No table of layers") for note in found["left_out"])
    assert {"curves", "classes", "config"} <= set(found["sections"])


def test_the_worst_mistakes_are_those_that_most_runs_make(outputs: Path) -> None:
    made.five(outputs)
    setting, notes = sources("latest-sweep").best(), list[str]()
    found = classes.classes(setting, from_environment(), quiet, notes, False)
    assert found is not None
    assert found.rows == 5 * made.TEST_ROWS
    assert found.right == 5 * (made.TEST_ROWS - 40)
    order = [(each.wrong, each.probability) for each in found.mistakes]
    assert order == sorted(order, reverse=True)
    assert order[0][0] > 1
    assert "not the data that the run was tested on" in " ".join(notes)


def test_runs_that_were_tested_on_other_rows_are_not_added_up(outputs: Path) -> None:
    made.five(outputs)
    path = outputs / made.ids(5)[1] / "test_predictions.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:-1], ""]), encoding="utf-8")
    setting, notes = sources("latest-sweep").best(), list[str]()
    found = classes.classes(setting, from_environment(), quiet, notes, False)
    assert found is not None
    assert found.rows == made.TEST_ROWS
    assert "tested on different rows" in " ".join(notes)


def test_pictures_are_those_of_the_test_rows(outputs: Path) -> None:
    from mlhw.commands.assemble.splits import load_whole
    from mlhw.runs import predictions

    made.run(outputs, *made.ids(1))
    test = load_whole(load("digits-cnn"), from_environment(), quiet).test
    assert test is not None
    chances = np.full((len(test), 10), 0.01)
    said = np.asarray(test.targets).copy()
    said[17] = (said[17] + 1) % 10
    chances[np.arange(len(test)), said] = 0.9
    predictions.write(outputs / made.ids(1)[0] / "test_predictions.csv", np.asarray(test.targets), chances)
    found = classes.classes(sources("latest").best(), from_environment(), quiet, [], False)
    assert found is not None
    (mistake,) = found.mistakes
    assert (mistake.row, mistake.predicted, mistake.pixelated) == (17, str(said[17]), True)
    assert np.array_equal(_picture(mistake.picture), np.round(255 / 16 * np.asarray(test.inputs[17])[..., 0]))


def _picture(uri: str) -> np.ndarray:
    import base64
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_without_a_browser_the_page_is_written_and_the_message_says_so(
    outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.run(outputs, *made.ids(1))
    monkeypatch.setattr(browser, "find", lambda: None)
    with pytest.raises(OutputError, match=r"report\.html is written.*MLHW_BROWSER"):
        written("latest", pdf=True)
    assert (outputs / made.ids(1)[0] / "report.html").exists()


def test_a_browser_that_is_none_is_refused_before_any_work(outputs: Path) -> None:
    with pytest.raises(ConfigError, match="MLHW_BROWSER should name a Chromium, got 'nonesuch'"):
        browser.find({"MLHW_BROWSER": "nonesuch", "PATH": ""})
    assert browser.find({"PATH": ""}) is None or Path(str(browser.find({"PATH": ""}))).is_file()
