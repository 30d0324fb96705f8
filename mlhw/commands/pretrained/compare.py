"""The end of a comparison: its numbers, its findings in words, and its figures, all from the run's files."""

from __future__ import annotations

from math import log2
from typing import Any

from mlhw.commands.pretrained.agreement import Agreement, agreement
from mlhw.commands.pretrained.findings import findings
from mlhw.commands.pretrained.naming import counted, short_names
from mlhw.commands.pretrained.pictures import MOST_ON_A_SHEET, small, spread
from mlhw.commands.pretrained.prepare import Job
from mlhw.commands.pretrained.results import Results
from mlhw.commands.pretrained.tables import entropies_file
from mlhw.files import write_text
from mlhw.runs import entropies
from mlhw.runs.store import Run


def conclude(run: Run, job: Job, found: Results) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Write findings.txt and the figures of ``run``; returns what to say of all pictures, and of each that was not skipped.

    Raises:
        RunError: a file of the run cannot be read.
        OutputError: one cannot be written.
    """
    bits = entropies.read(entropies_file(run))
    numbers = agreement(
        found.models,
        [network.parameters for network in job.networks],
        [network.categories for network in job.networks],
        [short_names(found)[place] for place in found.good],
        [[column[place] for place in found.good] for column in found.said],
        [bits[place] or [] for place in found.good],
        [job.truths[place] for place in found.good],
    )
    paragraphs = findings(numbers)
    write_text(run.path / "findings.txt", "\n".join(paragraphs) + "\n")
    _draw(run, found, numbers)
    each = [
        {"verdict": verdict, "agreed": agreed} for verdict, agreed in zip(numbers.verdicts, numbers.agreed, strict=True)
    ]
    return {"agreement": record(numbers), "findings": paragraphs}, each


def record(found: Agreement) -> dict[str, Any]:
    """The numbers of ``found`` as JSON values."""
    known = found.known
    accuracies = known if found.reference == "truth" else 0
    each = [
        {
            "name": name,
            "parameters": found.parameters[place],
            "mean_confidence": float(found.confidence[place]),
            "mean_entropy_bits": float(found.entropy_bits[place]),
            "agreement_with_others": float(found.with_others()[place]),
            "hits": int(found.hits[place]),
            "near_misses": int(found.nears[place]),
            "plain_misses": int(found.plains[place]),
            "top1_accuracy": float(found.hits[place] / known) if accuracies else None,
            "top5_accuracy": float((found.hits[place] + found.nears[place]) / known) if accuracies else None,
        }
        for place, name in enumerate(found.models)
    ]
    return {
        "pictures": found.pictures,
        "all_agree": found.count("agree"),
        "near_misses": found.count("near"),
        "plain_differences": found.count("plain"),
        "reference": found.reference,
        "pictures_with_reference": known,
        "same_class": found.same.tolist(),
        "near_miss": found.near.tolist(),
        "networks": each,
    }


def _draw(run: Run, found: Results, numbers: Agreement) -> None:
    from mlhw.plots.agreement import Compared, draw_agreement
    from mlhw.plots.grid import pixels
    from mlhw.plots.side_by_side import Guess, SideBySide, draw_side_by_side
    from mlhw.plots.style import save

    save(draw_agreement(Compared(**_drawn(numbers))), run.plots / "agreement")
    shown = spread(numbers.pictures, MOST_ON_A_SHEET)
    thumbnails = small([found.pictures[found.good[place]].path for place in shown], pixels(len(shown)))
    cards = [
        SideBySide(
            picture,
            numbers.files[place],
            numbers.verdicts[place],
            numbers.agreed[place],
            [Guess(rank.class_name, rank.probability) for rank in numbers.firsts[place]],
        )
        for picture, place in zip(thumbnails, shown, strict=True)
    ]
    heading = f"{len(numbers.models)} networks side by side: {counted(found, len(shown))}"
    notes = "Near miss: of any two that differ, one names the other's class among its first five."
    sheet = draw_side_by_side(cards, numbers.models, heading, notes)
    save(sheet, run.plots / "side-by-side", formats=("png",))


def _drawn(found: Agreement) -> dict[str, Any]:
    """What the figure of agreement is drawn from."""
    import numpy as np

    reference = None
    if found.reference == "truth" and found.known:
        reference = f"the truth, known of {found.known:,} picture{'s' if found.known != 1 else ''}"
    elif len(found.models) > 2 and found.known:
        reference = f"the class that most networks name, on {found.known:,} picture{'s' if found.known != 1 else ''}"
    return {
        "models": found.models,
        "parameters": found.parameters,
        "pictures": found.pictures,
        "outcomes": (found.count("agree"), found.count("near"), found.count("plain")),
        "same": found.same / found.pictures,
        "near": found.near / found.pictures,
        "with_others": found.with_others(),
        "confidence": found.confidence,
        "entropy_bits": found.entropy_bits,
        "most_bits": log2(max(max(found.classes), 2)),
        "reference": reference,
        "counts": np.stack([found.hits, found.nears, found.plains], axis=1) if reference else None,
    }
