"""A YAML from a stranger is an experiment or is refused in words: soon, without running anything, whatever it holds.

``MLHW_TEST_CONFIGS`` says how many are made (600 where it does not).
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import numpy as np
import pytest

from mlhw.config.find import shipped_folder
from mlhw.config.load import dump, is_pretrained, load_file, load_pretrained_file, parse
from mlhw.config.reader import MAX_BYTES, read
from mlhw.errors import ConfigError
from tests.cli.program import mlhw
from tests.faults.mutating import HOSTILE, mutate

COUNT = int(os.environ.get("MLHW_TEST_CONFIGS", "600"))
SEED = int(os.environ.get("MLHW_TEST_SEED", "0"))
MOST_SECONDS = 1.0  # of this process's own time: what else the machine does changes nothing
SHIPPED = sorted(shipped_folder().glob("*.yaml"))


def outcome(path: Path, overrides: list[str]) -> str:
    """ "loads" or "refused"; anything but a ConfigError with a short message goes through."""
    load = load_pretrained_file if _pretrained(path) else load_file
    try:
        experiment = load(path, overrides)
    except ConfigError as error:
        said = str(error)
    else:
        said = ""
    if said:
        assert path.name in said or "-s " in said
        assert len(said) < 30_000
        return "refused"
    assert parse_again(dump(experiment), load, path) == experiment
    return "loads"


def _pretrained(path: Path) -> bool:
    try:
        return is_pretrained(path)
    except ConfigError:
        return False


def parse_again(text: str, load: object, path: Path) -> object:
    """What the printed experiment is read as."""
    other = path.with_name("printed.yaml")
    other.write_text(text, encoding="utf-8")
    return load(other)  # type: ignore[operator]


def test_mutated_experiments_load_or_are_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(SEED)
    seeds = [path.read_bytes() for path in SHIPPED]
    path, found, slowest = tmp_path / "mutated.yaml", {"loads": 0, "refused": 0}, 0.0
    for _ in range(COUNT):
        data = mutate(seeds[rng.integers(len(seeds))], rng)
        path.write_bytes(data)
        overrides = []
        if rng.random() < 0.2:
            value = HOSTILE[rng.integers(len(HOSTILE))].decode("utf-8", "surrogateescape")
            overrides = [f"{['train.lr', 'model', 'data.kind', 'x.y', 'train.augment'][rng.integers(5)]}={value}"]
        began = time.process_time()
        try:
            found[outcome(path, overrides)] += 1
        except Exception as error:
            raise AssertionError(f"{data!r} with {overrides}") from error
        slowest = max(slowest, time.process_time() - began)
    logging.getLogger(__name__).info("%s of %d; the slowest took %.2f s", found, COUNT, slowest)
    assert found["loads"]
    assert found["refused"]
    assert slowest < MOST_SECONDS
    assert {entry.name for entry in tmp_path.iterdir()} <= {"mutated.yaml", "printed.yaml"}


LARGE = {
    "lines": b"".join(b"k%d: 1\n" % n for n in range(30_000)),
    "list": b"a: [" + b"1," * 100_000 + b"]",
    "sequence": b"- 1\n" * 50_000,
    "words": b"a: " + b"x y " * 50_000,
    "block": b"a: |\n" + b" x\n" * 66_000,
    "directives": b"%a\n" * 66_000,
    "anchors": b"".join(b"- &a%d x\n" % n for n in range(15_000)),
    "brackets": b"a: " + b"[" * 199_000,
    "braces": b"{a: " * 49_000,
    "dashes": b"- " * 99_000,
    "question marks": b"? " * 99_000,
    "key": b"x " * 99_000 + b": 1",
    "newlines": b"\n" * 199_000,
    "stairs": b"".join(b" " * n + b"a:\n" for n in range(620)),
    "digits": b"%YAML " + b"9" * 9000 + b".1\n--- a\n",
}


@pytest.mark.parametrize("what", LARGE)
def test_what_takes_long_to_read_is_refused_soon(what: str) -> None:
    data = LARGE[what][:MAX_BYTES]
    began, said = time.process_time(), "f.yaml"
    try:
        read(data, "f.yaml")
    except ConfigError as error:
        said = str(error)
    assert said.startswith("f.yaml")
    assert time.process_time() - began < MOST_SECONDS


def test_a_key_of_a_thousand_levels_is_refused() -> None:
    good = b"name: x\ndata: {kind: digits}\nmodel: {kind: numpy-mlp}\ntrain: {epochs: 1, batch_size: 1, lr: 1}"
    with pytest.raises(ConfigError, match="nested too deeply"):
        parse(good, "f.yaml", [".".join("a" * 2000) + "=1"])


def test_a_hundred_megabytes_are_refused_and_never_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:  # sparse: takes no space
        file.truncate(100_000_000)
    began = time.process_time()
    with pytest.raises(ConfigError, match="too large"):
        load_file(path)
    assert time.process_time() - began < MOST_SECONDS


@pytest.mark.parametrize("name", ["folder.yaml", "pipe.yaml", "missing.yaml"])
def test_what_is_no_file_is_refused_without_waiting(name: str, tmp_path: Path) -> None:
    if name == "folder.yaml":
        (tmp_path / name).mkdir()
    if name == "pipe.yaml":
        if not hasattr(os, "mkfifo"):
            pytest.skip("no named pipes here")
        os.mkfifo(tmp_path / name)
    done = mlhw("train", str(tmp_path / name), timeout_seconds=30)
    assert done.code == 2
    assert name in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("name", ["../x", "a/b", ".", "x\n", "-x", "ä", "x" * 61, "con ", "$(x)", "a--b", "A"])
def test_a_name_that_could_lead_out_of_outputs_is_refused(name: str) -> None:
    good = b"name: x\ndata: {kind: digits}\nmodel: {kind: numpy-mlp}\ntrain: {epochs: 1, batch_size: 1, lr: 1}"
    with pytest.raises(ConfigError, match="'name'"):
        parse(good, "f.yaml", [f'name="{name}"'.replace("\n", "\\n")])
