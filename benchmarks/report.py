"""What was measured, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.harness import Result

HEADER = ("benchmark", "ours", "reference", "ratio", "limit", "")


def machine() -> dict[str, Any]:
    """The processor, its cores, the threads that the arithmetic uses, and the versions that matter."""
    import numpy
    import torch

    from mlhw.commands.threads import use_threads
    from mlhw.runs.environment import processor

    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": use_threads(None, "module"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
    }


def machine_line(facts: dict[str, Any]) -> str:
    """One line of :func:`machine`."""
    versions = ", ".join(f"{name} {facts[name]}" for name in ("python", "torch", "numpy"))
    return f"{facts['processor']}, {facts['cores']} cores, {facts['threads']} threads; {versions}"


def table(results: Sequence[Result]) -> str:
    """A line for each result under one header, the columns as wide as they must be."""
    lines = [HEADER, *(cells(result) for result in results)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([text[0], "-" * max(map(len, text)), *text[1:]])


def cells(result: Result) -> tuple[str, ...]:
    """The words of one line, as in ``HEADER``."""
    unit = "" if result.reference or result.limit is None else f" {result.unit}"
    limit = "-" if result.limit is None else f"{result.limit:g}{unit}"
    verdict = f"{result.verdict}; {result.note}" if result.note and result.ours else result.note or result.verdict
    return (
        result.name,
        spread(result.ours, result.unit),
        spread(result.reference, result.unit),
        spread(result.ratios, ""),
        limit,
        verdict,
    )


def spread(values: Sequence[float], unit: str) -> str:
    """Median [least to most] with three significant digits, or a dash where there is nothing."""
    if not values:
        return "-"
    middle, least, most = (_digits(value) for value in (median(values), min(values), max(values)))
    return f"{middle} {unit}".rstrip() + (f" [{least} to {most}]" if len(values) > 1 else "")


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"


def as_json(facts: dict[str, Any], results: Sequence[Result]) -> str:
    """Machine and every single measurement."""
    rows = [
        {
            "name": result.name,
            "unit": result.unit,
            "ours": result.ours,
            "reference": result.reference,
            "ratios": result.ratios,
            "limit": result.limit,
            "verdict": result.verdict,
            "note": result.note,
        }
        for result in results
    ]
    return json.dumps({"machine": facts, "results": rows}, indent=2, ensure_ascii=False) + "\n"
