"""The files of a run that grow with every batch, one set for all networks, and how far they have come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlhw.commands.pretrained.pipeline import Outcome
from mlhw.datasets.names import csv_name
from mlhw.datasets.walking import Found
from mlhw.models.zoo import Network
from mlhw.runs import classified, entropies
from mlhw.runs.classified import Classified, Rank
from mlhw.runs.growing import GrowingTable
from mlhw.runs.store import Run


def predictions_files(run: Run, models: Sequence[str]) -> list[Path]:
    """Where the rows of each of ``models`` lie: predictions.csv of a single one, else predictions-<model>.csv.

    With several, predictions.csv holds the rows of the first as well: who looks for that file finds it.
    """
    if len(models) == 1:
        return [run.path / "predictions.csv"]
    return [run.path / f"predictions-{name}.csv" for name in models]


def entropies_file(run: Run) -> Path:
    """Where a comparison keeps how undecided each network is."""
    return run.path / "entropy.csv"


class Tables:
    """The growing files of one run, opened after the ``done`` pictures from the start that are whole in all of them."""

    def __init__(
        self, run: Run, networks: Sequence[Network], depth: int, pictures: Sequence[Found], *, with_entropies: bool
    ) -> None:
        """Open them; what follows the last whole picture is dropped.

        Raises:
            RunError: one of them is damaged.
            OutputError: one of them cannot be written.
        """
        self.networks, self.depth = networks, depth
        names = [network.name for network in networks]
        found = []
        for path, network in zip(predictions_files(run, names), networks, strict=True):
            found.append((path, *_read(path, min(depth, len(network.categories)))))
        if len(networks) > 1:
            path = run.path / "predictions.csv"
            found.append((path, *_read(path, min(depth, len(networks[0].categories)))))
        files = [path for path, _, _ in found]
        kept = [(names, ends) for _, names, ends in found]
        if with_entropies:
            files.append(entropies_file(run))
            kept.append(entropies.read_names(files[-1]))
        self.done = min(_same(names, pictures) for names, _ in kept)
        headers = [classified.HEADER] * len(found) + [entropies.header(names)] * with_entropies
        ends_at = [ends[self.done] if ends else 0 for _, ends in kept]
        self.tables = [GrowingTable(*each) for each in zip(files, headers, ends_at, strict=True)]
        self.with_entropies = with_entropies

    def append(self, outcomes: Sequence[Outcome]) -> None:
        """Add the rows of ``outcomes`` to every file."""
        columns = [
            [row for outcome in outcomes for row in classified.rows(_classified(outcome, number, network))]
            for number, network in enumerate(self.networks)
        ]
        if len(self.networks) > 1:
            columns.append(columns[0])
        if self.with_entropies:
            columns.append([_entropies(outcome, len(self.networks)) for outcome in outcomes])
        for table, rows in zip(self.tables, columns, strict=True):
            table.append(rows)
        self.done += len(outcomes)

    def close(self) -> None:
        """Bring all rows to the disk and close the files."""
        for table in self.tables:
            try:
                table.sync()
            finally:
                table.close()


def _read(path: Path, ranks: int) -> tuple[list[str], list[int]]:
    """The names of the whole pictures in ``path``, and the bytes up to the end of each; nothing where there is no file."""
    if not path.exists():
        return [], []
    found, ends = classified.read(path, ranks)
    return [each.file for each in found], ends


def _same(names: Sequence[str], pictures: Sequence[Found]) -> int:
    """How many of ``names``, from the start, are those of ``pictures``."""
    for place, (name, picture) in enumerate(zip(names, pictures, strict=False)):
        if name != picture.name:
            return place
    return min(len(names), len(pictures))


def _classified(outcome: Outcome, number: int, network: Network) -> Classified:
    if not outcome.predictions:
        return Classified(outcome.picture.name, reason=outcome.reason)
    said = outcome.predictions[number]
    pairs = zip(said.indices, said.probabilities, strict=True)
    return Classified(
        outcome.picture.name, tuple(Rank(index, network.categories[index], share) for index, share in pairs)
    )


def _entropies(outcome: Outcome, networks: int) -> tuple[str, ...]:
    numbers = [f"{said.entropy_bits:.6f}" for said in outcome.predictions] or [""] * networks
    return (csv_name(outcome.picture.name), *numbers)
