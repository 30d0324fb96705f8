"""`mlhw pretrained classify`: the numbers are torchvision's, each picture keeps its own, and no interruption loses a row."""

from __future__ import annotations

import csv
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torchvision.transforms import functional as transforms

from mlhw.commands.display import Silent
from mlhw.commands.pretrained import pipeline
from mlhw.commands.pretrained.asking import resolve
from mlhw.commands.pretrained.pipeline import Lanes, Outcome, outcomes, share
from mlhw.commands.pretrained.work import start
from mlhw.commands.resume import resume
from mlhw.commands.settings import from_environment
from mlhw.config.load import load_pretrained_file
from mlhw.datasets.names import name_from_csv
from mlhw.datasets.pictures import BadImage, Found
from mlhw.errors import ConfigError, DataError, DataMissing, Interrupted, MlhwError
from mlhw.models import zoo
from mlhw.models.zoo import Network
from mlhw.runs import classified
from mlhw.runs.store import Run
from tests.cli.program import mlhw
from tests.commands.pictures_made import OTHER, SMALL, draw_pictures, run
from tests.datasets.hostile import KINDS, make_hostile
from tests.models.zoo_made import by_hand, saved

HEADER = ["file", "status", "rank", "class_index", "class_name", "probability", "reason"]
SHARED = Path(os.environ.get("MLHW_DATA") or "data").resolve().parent  # weights and pictures may lie beside the data


def table(found: Run, name: str = "predictions.csv") -> list[dict[str, str]]:
    with (found.path / name).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        assert reader.fieldnames == HEADER
    return rows


# -- the numbers ---------------------------------------------------------------------------------------------------------


