"""Room: no more bytes at once than there are, whoever asks for what, and nobody waits for ever."""

from __future__ import annotations

import random
import threading
import time
from contextlib import ExitStack

import pytest

from mlhw.datasets.room import Room


def test_many_threads_never_take_more_than_there_is_and_all_come_through() -> None:
    room, together, lock, seen = Room(1000, 400), [0], threading.Lock(), []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(25):
            with room.share() as share:
                for total in sorted(chance.randrange(1, 401) for _ in range(2)):
                    share.need(total)
                with lock:
                    together[0] += share.bytes
                    seen.append(together[0])
                time.sleep(chance.random() / 1000)
                with lock:
                    together[0] -= share.bytes

    threads = [threading.Thread(target=work, args=(seed,), daemon=True) for seed in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
        assert not thread.is_alive()
    assert len(seen) == 16 * 25
    assert 400 < max(seen) <= 1000
    assert room.taken == 0


def test_who_holds_a_little_may_grow_to_the_largest_since_a_newcomer_waits() -> None:
    """With a newcomer let in as long as there is room for its little, ten would hold 100 each, and none could go on."""
    room, late = Room(1000, 400), threading.Event()

    def newcomer() -> None:
        with room.share() as share:
            share.need(100)
            late.set()

    with ExitStack() as all_of_them:
        shares = [all_of_them.enter_context(room.share()) for _ in range(6)]
        for share in shares:
            share.need(100)
        thread = threading.Thread(target=newcomer, daemon=True)
        thread.start()
        assert not late.wait(timeout=0.05)
        shares[0].need(400)
        assert room.taken == 900
    assert late.wait(timeout=10)
    thread.join()
    assert room.taken == 0


def used(room: Room) -> None:
    with room.share() as share:
        for total, taken in ((300, 300), (200, 300), (5000, 400)):  # kept; no more than the largest there is
            share.need(total)
            assert room.taken == taken
        raise RuntimeError


def test_what_a_failure_had_is_given_back() -> None:
    room = Room(500, 400)
    with pytest.raises(RuntimeError):
        used(room)
    assert room.taken == 0
    with pytest.raises(ValueError, match="for one"):
        Room(399, 400)
