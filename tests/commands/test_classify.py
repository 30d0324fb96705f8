"""`pretrained classify`: the probabilities that torchvision gives by hand, and what a run of it leaves behind."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
import torchvision
from PIL import Image
from torchvision.transforms import functional as transforms

from mlhw.datasets.names import name_from_csv
from mlhw.errors import DataError, DataMissing
from mlhw.runs.store import Run
from tests.commands.classify_made import table
from tests.commands.pictures_made import OTHER, SMALL, draw_pictures, run
from tests.models.zoo_made import by_hand, saved

SHARED = Path(os.environ.get("MLHW_DATA") or "data").resolve().parent  # weights and pictures may lie beside the data


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