def probabilities_by_hand(module: torch.nn.Module, path: Path, how: str, name: str) -> torch.Tensor:
    image = Image.open(path).convert("RGB")
    if how == "course":
        tensor = transforms.to_tensor(transforms.resize(image, [224, 224]))
        batch = transforms.normalize(tensor, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    else:
        batch = torchvision.models.get_model_weights(name).DEFAULT.transforms()(image)
    with torch.inference_mode():
        return module(batch[None]).softmax(dim=1)[0]


def assert_as_by_hand(found: Run, module: torch.nn.Module, paths: Sequence[Path], how: str, name: str) -> None:
    rows = table(found)
    assert len(rows) == 5 * len(paths)
    for place, path in enumerate(paths):
        expected = probabilities_by_hand(module, path, how, name)
        mine = rows[5 * place : 5 * place + 5]
        assert [row["rank"] for row in mine] == list("12345")
        assert {row["file"] for row in mine} == {str(path)}
        for row, best in zip(mine, expected.topk(5).values.tolist(), strict=True):
            assert float(row["probability"]) == pytest.approx(expected[int(row["class_index"])].item(), abs=1e-5)
            assert float(row["probability"]) == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("how", ["course", "torchvision"])
def test_probabilities_are_those_of_torchvision_called_by_hand(how: str, small_weights: Path, tmp_path: Path) -> None:
    paths = draw_pictures(tmp_path / "pictures", 3)
    found, _ = run("classify", paths, [str(small_weights)], models=[SMALL], preprocess=how)
    module = torchvision.models.get_model(SMALL, weights=None).eval()
    module.load_state_dict(torch.load(small_weights, weights_only=True))
    assert_as_by_hand(found, module, paths, how, SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("folding", [False, True])
@pytest.mark.parametrize("name", ["alexnet", "vgg16", "resnet18"])
def test_so_are_those_of_the_course_s_networks(
    name: str, folding: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlhw.commands.pretrained.work.FOLD_FROM", 0 if folding else 10**6)
    module, paths = by_hand(name), draw_pictures(tmp_path / "pictures", 3)
    found, _ = run("classify", paths, [str(saved(module, tmp_path / "weights.pth"))], models=[name])
    assert_as_by_hand(found, module, paths, "course", name)


@pytest.mark.skipif(not (SHARED / "images").is_dir(), reason="needs the shared pictures and weights")
def test_real_weights_see_what_the_pictures_show() -> None:
    weights = SHARED / "weights" / "squeezenet1_0-deepcompression.pth"
    found, _ = run("classify", [SHARED / "images"], [str(weights)], models=["squeezenet1_0"])
    seen: dict[str, list[str]] = {}
    for row in table(found):
        seen.setdefault(Path(row["file"]).stem, []).append(row["class_name"])
    names = {"cabbage": "head cabbage", "granny-smith": "Granny Smith", "green-bell-pepper": "bell pepper"}
    known = [stem for stem in seen if stem not in ("carrots", "watermelon")]
    assert len(known) == 11
    assert [stem for stem in known if names.get(stem, stem) not in seen[stem]] == []


# -- whose numbers they are ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return zoo.load(SMALL, weights=saved(by_hand(SMALL), tmp_path_factory.mktemp("own") / "small.pth"))


def said(outcome: Outcome) -> np.ndarray:
    """All probabilities by index, which tell pictures apart even where an untrained network names the same class."""
    (prediction,) = outcome.predictions
    numbers = np.zeros(1000)
    numbers[list(prediction.indices)] = prediction.probabilities
    return numbers


@pytest.mark.parametrize("lanes", [Lanes(1, 1, 1, 1), Lanes(2, 1, 3, 4), Lanes(3, 1, 7, 2)])
def test_no_picture_gets_another_s_prediction(lanes: Lanes, network: Network, tmp_path: Path) -> None:
    """Whatever the batches are, whichever picture is decoded first, and wherever a bad one stands."""
    paths = draw_pictures(tmp_path, 17)
    pictures = [Found(path, path.name) for path in paths]
    single = Lanes(1, 1, 1, 1)
    alone = [said(each) for (each,) in outcomes(pictures, [network], "course", 1000, single)]
    apart = min(float(np.abs(one - other).max()) for one, other in combinations(alone, 2))
    assert apart > 1e-4
    order = np.random.default_rng(3).permutation(17).tolist()
    bad = {order[0], order[5], order[6], order[16]}
    waits = dict(zip(order, np.random.default_rng(4).uniform(0, 0.01, 17).tolist(), strict=True))

    def opened(found: Found, need: Callable[[int], None]) -> Image.Image:
        number = paths.index(found.path)
        time.sleep(waits[number])
        if number in bad:
            raise BadImage("cut off")
        return Image.open(found.path).convert("RGB")

    shuffled = [pictures[number] for number in order]
    got = [each for batch in outcomes(shuffled, [network], "course", 1000, lanes, opened) for each in batch]
    assert [each.picture for each in got] == shuffled
    assert [each.reason for each in got] == ["cut off" if number in bad else "" for number in order]
    for number, each in zip(order, got, strict=True):
        if number not in bad:
            np.testing.assert_allclose(said(each), alone[number], rtol=0, atol=1e-6)


def test_few_pictures_are_open_at_a_time(network: Network, tmp_path: Path) -> None:
    """Ten thousand pictures take no more memory than a few batches: nothing runs ahead of what is asked for."""
    (path,) = draw_pictures(tmp_path, 1)
    started, lock = [0], threading.Lock()

    def opened(found: Found, need: Callable[[int], None]) -> Image.Image:
        with lock:
            started[0] += 1
        return Image.open(found.path).convert("RGB")

    lanes = Lanes(2, 1, 2, 2)
    running = outcomes([Found(path, "x")] * 1000, [network], "course", 1, lanes, opened)
    done = 0
    for _ in range(5):
        done += len(next(running))
        time.sleep(0.02)
        assert started[0] - done <= (2 * lanes.lanes + 1) * lanes.rows
    running.close()
    assert threading.active_count() < 20
    after = started[0]
    time.sleep(0.02)
    assert started[0] == after < 50


@pytest.mark.parametrize("threads", [1, 2, 3, 16, 64])
@pytest.mark.parametrize("batch_size", [1, 7, 32, 4096])
def test_threads_are_shared_out_within_what_there_is(threads: int, batch_size: int) -> None:
    lanes = share(threads, batch_size, "cpu")
    assert lanes.lanes * lanes.threads <= threads
    assert lanes.lanes * lanes.rows <= max(batch_size, lanes.rows)
    assert 1 <= lanes.rows <= batch_size
    assert share(threads, batch_size, "cuda").rows == batch_size


def test_the_number_of_threads_is_left_as_found(network: Network, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    (path,) = draw_pictures(tmp_path, 1)
    list(outcomes([Found(path, "x")], [network], "course", 1, Lanes(2, 1, 2, 2)))
    assert torch.get_num_threads() == before


def test_a_decoder_s_surprise_is_that_picture_s_reason_alone(network: Network, tmp_path: Path) -> None:
    good, bad = draw_pictures(tmp_path, 2)

    def opened(found: Found, need: Callable[[int], None]) -> Image.Image:
        if found.path == bad:
            raise RecursionError("far too deep")
        return Image.open(found.path).convert("RGB")

    pictures = [Found(bad, "bad"), Found(good, "good"), Found(good, "hidden", "a folder, not a file")]
    ((first, second, third),) = outcomes(pictures, [network], "course", 1, Lanes(1, 1, 8, 1), opened)
    assert "RecursionError: far too deep" in first.reason
    assert second.predictions
    assert third.reason == "a folder, not a file"


# -- what is on the disk -------------------------------------------------------------------------------------------------


def test_a_run_has_its_rows_its_json_its_sheet_and_its_counts(small_weights: Path, tmp_path: Path) -> None:
    good = draw_pictures(tmp_path / "pictures", 2)
    (tmp_path / "pictures" / "broken, they say.jpg").write_bytes(b"\xff\xd8\xff")
    found, summary = run("classify", [tmp_path / "pictures"], [str(small_weights)], models=[SMALL], top=2)
    assert summary["pictures"] == {"found": 3, "classified": 2, "skipped": 1}
    assert [row["status"] for row in table(found)] == ["skipped", "ok", "ok", "ok", "ok"]
    assert table(found)[0]["file"].endswith("broken, they say.jpg")
    assert "cut off" in table(found)[0]["reason"]
    record = json.loads((found.path / "predictions.json").read_text(encoding="utf-8"))
    assert [each["status"] for each in record["predictions"]] == ["skipped", "ok", "ok"]
    assert [each["rank"] for each in record["predictions"][1]["predictions"][SMALL]] == [1, 2]
    assert record["predictions"][1]["path"] == str(good[0])
    with Image.open(found.plots / "grid.png") as sheet:
        assert sheet.width > 600
    assert found.status() == "done"
    assert summary["skipped"][0]["reason"] == table(found)[0]["reason"]


def test_several_networks_have_a_table_each_and_the_first_also_the_usual_name(
    small_weights: Path, other_weights: Path, tmp_path: Path
) -> None:
    draw_pictures(tmp_path / "pictures", 2)
    weights = [f"{SMALL}={small_weights}", f"{OTHER}={other_weights}"]
    found, _ = run("classify", [tmp_path / "pictures"], weights, models=[SMALL, OTHER])
    assert table(found) == table(found, f"predictions-{SMALL}.csv")
    assert table(found) != table(found, f"predictions-{OTHER}.csv")
    assert {path.name for path in found.plots.iterdir()} == {f"grid-{SMALL}.png", f"grid-{OTHER}.png"}
    single, _ = run("classify", [tmp_path / "pictures"], [str(other_weights)], models=[OTHER])
    ours, alone = table(found, f"predictions-{OTHER}.csv"), table(single)
    assert [row["class_index"] for row in ours] == [row["class_index"] for row in alone]


@pytest.mark.skipif(os.name != "posix", reason="file names of bytes")
def test_names_come_back_from_the_table_byte_by_byte(small_weights: Path, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "pictures")
    (source,) = draw_pictures(tmp_path / "pictures", 1)
    names = [b'a, "b"\n.png', b"caf\xe9 \xff.png", "naïve 🍋.png".encode(), b"=1+2.png", b"\\x41.png", b" .png "]
    for name in names:
        Path(os.fsdecode(os.path.join(folder, name))).write_bytes(source.read_bytes())  # noqa: PTH118
    found, _ = run("classify", [tmp_path / "pictures"], [str(small_weights)], models=[SMALL], top=1)
    listed = {os.path.basename(os.fsencode(name_from_csv(row["file"]))) for row in table(found)}  # noqa: PTH119
    assert listed == {*names, source.name.encode()}


def test_nothing_is_left_behind_where_nothing_could_begin(small_weights: Path, tmp_path: Path) -> None:
    draw_pictures(tmp_path / "pictures", 1)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataMissing, match="no pictures"):
        run("classify", [tmp_path / "empty"], [str(small_weights)], models=[SMALL])
    with pytest.raises(DataError, match="does not fit"):
        run("classify", [tmp_path / "pictures"], [str(small_weights)], models=[OTHER])
    assert not (tmp_path / "outputs").exists()


def test_strict_stops_at_the_first_bad_picture_and_keeps_what_came_before(small_weights: Path, tmp_path: Path) -> None:
    paths = draw_pictures(tmp_path / "pictures", 4)
    paths[2].write_bytes(b"")
    with pytest.raises(MlhwError, match=r"picture 002\.png: .*empty") as caught:
        run("classify", [tmp_path / "pictures"], [str(small_weights)], models=[SMALL], strict=True, top=1)
    assert caught.value.exit_code == 1
    (folder,) = (tmp_path / "outputs").iterdir()
    assert Run(folder).status() == "failed"
    assert [row["rank"] for row in table(Run(folder))] == ["1", "1"]


# -- interrupted, and gone on with ---------------------------------------------------------------------------------------


class Impatient(Silent):
    """Presses Ctrl+C after so many batches."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def progress(self, what: str, done: int, total: int) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_an_interrupted_run_goes_on_where_it_was(
    small_weights: Path, other_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = draw_pictures(tmp_path / "pictures", 20)
    paths[9].write_bytes(b"no picture")
    weights = [f"{SMALL}={small_weights}", f"{OTHER}={other_weights}"]
    whole, _ = run("classify", [tmp_path / "pictures"], weights, models=[SMALL, OTHER])
    asked = resolve(
        "classify",
        None,
        paths=[str(tmp_path / "pictures")],
        weights=weights,
        flags={"pretrained.models": [SMALL, OTHER]},
    )
    settings = from_environment(os.environ)
    with pytest.raises(Interrupted, match=r"after 8 of 20 pictures.*mlhw resume"):
        start(asked, [], settings, Impatient(1))
    (part,) = set(settings.outputs.iterdir()) - {whole.path}
    assert Run(part).status() == "interrupted"
    assert len(table(Run(part))) == 8 * 5
    torn = part / f"predictions-{OTHER}.csv"  # killed between two files
    torn.write_bytes(torn.read_bytes()[:-7])
    (tmp_path / "pictures" / "picture 000 of later.png").write_bytes(paths[0].read_bytes())  # not of this run
    monkeypatch.chdir(tmp_path)
    opened: list[Path] = []
    real = pipeline.open_picture
    monkeypatch.setattr(pipeline, "open_picture", lambda path, need: opened.append(path) or real(path, need))
    _, summary, worked = resume(part.name, settings, Silent())
    assert worked
    assert sorted(set(opened)) == paths[7:]
    assert summary["pictures"] == {"found": 20, "classified": 19, "skipped": 1}
    for name in ("predictions.csv", f"predictions-{SMALL}.csv", f"predictions-{OTHER}.csv"):
        assert rounded(table(Run(part), name)) == rounded(table(whole, name))
    assert resume(part.name, settings, Silent())[2] is False


def rounded(rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    return [row | {"probability": row["probability"] and round(float(row["probability"]), 5)} for row in rows]


@pytest.mark.parametrize("left", [0, 3, 55, 56, 60, 180, 181, 400, -40, -1])
def test_wherever_the_table_was_torn_a_resume_makes_it_whole(left: int, small_weights: Path, tmp_path: Path) -> None:
    paths = draw_pictures(tmp_path / "pictures", 5)
    paths[1].write_bytes(b"no picture")
    found, _ = run("classify", [tmp_path / "pictures"], [str(small_weights)], models=[SMALL], top=3)
    file = found.path / "predictions.csv"
    whole = file.read_bytes()
    file.write_bytes(whole[:left])
    found.summary_file.unlink()
    resume(found.id, from_environment(os.environ), Silent())
    expected, got = whole.decode().splitlines(), file.read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[:5] for line in got] == [line.split(",")[:5] for line in expected]


# -- the file of predictions ---------------------------------------------------------------------------------------------


def test_a_table_that_was_tampered_with_is_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    head = ",".join(HEADER) + "\n"
    for text, line in [
        ("file\n", 1),
        (head + "x,ok,2,1,a,0.5,\n", 2),
        (head + "x,ok,1,1,a,0.5,\ny,ok,2,1,a,0.5,\n", 3),
    ]:
        path.write_text(text, encoding="utf-8")
        with pytest.raises(MlhwError, match=rf"predictions\.csv:{line}: should be"):
            classified.read(path)


# -- what is asked -------------------------------------------------------------------------------------------------------


def test_flags_win_over_overrides_and_those_over_the_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = resolve(
        "classify",
        "pretrained-vgg16",
        ["pretrained.top=3", "pretrained.batch_size=4"],
        paths=["a b"],
        weights=["w=1.pth"],
        flags={"pretrained.top": 7, "pretrained.strict": None},
    )
    asked = found.pretrained
    assert (asked.models, asked.top, asked.batch_size, asked.strict) == (("vgg16",), 7, 4, False)  # type: ignore[union-attr]
    assert asked.weights == {"vgg16": str(tmp_path / "w=1.pth")}
    assert found.paths == (str(tmp_path / "a b"),)


@pytest.mark.parametrize(
    ("models", "name"),
    [
        (None, "pretrained-resnet18"),
        (["alexnet"], "pretrained-alexnet"),
        (["efficientnet_b0"], "pretrained-efficientnet-b0"),
        (["vgg16", "alexnet"], "pretrained-classify"),
    ],
)
def test_a_run_is_named_after_its_network(models: list[str] | None, name: str) -> None:
    found = resolve("classify", flags={"pretrained.models": models})
    assert found.name == name
    assert ("ResNet18" in found.description) == (models is None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["x.pth"], ["for which of vgg16, alexnet", "--weights vgg16=FILE"]),
        (["vg16=x.pth"], ["Did you mean vgg16?"]),
        (["vgg16=x.pth", "vgg16=y.pth"], ["vgg16 is given twice"]),
    ],
)
def test_weights_are_for_a_network_that_is_named(given: list[str], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve("classify", weights=given, flags={"pretrained.models": ["vgg16", "alexnet"]})
    for word in words:
        assert word in str(caught.value)


def test_an_experiment_of_another_command_is_refused() -> None:
    with pytest.raises(ConfigError, match="`mlhw pretrained filters`"):
        resolve("classify", "pretrained-filters")
    with pytest.raises(ConfigError, match=r"weights for vgg16, but the models are alexnet"):
        resolve("classify", "pretrained-alexnet", ["pretrained.weights.vgg16=x.pth"])


def test_a_run_s_config_is_an_experiment_and_says_all(small_weights: Path, tmp_path: Path) -> None:
    draw_pictures(tmp_path / "pictures", 1)
    found, _ = run("classify", [tmp_path / "pictures"], [str(small_weights)], models=[SMALL])
    experiment = load_pretrained_file(found.config_file)
    assert experiment.paths == (str(tmp_path / "pictures"),)
    assert experiment.pretrained.weights == {SMALL: str(small_weights)}


# -- whatever a disk may hold --------------------------------------------------------------------------------------------


def check_hostile(found: Run, expected: dict[Path, str | None], good: Sequence[Path]) -> None:
    """Each good picture has its rows, each hostile file its reason, or rows where it is a picture after all."""
    by_file = {classed.file: classed for classed in classified.read(found.path / "predictions.csv")[0]}
    assert by_file.keys() == {str(path) for path in [*expected, *good]}
    for path in good:
        assert len(by_file[str(path)].ranks) == 5
    for path, reason in expected.items():
        classed = by_file[str(path)]
        assert bool(classed.ranks) == (reason is None), (path, classed.reason)
        if reason is not None:
            assert reason in classed.reason
            assert classed.reason


@pytest.mark.skipif(os.name != "posix", reason="hostile as only POSIX can be")
def test_hostile_files_are_rows_or_reasons_and_good_ones_unharmed(small_weights: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    expected = make_hostile(folder, len(KINDS), np.random.default_rng(0))
    good = draw_pictures(folder, 5)
    found, summary = run("classify", [folder], [str(small_weights)], models=[SMALL])
    check_hostile(found, expected, good)
    assert summary["pictures"]["found"] == len(expected) + 5
    assert summary["pictures"]["classified"] == 5 + sum(reason is None for reason in expected.values())


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="hostile as only POSIX can be")
def test_three_hundred_hostile_files_and_fifty_good_ones_below_two_gigabytes(tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    expected = make_hostile(folder, 300, np.random.default_rng(0))
    good = draw_pictures(folder, 50)
    weights = saved(by_hand("resnet18"), tmp_path / "resnet18.pth")
    done = mlhw("pretrained", "classify", str(folder), "--weights", str(weights), "--json")
    assert done.code == 4, done.err
    found = Run(Path(done.json["path"]))
    check_hostile(found, expected, good)
    assert done.json["peak_memory_mb"] < 2000
