"""Which workloads there are, which systems run each, and what mlhw is held to. Importing this loads nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

Seconds = Mapping[str, float]  # of one round, by system


@dataclass(frozen=True)
class System:
    """Who runs a workload: the address of ``contest(task)``, and the packages that it needs."""

    address: str
    needs: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """Those of its packages that are not installed."""
        return [name for name in self.needs if find_spec(name) is None]


SYSTEMS = {
    "mlhw": System("benchmarks.peers.ours:contest"),
    "floor": System("benchmarks.peers.floor:contest"),
    "notebook": System("benchmarks.peers.notebook:contest"),
    "scikit-learn": System("benchmarks.peers.with_sklearn:contest"),
    "skorch": System("benchmarks.peers.with_skorch:contest", ("skorch",)),
    "lightning": System("benchmarks.peers.with_lightning:contest", ("lightning",)),
    "keras": System("benchmarks.peers.with_keras:contest", ("keras",)),
    "forward": System("benchmarks.peers.pictures:forward_alone"),
    "decoding": System("benchmarks.peers.pictures:decoding_alone"),
}
NO_PEERS = {"mlhw", "floor", "forward", "decoding"}
LEARNERS = ("mlhw", "floor", "notebook", "scikit-learn", "skorch", "lightning", "keras")


def _floor(seconds: Seconds) -> float:
    return seconds["floor"]


@dataclass(frozen=True)
class Workload:
    """Work that several systems do, and the most that mlhw's time may be of the floor's.

    ``rounds`` caps the repeats where one round is long. ``threads``: ``best`` tries one and all for each system but mlhw
    before anything counts, ``all`` gives every system all.
    """

    what: str
    task: str
    systems: tuple[str, ...] = LEARNERS
    limit: float | None = None
    floor: Callable[[Seconds], float] = field(default=_floor)
    floor_is: str = ""
    rounds: int = 99
    threads: str = "best"
    unit: str = "s"
    per: int = 1  # the shown number is milliseconds by so many, where unit is "ms"


WORKLOADS = {
    "mnist-mlp-notebook": Workload(
        "one epoch of 60,000 rows, 784-128-10, batches of 32",
        "benchmarks.peers.tasks:mnist",
        limit=1.2,
        floor_is="forward, backward by hand and update on tensors that lie ready; no loss, no accuracy, no file",
    ),
    "numpy-mlp-notebook": Workload(
        "one epoch of 20,000 rows, 784-16-10, batches of 8, float64 in mlhw, the notebook and scikit-learn",
        "benchmarks.peers.tasks:numpy_mnist",
        limit=2.5,
        floor_is="the five matrix products of each step, float64, into arrays made once; nothing else",
    ),
    "digits-cnn-notebook": Workload(
        "100 epochs of 500 rows, two convolutions, batches of 100, Adam",
        "benchmarks.peers.tasks:digits",
        tuple(name for name in LEARNERS if name != "scikit-learn"),
        limit=1.1,
        floor_is="the plain torch loop on tensors that lie ready; test accuracy at the end, no other metric",
    ),
    "grocery-cnn": Workload(
        "one epoch of 2,640 photos in crops of 128×128, inverted residuals, augmentation, mixup and cutmix, AdamW",
        "benchmarks.peers.tasks:grocery",
        tuple(name for name in LEARNERS if name != "scikit-learn"),
        limit=1.12,
        floor_is="forward, backward and optimiser on synthetic batches in memory; no data, no augmentation, no validation",
        rounds=3,
        threads="all",
    ),
    **{
        f"forward-{network}": Workload(
            f"{network} on batches of 16 in memory; milliseconds a picture",
            f"benchmarks.peers.tasks:forward_{network}",
            ("mlhw", "notebook", *(("keras",) if network == "vgg16" else ())),
            threads="all",
            unit="ms",
            per=pictures,
        )
        for network, pictures in (("vgg16", 16), ("resnet18", 64), ("alexnet", 64))
    },
    "classify-resnet18": Workload(
        "512 photos from files to classes and a CSV; milliseconds a picture",
        "benchmarks.peers.tasks:classify",
        ("mlhw", "forward", "decoding", "notebook"),
        limit=1 / 0.95,
        floor=lambda seconds: seconds["forward"] + seconds["decoding"] / seconds["cores"],
        floor_is="forward alone + decoding alone in one thread / cores",
        rounds=3,
        threads="all",
        unit="ms",
        per=512,
    ),
}
