"""What must not grow: memory with the number of pictures, memory and the seconds of an epoch with the number of epochs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from benchmarks.harness import Result, timed
from benchmarks.programs import ROOT, run_program
from benchmarks.workplace import Workplace
from mlhw.runs.metrics import read_metrics

PICTURES = (10_000, 100_000)
SIDE = 32  # pixels of a prepared picture: 100,000 are 307 MB
EPOCHS = 100_000
SECONDS_BETWEEN_LOOKS = 0.05

FOLDER = """
name: large-folder
data: {{kind: folder, path: '{path}', image_size_pixels: 32, val_fraction: 0.1}}
model: {{kind: digits-cnn, channels: [4, 4]}}
train: {{epochs: 1, batch_size: 64, lr: 0.01}}
threads: 1
"""
SOAK = """
name: soak
data: {kind: gmm, source: generated, train_rows: 200}
model: {kind: numpy-resnet, layers: [{kind: dense, units: 8}]}
train: {epochs: EPOCHS, batch_size: 100, lr: 0.05}
threads: 1
"""


def folder(place: Workplace) -> Iterator[Result]:
    """Peak of a process's own memory, as it prepares and trains on 100,000 pictures, over that for 10,000."""
    if sys.platform != "linux":
        yield Result("folder of pictures", note="skipped: only Linux tells a process's own memory from mapped files")
        return
    peaks: dict[str, list[float]] = {"prepare and train": [], "train": []}
    root = place.settings.outputs.parent
    for count in PICTURES:
        make_pictures(root / f"pictures-{count}", count)
        config = root / f"folder-{count}.yaml"
        config.write_text(FOLDER.format(path=root / f"pictures-{count}"), encoding="utf-8")
        for what, found in peaks.items():  # the second time the data is prepared
            began = time.perf_counter()
            own, _ = peak_of(["train", str(config), "--quiet"], place, root / "cache")
            found.append(own)
            note = f"{time.perf_counter() - began:.0f} s"
            yield Result(f"{count:,} pictures: {what}", (own,), unit="MB", note=note)
    for what, (few, many) in peaks.items():
        more = (many - few) / (PICTURES[1] - PICTURES[0]) * 1e3
        yield Result(f"folder of pictures: {what}, for each one more", (more,), limit=1.5, unit="kB")


def make_pictures(folder: Path, count: int) -> None:
    """``count`` PNG files of noise, 24 pixels wide and high, in ten class folders."""
    rng = np.random.default_rng(0)
    for place in range(count):
        path = folder / f"class-{place % 10}" / f"{place:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(path, compress_level=1)


def peak_of(words: list[str], place: Workplace, cache: Path) -> tuple[float, list[float]]:
    """The largest memory of ``mlhw`` with ``words``, in MB, mapped files apart; and each second's, while it ran."""
    environ = place.environ() | {"MLHW_CACHE": str(cache)}
    began, looks = time.monotonic(), list[tuple[float, float]]()
    with subprocess.Popen([sys.executable, "-m", "mlhw", *words], cwd=ROOT, env=environ) as process:
        while process.poll() is None:
            looks.append((time.monotonic() - began, own_memory(process.pid)))
            time.sleep(SECONDS_BETWEEN_LOOKS)
    if process.returncode:
        raise RuntimeError(f"mlhw {' '.join(words)} ended with {process.returncode}")
    each = {int(second): memory for second, memory in looks}
    return max(memory for _, memory in looks), list(each.values())


def own_memory(process: int) -> float:
    """The anonymous resident memory of a process in MB; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon")), 0.0)


def soak(place: Workplace) -> Iterator[Result]:
    """100,000 epochs of a toy: memory and seconds of an epoch at the end beside those of the beginning, and what follows."""
    if sys.platform != "linux":
        yield Result("soak", note="skipped: only Linux tells a process's own memory from mapped files")
        return
    root = place.settings.outputs.parent
    config = root / "soak.yaml"
    config.write_text(SOAK.replace("EPOCHS", str(EPOCHS)), encoding="utf-8")
    _, memory = peak_of(["train", str(config), "--quiet"], place, root / "cache")
    (run,) = place.settings.outputs.glob("soak-*")
    rows = [row.seconds for row in read_metrics(run / "metrics.csv") if row.split == "train"]
    tenth = len(rows) // 10
    early, late = median(memory[2 : max(3, len(memory) // 10)]), median(memory[len(memory) // 2 : -len(memory) // 10])
    yield Result("soak: memory, the second half over the first tenth", (late / early,), limit=1.02, unit="")
    ratio = median(rows[-tenth:]) / median(rows[:tenth])
    yield Result("soak: an epoch, the last tenth over the first", (ratio,), limit=1.2, unit="")
    yield Result("soak: log.txt", ((run / "log.txt").stat().st_size / 1e3,), limit=10.0, unit="kB")
    size = (run / "metrics.csv").stat().st_size / len(rows)
    yield Result("soak: metrics.csv an epoch", (size,), limit=200.0, unit="bytes")
    for words in ("show", "resume", "plot", "report"):
        command = [sys.executable, "-m", "mlhw", words, run.name]
        seconds = timed(lambda command=command: lambda: run_program(command, place))  # type: ignore[misc]  # a default binds it
        yield Result(f"soak: mlhw {words}", (seconds,), limit=10.0, note=f"{2 * len(rows):,} rows")
