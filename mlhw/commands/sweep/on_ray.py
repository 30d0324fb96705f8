"""Units on a Ray cluster: their run folders go to the node that trains them, and come back."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any, Final, NamedTuple

from mlhw.commands.settings import from_environment
from mlhw.commands.sweep.asking import How
from mlhw.commands.sweep.work import Outcome, Unit, run_of, work
from mlhw.config import load as config
from mlhw.errors import Interrupted
from mlhw.files import atomic_write, make_folder
from mlhw.runs import store
from mlhw.sweeps.executors import Done, Hear
from mlhw.sweeps.folder import SweepFolder
from mlhw.sweeps.folders import pack, unpack
from mlhw.sweeps.ray_cluster import run_all

CARRY_SECONDS: Final = 60.0  # what the caller's own death can cost: folders with checkpoints come back so often
EPOCH_SECONDS: Final = 0.2
FOLDERS: Final = "folders"


@dataclass(frozen=True)
class Parcel:
    """A unit, and what it goes on with: run folders by name, packed, and a stack's checkpoint (empty: none)."""

    unit: Unit
    folders: Mapping[str, bytes]
    checkpoint: bytes


class Returned(NamedTuple):
    """What came of a unit's trials, their run folders by name, packed, and a stack's checkpoint."""

    outcomes: list[Outcome]
    folders: dict[str, bytes]
    checkpoint: bytes


def on_ray(units: Sequence[Unit], hear: Hear, how: How) -> Generator[Done, None, None]:
    """Train ``units`` on the cluster that ``how`` names; the run folders lie in outputs before a unit's record is out.

    Raises:
        ConfigError: Ray is not installed, no cluster answers, or no node is large enough.
        OutputError: a folder cannot be written.
    """
    share = max(1, int(how.cpus_per_trial))
    parcels = _Parcels(units, share)

    def heard(index: int, event: tuple[Any, ...]) -> None:
        if event[0] == FOLDERS:
            parcels.bring(index, event[1], event[2])
        else:
            hear(index, event)

    cpus, gpus = how.cpus_per_trial, how.gpus_per_trial
    finished = run_all(parcels, train_away, heard, address=how.ray or "auto", cpus=cpus, gpus=gpus)
    # Ray prints to stdout when a node dies; there the command's results go.
    with redirect_stdout(sys.stderr), closing(finished):
        for done in finished:
            if done.result is None:
                yield done
                continue
            returned: Returned = done.result
            parcels.bring(done.index, returned.folders, returned.checkpoint)
            yield replace(done, result=returned.outcomes)


class _Parcels(Sequence[Parcel]):
    """Made when they are sent: what waits has no run folder yet, and takes no memory."""

    def __init__(self, units: Sequence[Unit], threads: int) -> None:
        self.units, self.threads = units, threads
        self.sent: dict[int, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self.units)

    def __getitem__(self, index: Any) -> Any:
        unit: Unit = self.units[index]
        outputs, folder = unit.settings.outputs, SweepFolder(unit.folder)
        runs = [run_of(unit, place, folder) for place in range(len(unit.trials))]
        starts = {config.load_file(run.config_file).train.init_from for run in runs} - {None}
        named = [run.path for run in runs] + [store.find(outputs, str(name)).path for name in starts]
        settings = replace(unit.settings, most_threads=self.threads)
        begun = replace(unit, begun=tuple(run.id for run in runs), settings=settings)
        self.sent[index] = begun.begun
        return Parcel(begun, {path.name: pack(path) for path in named}, _checkpoint(folder, unit))

    def bring(self, index: int, folders: Mapping[str, bytes], checkpoint: bytes) -> None:
        """Put the folders of unit ``index``, and no others, in the place of those that were sent."""
        unit: Unit = self.units[index]
        for name in self.sent[index]:
            if name in folders:
                unpack(folders[name], unit.settings.outputs / name, replace=True)
        if checkpoint:
            _write(SweepFolder(unit.folder).stack(unit.number), checkpoint)


def train_away(parcel: Parcel, tell: Callable[[Any], None]) -> Returned:
    """On a node: train the unit in a folder of its own, with this node's data and cache.

    Raises:
        Interrupted: after what there is was sent back.
    """
    with tempfile.TemporaryDirectory(prefix="mlhw-", ignore_cleanup_errors=True) as place:
        unit = _unpacked(parcel, Path(place) / "outputs")
        carrier = _Carrier(unit, tell)
        try:
            outcomes = work(unit, carrier)
        except (KeyboardInterrupt, Interrupted):
            carrier.send()
            raise
        return Returned(outcomes, *_packed(unit))


def _unpacked(parcel: Parcel, outputs: Path) -> Unit:
    """The unit with its folders in ``outputs`` of this node."""
    for name, data in parcel.folders.items():
        unpack(data, outputs / name)
    folder = SweepFolder(outputs / "sweeps" / parcel.unit.folder.name)
    make_folder(folder.stack(0).parent)
    if parcel.checkpoint:
        _write(folder.stack(parcel.unit.number), parcel.checkpoint)
    asked = parcel.unit.settings
    here = replace(
        from_environment(),
        outputs=outputs,
        offline=asked.offline,
        threads=asked.threads,
        most_threads=asked.most_threads,
    )
    return replace(parcel.unit, folder=folder.path, settings=here)


class _Carrier:
    """Passes on what a unit says, and now and then sends its folders back.

    Each message is a call of an actor, perhaps over the network: of steps it says nothing, of epochs five times a second.
    """

    def __init__(self, unit: Unit, tell: Callable[[Any], None]) -> None:
        self.unit, self.tell = unit, tell
        self.next_epoch, self.next_folders = 0.0, monotonic() + CARRY_SECONDS

    def __call__(self, event: tuple[Any, ...]) -> None:
        name, now = event[0], monotonic()
        if name == "on_step" or (name == "on_epoch" and now < self.next_epoch):
            return
        self.tell(event)
        if name == "on_epoch":
            self.next_epoch = now + EPOCH_SECONDS
            if now >= self.next_folders:
                self.send()
                self.next_folders = monotonic() + CARRY_SECONDS

    def send(self) -> None:
        self.tell((FOLDERS, *_packed(self.unit)))


def _packed(unit: Unit) -> tuple[dict[str, bytes], bytes]:
    folders = {name: pack(unit.settings.outputs / name) for name in unit.begun}
    return folders, _checkpoint(SweepFolder(unit.folder), unit)


def _checkpoint(folder: SweepFolder, unit: Unit) -> bytes:
    file = folder.stack(unit.number)
    return file.read_bytes() if file.is_file() else b""


def _write(path: Path, data: bytes) -> None:
    with atomic_write(path) as file:
        file.write(data)
