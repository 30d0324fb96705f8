"""The results' file as one page of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import growth
from benchmarks.harness import Result
from benchmarks.parts import PARTS
from benchmarks.peers.commands import PROGRAMS, Program
from benchmarks.peers.tables import NO_PEERS, WORKLOADS, Workload

MEMORY_LIMIT = 1.5
Parts = Mapping[str, Any]


def tell(results: Mapping[str, Any], folder: Path, clock: str = "wall") -> str:
    """The page; ``clock`` says which seconds count. Draws the figure of the growth beside it."""
    parts = results["parts"]
    sections = [
        _head(results, clock),
        _contests("Beside other tools", WORKLOADS, parts, clock),
        _contests("From the prompt", PROGRAMS, parts, clock),
        _memory(parts),
        _growth(parts, folder),
        _checks(parts),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(results: Mapping[str, Any], clock: str) -> str:
    machine, settings = results["machine"], results["settings"]
    versions = ", ".join(f"{name} {text}" for name, text in machine["versions"].items())
    days = sorted({part["when"][:10] for part in results["parts"].values()})
    lines = [
        "# What mlhw costs, measured",
        "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; python {machine['python']}, {versions}.",
        f"Measured {' to '.join(days[:: max(1, len(days) - 1)])} by `python -m benchmarks --repeats {settings['repeats']}"
        f"{' --quick' * settings['quick']}`; README.md in this folder says how.",
        "Numbers are medians over the repeats, in brackets the least and the most. A ratio is the median of the ratios of the",
        "single rounds, in which all systems run one after the other.",
    ]
    if clock == "cpu":
        lines.append("**Processor seconds, not wall time: the machine was busy.**")
    if settings["quick"]:
        lines.append("**Made with `--quick`: small sizes, to try the suite out. No numbers to quote.**")
    if settings["note"]:
        lines.append(f"**With {settings['note']}.**")
    return "\n".join(lines)


def _contests(title: str, asked: Mapping[str, Workload | Program], parts: Parts, clock: str) -> str:
    measured = [(name, each, parts[name]) for name, each in asked.items() if name in parts]
    if not measured:
        return ""
    header = ("", "mlhw", "floor", "mlhw / floor", "limit", "", "best other", "its time / mlhw's")
    summary = [_summary(name, each, part, clock) for name, each, part in measured]
    details = [_details(name, each, part, clock) for name, each, part in measured]
    return "\n\n".join([f"## {title}", _table(header, summary), *details])


def _summary(name: str, asked: Workload | Program, part: Mapping[str, Any], clock: str) -> tuple[str, ...]:
    seconds = seconds_by_system(part, clock)
    ours, floors = seconds.get("mlhw", []), floor_seconds(asked, part, clock)
    result = Result(name, tuple(ours), tuple(floors), asked.limit)
    others = {system: median(times) for system, times in seconds.items() if system not in NO_PEERS and times}
    others.pop("imports alone", None)
    best = min(others, key=others.__getitem__, default=None)
    return (
        f"`{name}`",
        _shown(ours, asked),
        _shown(floors, asked) if floors else "–",
        _spread(result.ratios, "") if floors else "–",
        f"{asked.limit:.3g}" if asked.limit else "–",
        result.verdict if asked.limit else "",
        best or "–",
        "–" if best is None else _spread([a / b for a, b in zip(seconds[best], ours, strict=True)], ""),
    )


def _details(name: str, asked: Workload | Program, part: Mapping[str, Any], clock: str) -> str:
    seconds = seconds_by_system(part, clock)
    floors, ours = floor_seconds(asked, part, clock), seconds.get("mlhw", [])
    header = ("system", "time", "/ floor", "/ mlhw", "processor", "peak memory", "threads", "accuracy")
    rows = []
    for system, runs in part["systems"].items():
        times = seconds[system]
        processor = [run["cpu_seconds"] for run in runs if run.get("cpu_seconds") is not None]
        peaks = [run["peak_mb"] for run in runs if run.get("peak_mb") is not None]
        right, threads = runs[-1].get("accuracy"), runs[-1].get("threads")
        rows.append(
            (
                system,
                _shown(times, asked),
                _ratio(times, floors),
                _ratio(times, ours),
                f"{_digits(median(processor))} s" if processor else "–",
                f"{peaks[0]:.0f} MiB" if peaks else "–",  # later ones hold the scoring of accuracy too
                "–" if threads is None else f"{threads}",
                "–" if right is None else f"{100 * right:.1f} %",
            )
        )
    lines = [f"### `{name}`", "", f"{asked.what[0].upper()}{asked.what[1:]}."]
    if asked.floor_is:
        lines[-1] += f" Floor: {asked.floor_is}."
    absent = [f"{system}: {reason.splitlines()[0]}" for system, reason in part["absent"].items()]
    return "\n".join(
        [*lines, "", _table(header, rows), *(["", "Not measured: " + "; ".join(absent)] if absent else [])]
    )


def seconds_by_system(part: Mapping[str, Any], clock: str = "wall") -> dict[str, list[float]]:
    """The seconds of every round by system, of the wall or of the processor."""
    key = "cpu_seconds" if clock == "cpu" else "seconds"
    return {system: [run[key] for run in runs] for system, runs in part["systems"].items()}


def floor_seconds(asked: Workload | Program, part: Mapping[str, Any], clock: str = "wall") -> list[float]:
    """The floor of every round; empty where there is none, or a system that it takes failed."""
    seconds = seconds_by_system(part, clock)
    rounds = min(map(len, seconds.values()), default=0)
    by_round = [{system: times[i] for system, times in seconds.items()} for i in range(rounds)]
    floor = asked.floor if isinstance(asked, Workload) else (lambda times: times["floor"])
    # On the processor's clock work that is spread over cores costs what it costs.
    cores = {"cores": 1.0 if clock == "cpu" else float(part["cores"])}
    try:
        return [floor(times | cores) for times in by_round]
    except KeyError:
        return []


def _memory(parts: Parts) -> str:
    rows = []
    for name, part in parts.items():
        if PARTS[name].kind == "memory":
            needed = part["needed_mb"]
            taken = part["peak_mb"] - part["own_mb"]
            limit = MEMORY_LIMIT * sum(needed.values())
            words = ", ".join(f"{what} {size:.1f}" for what, size in needed.items())
            rows.append(
                (
                    f"`{name.removeprefix('memory-')}`",
                    f"{part['peak_mb']:.0f} MiB",
                    f"{part['own_mb']:.0f} MiB",
                    f"{taken:.1f} MiB",
                    f"{sum(needed.values()):.1f} MiB ({words})",
                    f"{part['ratio']:.2f}",
                    f"{MEMORY_LIMIT}",
                    "held" if taken <= limit else "missed",
                )
            )
    if not rows:
        return ""
    header = ("`mlhw train`", "peak", "libraries' own", "above that", "needed", "ratio", "limit", "")
    return "\n\n".join(["## Memory", _table(header, rows)])


def _growth(parts: Parts, folder: Path) -> str:
    laws = {law: parts[part] for law in growth.LAWS if (part := f"growth-{law.replace(', ', '-')}") in parts}
    if not laws:
        return ""
    rows, fitted = [], {}
    for name, part in laws.items():
        law = growth.LAWS[name]
        sizes = [size for size, _ in part["points"]]
        seconds = [median(times) for _, times in part["points"]]
        steep, one_more = growth.slope(sizes, seconds), growth.each(sizes, seconds)
        fitted[name] = (law, sizes, [times for _, times in part["points"]], steep)
        low, high = law.slope or (None, None)
        held = (low is None or low <= steep <= high) and (law.most_each is None or one_more <= law.most_each)
        claims = [] if low is None else [f"slope {low:.2f} to {high:.2f}" if low else f"slope at most {high:.2f}"]
        claims += [] if law.most_each is None else [f"one more under {1e3 * law.most_each:g} ms"]
        span = f"{sizes[0]:,} to {sizes[-1]:,}"
        verdict = "" if not claims else "held" if held else "missed"
        rows.append(
            (
                law.what,
                law.unit,
                span,
                f"{steep:.2f}",
                f"{1e3 * one_more:.3g} ms" if one_more > 0 else "–",
                ", ".join(claims) or "–",
                verdict,
            )
        )
    header = ("cost of", "grows with", "from … to", "slope", "one more", "claim", "")
    from benchmarks.growth_figure import draw

    draw(fitted, folder / "growth")
    text = "The slope is that of a straight line through the medians on logarithmic axes: 1 is proportional."
    drawn = "The command that wrote this page also drew it: `growth.png`, `growth.svg` beside it."
    return "\n\n".join(["## Growth", f"{text} {drawn}", _table(header, rows)])


def _checks(parts: Parts) -> str:
    rows = []
    for name, part in parts.items():
        if PARTS[name].kind == "check":
            for value in part["results"]:
                result = Result(**{key: tuple(item) if isinstance(item, list) else item for key, item in value.items()})
                limit = (
                    "–" if result.limit is None else f"{result.limit:g}{'' if result.reference else ' ' + result.unit}"
                )
                rows.append(
                    (
                        result.name,
                        _spread(result.ours, result.unit),
                        _spread(result.reference, result.unit),
                        _spread(result.ratios, ""),
                        limit,
                        "; ".join(word for word in (result.verdict.replace("-", ""), result.note) if word),
                    )
                )
    if not rows:
        return ""
    return "\n\n".join(["## Other limits", _table(("", "mlhw", "reference", "ratio", "limit", ""), rows)])


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def _shown(seconds: Sequence[float], asked: Workload | Program) -> str:
    if isinstance(asked, Workload) and asked.unit == "ms":
        return _spread([1e3 * second / asked.per for second in seconds], "ms")
    return _spread(seconds, "s")


def _ratio(times: Sequence[float], others: Sequence[float]) -> str:
    return f"{median(a / b for a, b in zip(times, others, strict=True)):.2f}" if others else "–"


def _spread(values: Sequence[float], unit: str) -> str:
    """Median [least to most] with three significant digits, or a dash where there is nothing."""
    if not values:
        return "–"
    middle, least, most = (_digits(value) for value in (median(values), min(values), max(values)))
    return f"{middle} {unit}".rstrip() + (f" [{least} to {most}]" if len(values) > 1 else "")


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"
