"""The pipeline of pictures through networks: each its own prediction, few open at a time, threads within bounds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mlhw.commands.pretrained.pipeline import Lanes, Outcome, outcomes, share
from mlhw.datasets.pictures import BadImage, Found
from mlhw.models import zoo
from mlhw.models.zoo import Network
from tests.commands.pictures_made import SMALL, draw_pictures
from tests.models.zoo_made import by_hand, saved


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
