"""Experiments: strict, every fault at once and in its place, and what is printed can be read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlhw.config.find import available, find, shipped_folder
from mlhw.config.load import dump, is_pretrained, load, load_file, load_pretrained, load_pretrained_file, parse
from mlhw.config.pretrained import PretrainedExperiment
from mlhw.config.schema import Experiment
from mlhw.errors import ConfigError

GOOD = b"""
name: x
data: {kind: digits}
model: {kind: numpy-mlp}
train: {epochs: 3, batch_size: 10, lr: 0.1}
"""


PRETRAINED = [name for name, path in sorted(available().items()) if is_pretrained(path)]
TRAININGS = sorted(set(available()) - set(PRETRAINED))


def refused(data: bytes, overrides: list[str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(data, "f.yaml", overrides or [])
    return str(caught.value)


@pytest.mark.parametrize("name", TRAININGS)
def test_every_shipped_training_is_valid_and_prints_itself(name: str) -> None:
    experiment = load(name)
    assert experiment.name == name
    assert parse(dump(experiment).encode(), "printed") == experiment
    with pytest.raises(ConfigError, match="mlhw train"):
        load_pretrained(name)


@pytest.mark.parametrize("name", PRETRAINED)
def test_every_shipped_experiment_with_pretrained_networks_is_valid_and_prints_itself(
    name: str, tmp_path: Path
) -> None:
    experiment = load_pretrained(name)
    assert experiment.name == name
    (tmp_path / "printed.yaml").write_text(dump(experiment), encoding="utf-8")
    assert load_pretrained_file(tmp_path / "printed.yaml") == experiment
    with pytest.raises(ConfigError, match="mlhw pretrained"):
        load(name)


@pytest.mark.parametrize("name", sorted(available()))
def test_every_shipped_experiment_opens_with_its_claim(name: str) -> None:
    text = (shipped_folder() / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# ")
    experiment: Experiment | PretrainedExperiment
    if name in PRETRAINED:
        assert "mlhw pretrained" in text
        experiment = load_pretrained(name)
    else:
        assert f"mlhw train {name}" in text
        experiment = load(name)
    assert experiment.description
    assert experiment.source
    assert experiment.result


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("lr: 0.1", "lrr: 0.1", ["f.yaml:5", "'train.lrr'", "Did you mean train.lr?", "'train.lr' is missing"]),
        ("lr: 0.1", "lr: -0.1", ["'train.lr'", "greater than 0", "got -0.1"]),
        ("lr: 0.1", "lr: fast", ["'train.lr'", "number", "'fast'"]),
        ("lr: 0.1", "lr: .nan", ["'train.lr'"]),
        ("lr: 0.1", "lr: .inf", ["'train.lr'"]),
        ("epochs: 3", "epochs: '3'", ["'train.epochs'", "integer", "'3'"]),
        ("epochs: 3", "epochs: true", ["'train.epochs'", "got True"]),
        ("epochs: 3", "epochs: 1" + "0" * 300, ["'train.epochs'"]),
        ("kind: digits", "kind: digitz", ["f.yaml:3", "'data.kind'", "Did you mean digits?"]),
        ("kind: numpy-mlp", "hidden_sizes: [3]", ["'model.kind' is missing", "numpy-mlp"]),
        ("kind: numpy-mlp", "kind: numpy-mlp, dropout: 0.5", ["'model.dropout'", "unknown key"]),
        ("kind: numpy-mlp", "kind: numpy-mlp, hidden_sizes: [0]", ["'model.hidden_sizes.0'"]),
        ("name: x", "name: ../x", ["f.yaml:2", "'name'"]),
        ("{kind: numpy-mlp}", "null", ["'model'"]),
    ],
)
def test_a_fault_names_place_key_value_and_way_out(old: str, new: str, words: list[str]) -> None:
    message = refused(GOOD.replace(old.encode(), new.encode()))
    for word in words:
        assert word in message


def test_nested_keys_in_a_file_are_suggested_whole_and_those_of_the_chosen_kind_alone() -> None:
    nested = GOOD.replace(b"lr: 0.1", b"lr: 0.1, optimizer: {kind: adam, betta: 0.9}, augment: {rotat_degrees: 3}")
    message = refused(nested)
    assert "'train.optimizer.betta'. Did you mean train.optimizer.beta" in message
    assert "Did you mean train.augment.rotate_degrees" in message
    other = refused(GOOD.replace(b"lr: 0.1", b"lr: 0.1, optimizer: {kind: sgd, beta1: 0.9}"))
    assert "train.optimizer.beta1?" not in other


def test_all_faults_come_at_once() -> None:
    message = refused(
        b"name: x\ndata: {kind: digits}\nmodel: {kind: numpy-mlp}\ntrain: {epochs: -1, batch_size: 0, lr: 0}"
    )
    assert len(message.splitlines()) == 3


@pytest.mark.parametrize("data", [b"", b"# nothing\n", b"[]", b"3", b"- a"])
def test_what_is_no_mapping_is_refused(data: bytes) -> None:
    assert "f.yaml" in refused(data)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("train.lr", ["-s train.lr", "key=value"]),
        ("=3", ["key=value"]),
        ("train..lr=3", ["key=value"]),
        ("train.epocs=3", ["-s train.epocs=3", "Did you mean train.epochs?"]),
        ("train.epoch=3", ["unknown key 'train.epoch'. Did you mean train.epochs?"]),
        ("epochs=3", ["unknown key 'epochs'. Did you mean train.epochs?"]),
        ("epoch=3", ["unknown key 'epoch'. Did you mean train.epochs?"]),
        ("lr=3", ["Did you mean train.lr?"]),
        ("model.lr=3", ["unknown key 'model.lr'. Did you mean train.lr?"]),
        ("sead.init=3", ["unknown key 'sead'. Did you mean seed"]),
        ("train.augment.flop=true", ["unknown key 'train.augment.flop'. Did you mean train.augment.flip?"]),
        ("train.optimizer.momentun=0.5", ["unknown key 'train.optimizer.momentun'. Did you mean train.optimizer.mom"]),
        ("expect.seconds_ratio.qqq=1", ["Known in 'expect.seconds_ratio': limit, to."]),
        ("x.y=1", ["-s x.y=1", "unknown key 'x'"]),
        ("train.lr.z=1", ["'train.lr' holds a value"]),
        ("train.lr=!!python/name:os.system", ["tag"]),
    ],
)
def test_an_override_is_held_to_the_same_rules(override: str, words: list[str]) -> None:
    message = refused(GOOD, [override])
    for word in words:
        assert word in message


def test_overrides_are_read_as_yaml_and_the_last_wins() -> None:
    found = parse(GOOD, "f", ["train.lr=1e-3", "train.lr=2", "model.hidden_sizes=[1, 2]", "train.augment.flip=true"])
    assert found.train.lr == 2
    assert found.model.hidden_sizes == (1, 2)  # type: ignore[union-attr]
    assert found.train.augment is not None
    assert found.train.augment.flip


def test_a_new_kind_brings_its_own_keys() -> None:
    found = parse(GOOD, "f", ["train.optimizer.kind=sgd", "train.optimizer.momentum=0.9", "train.optimizer=adam"])
    assert found.train.optimizer.kind == "adam"


@pytest.mark.parametrize(
    ("override", "kind"), [("train.optimizer=adam", "adam"), ("train.optimizer.momentum=0.9", "sgd")]
)
def test_an_optimizer_can_be_set_where_the_yaml_has_none(override: str, kind: str) -> None:
    assert parse(GOOD, "f", [override]).train.optimizer.kind == kind


def test_nesterov_without_momentum_is_refused() -> None:
    assert "needs momentum" in refused(GOOD, ["train.optimizer.nesterov=true"])


@pytest.mark.parametrize("key", ["mix_fraction", "mix_until_fraction"])
def test_how_much_to_mix_is_refused_where_nothing_is_mixed(key: str) -> None:
    asked = f"train.augment.{key}=0.5"
    assert "need mixup_alpha or cutmix_alpha" in refused(GOOD, [asked])
    assert parse(GOOD, "f", [asked, "train.augment.cutmix_alpha=1"]).train.augment is not None


def test_an_experiment_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse(GOOD, "f").train.epochs = 9  # type: ignore[misc]


def test_local_experiments_win_over_shipped_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "digits-cnn.yaml").write_bytes(GOOD)
    assert load("digits-cnn").name == "x"
    assert load_file(tmp_path / "experiments" / "digits-cnn.yaml").name == "x"


def test_an_unknown_experiment_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="digits-cnn"):
        find("digts-cnn")
    with pytest.raises(ConfigError, match=r"no experiment file missing\.yaml"):
        find("missing.yaml")


def test_shipped_experiments_do_not_depend_on_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(load("digits-cnn"), Experiment)


def test_a_key_that_is_called_as_its_kind_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("name: f\npretrained:\n  kind: filters\n  preprocess: none\n  filters: [-1]\n")
    with pytest.raises(ConfigError) as caught:
        load_pretrained_file(tmp_path / "f.yaml")
    lines = str(caught.value).splitlines()
    assert any(":4" in line and "'pretrained.preprocess'" in line for line in lines)
    assert any(":5" in line and "'pretrained.filters.0'" in line for line in lines)
