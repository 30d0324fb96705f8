"""`mlhw sweep` as a user runs it: variants, seeds, what is done already, what fails."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import mlhw

YAML = """
name: tiny
data: {kind: digits, split_rows: 100, val_fraction: 0.2}
model: {kind: numpy-resnet}
train: {epochs: 2, batch_size: 20, lr: 0.01}
sweep:
  variants:
    linear: {}
    deeper: {model.layers: [{kind: dense, units: 8}]}
    wild: {train.lr: 1e9, model.loss: least-squares, model.dtype: float32}
"""


def test_variants_and_seeds_are_compared_and_one_that_fails_does_not_end_the_rest(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(YAML)
    first = mlhw("sweep", "tiny.yaml", "--seeds", "2", "--json", cwd=tmp_path)
    assert first.code == 4, first.err
    found = first.json
    assert [(t["variant"], t["repeat"]) for t in found["trials"]] == [
        (v, r) for r in (0, 1) for v in ("linear", "deeper", "wild")
    ]
    assert [t["status"] for t in found["trials"]] == ["done", "done", "failed"] * 2
    assert found["spreads"]["linear"]["val_accuracy"]["n"] == 2
    assert found["spreads"]["wild"] == {}
    folder = Path(found["path"])
    assert sorted(path.name for path in folder.iterdir()) == ["plots", "sweep.csv", "sweep.yaml"]
    assert {Path(file).name for file in found["files"]} == {"curves.png", "curves.svg", "accuracy.png", "accuracy.svg"}
    members = [folder.parents[1] / t["run_id"] for t in found["trials"] if t["status"] == "done"]
    assert all((member / "summary.json").is_file() and not any((member / "plots").iterdir()) for member in members)

    again = mlhw("sweep", "tiny.yaml", "--seeds", "2", "--json", "-s", "train.epochs=2", cwd=tmp_path)
    ids = [[t["run_id"] for t in result["trials"] if t["status"] == "done"] for result in (found, again.json)]
    assert ids[0] == ids[1]  # what is done is not done again
    assert again.err.count("already done") == 4


def test_a_variant_that_is_no_experiment_is_named_before_anything_is_trained(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(YAML.replace("train.lr", "train.rate"))
    result = mlhw("sweep", "tiny.yaml", cwd=tmp_path)
    assert result.code == 2
    assert "sweep.variants.wild" in result.err
    assert "train.rate" in result.err
    assert not (tmp_path / "outputs").exists()
