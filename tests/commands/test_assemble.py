"""Where names become objects: what does not fit together is said before anything is trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlhw.arrays import Scaling, Split
from mlhw.commands import assemble
from mlhw.commands.settings import from_environment
from mlhw.config.load import load
from mlhw.config.schema import Experiment
from mlhw.datasets.scaling import scaling, standard
from mlhw.errors import ConfigError
from tests import made


def job(name: str, *overrides: str) -> assemble.Job:
    return assemble.job(load(name, list(overrides)), from_environment(), lambda what, done, total: None)


def experiment(*overrides: str) -> Experiment:
    return load("digits-cnn", list(overrides))


@pytest.mark.parametrize("device", ["cuda:99", "mps"])
def test_a_device_that_is_not_here_is_named_with_the_way_out(device: str) -> None:
    with pytest.raises(ConfigError, match="--device cpu"):
        assemble.pick_device(experiment(f"device={device}"))


def test_numpy_computes_on_the_cpu_alone() -> None:
    numpy = load("numpy-mlp")
    assert assemble.pick_device(numpy) == "cpu"
    with pytest.raises(ConfigError, match="numpy, on the CPU"):
        assemble.pick_device(load("numpy-mlp", ["device=cuda"]))


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("model", ["numpy-mlp", "tensor-mlp", "digits-cnn"])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "one-cycle"])
def test_every_model_takes_every_optimiser_and_schedule(optimizer: str, model: str, schedule: str) -> None:
    plain = ["train.augment=null", f"model={model}", f"train.optimizer={optimizer}", f"train.schedule={schedule}"]
    made_job = job("digits-cnn", *plain)
    batch = next(iter(assemble_batches(made_job)))
    before = made_job.learner.parameters()
    made_job.learner.step(batch, made_job.recipe.schedule(0.5))
    assert any(not np.array_equal(value, made_job.learner.parameters()[name]) for name, value in before.items())


def assemble_batches(made_job: assemble.Job) -> Any:
    from mlhw.training.batches import in_order

    return in_order(made_job.placed.train, 50)


def test_decay_on_matrices_leaves_biases_alone() -> None:
    def bias_after(where: str) -> float:
        overrides = ["train.lr=0.1", "train.weight_decay=1", f"train.weight_decay_on={where}", "train.optimizer=sgd"]
        made_job = job("digits-cnn", *overrides, "train.average_decay=null", "train.augment=null")
        learner = made_job.learner
        learner.adopt({name: np.ones_like(value) for name, value in learner.parameters().items()})
        learner.step(next(iter(assemble_batches(made_job))), 1.0)
        return float(learner.parameters()["7.bias"].sum())

    # With equal weights the gradient of the scores' biases sums to 0: decay alone can move their sum.
    assert bias_after("matrices") == pytest.approx(10.0, abs=1e-4)
    assert bias_after("all") == pytest.approx(9.0, abs=1e-4)


def test_the_parameter_budget_is_checked_before_training() -> None:
    assert assemble.count_parameters(job("digits-cnn").learner) == 9930
    with pytest.raises(ConfigError, match=r"9,930 parameters, but expect\.parameters says < 9930"):
        job("digits-cnn", "expect.parameters='< 9930'")


def test_buffers_of_batch_norm_are_no_parameters() -> None:
    assert assemble.count_parameters(made.module_adamw()) == (4 * 9 + 4) + 8 + (144 * 4 + 4)


def test_val_is_carved_by_the_data_seed_and_costs_test_nothing() -> None:
    first, second, other = job("digits-cnn"), job("digits-cnn"), job("digits-cnn", "seed.data=1")
    assert [len(split) for split in first.splits.named().values()] == [450, 50, 1297]
    assert first.splits.val is not None
    assert second.splits.val is not None
    assert other.splits.val is not None
    np.testing.assert_array_equal(first.splits.val.inputs, second.splits.val.inputs)
    assert not np.array_equal(first.splits.val.inputs, other.splits.val.inputs)


def test_standard_scaling_gives_mean_0_and_deviation_1() -> None:
    for channels in (1, 3):
        split = made.blobs(600, channels=channels)
        how = standard(split)
        values = (split.inputs - np.array(how.shift)) * np.array(how.scale)
        np.testing.assert_allclose(values.mean(axis=(0, 1, 2)), 0.0, atol=1e-9)
        np.testing.assert_allclose(values.std(axis=(0, 1, 2)), 1.0, rtol=1e-9)


def test_a_constant_channel_does_not_divide_by_0() -> None:
    split = Split(np.full((4, 2, 2, 1), 7, np.uint8), np.zeros(4, np.int64), ("a",))
    assert standard(split) == Scaling((7.0,), (1.0,))


@pytest.mark.parametrize("normalize", ["unit", "imagenet"])
def test_scalings_for_bytes_refuse_other_values(normalize: str) -> None:
    floats = Split(np.zeros((4, 2, 2, 3), np.float32), np.zeros(4, np.int64), ("a",))
    with pytest.raises(ConfigError, match="'standard'"):
        scaling(normalize, floats)


def test_imagenet_scaling_is_torchvision_s() -> None:
    import torch
    from torchvision.transforms import functional

    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 5, 3)).astype(np.uint8)
    how = scaling("imagenet", Split(pixels, np.zeros(3, np.int64), ("a",)))
    ours = (pixels - np.array(how.shift)) * np.array(how.scale)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    theirs = functional.normalize(images, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    np.testing.assert_allclose(ours, theirs.permute(0, 2, 3, 1).numpy(), atol=1e-5)


def test_a_flat_input_is_refused_by_a_network_for_images() -> None:
    flat = Split(np.zeros((4, 64), np.uint8), np.zeros(4, np.int64), ("a", "b"))
    with pytest.raises(ConfigError, match=r"data\.image_shape"):
        assemble.build_learner(experiment("data.normalize=none"), flat, "cpu")


def test_early_stopping_needs_validation_rows() -> None:
    with pytest.raises(ConfigError, match=r"data\.val_fraction"):
        job("digits-cnn-notebook", "train.patience_epochs=2")


def rows_of(*overrides: str) -> np.ndarray:
    """The training rows that are kept of SwissRoll, by their inputs."""
    experiment = load("digits-cnn", ["data={kind: swissroll, source: generated}", *overrides])
    return np.asarray(assemble.load_splits(experiment, from_environment(), lambda what, done, total: None).train.inputs)


def test_rows_are_drawn_by_the_data_seed_in_each_class_s_share_and_in_their_order() -> None:
    whole = {tuple(row): number for number, row in enumerate(rows_of().tolist())}
    draws = [rows_of("data.train_rows=200", f"seed.data={seed}") for seed in range(5)]
    for draw in draws:
        at = [whole[tuple(row)] for row in draw.tolist()]
        assert len(at) == 200
        assert at == sorted(at)
        assert abs(sum(number < 10_000 for number in at) - 100) <= 12  # the inner arm comes first; 2 % are mislabelled
    assert len({tuple(row) for draw in draws for row in draw.tolist()}) > 950
    np.testing.assert_array_equal(draws[3], rows_of("data.train_rows=200", "seed.data=3", "seed.init=9"))


def test_the_first_rows_are_kept_where_none_are_drawn() -> None:
    np.testing.assert_array_equal(rows_of("data.train_rows=200", "data.train_draw=first"), rows_of()[:200])
    digits = [job("digits-cnn", "data.train_rows=300", "data.val_fraction=0", f"seed.data={seed}") for seed in (0, 1)]
    np.testing.assert_array_equal(digits[0].splits.train.inputs, digits[1].splits.train.inputs)


def test_more_rows_than_there_are_cannot_be_drawn() -> None:
    with pytest.raises(ConfigError, match=r"data\.train_rows is 20,001, but there are 20,000"):
        rows_of("data.train_rows=20001")


def test_a_last_fit_trains_on_the_rows_of_train_and_then_of_val() -> None:
    plain, last = job("peaks-net-200"), job("peaks-net-200", "data.train_on=train+val", "data.train_rows=null")
    whole = assemble.load_whole(load("peaks-net-200"), from_environment(), lambda what, done, total: None)
    assert whole.val is not None
    assert plain.splits.val is not None
    assert last.splits.val is None
    assert len(last.splits.train) == len(whole.train) + len(whole.val)
    assert np.array_equal(last.splits.train.inputs[-len(whole.val) :], whole.val.inputs)


def test_where_no_val_is_brought_there_is_none_to_train_on() -> None:
    with pytest.raises(ConfigError, match=r"this data brings no val rows\. Leave it out"):
        job("digits-cnn", "data.train_on=train+val", "data.val_fraction=0")
    with pytest.raises(ConfigError, match=r"data\.val_fraction holds out what data\.train_on"):
        load("digits-cnn", ["data.train_on=train+val", "data.val_fraction=0.1"])
