"""Compared networks, for a person to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlhw.cli.classified import MOST_PICTURES, middle, print_end, print_skipped, short_files
from mlhw.cli.screen import Screen, percent, plain, results

if TYPE_CHECKING:
    from rich.text import Text

SIGNS = {"agree": ("=", "green"), "near": ("~", "yellow"), "plain": ("≠", "red")}
NARROWEST = 18  # columns for a class and its probability; with fewer, networks stand below each other
LEGEND = "= all agree  ~ near miss: one has the other's class in its first five  ≠ plain"


def print_compared(summary: dict[str, Any], predictions: list[dict[str, Any]]) -> None:
    """Print what each network sees in each picture, the numbers, the findings, and where the files are."""
    screen = results()
    good = [record for record in predictions if record["status"] == "ok"]
    if good:
        _print_pictures(screen, summary, good)
        screen.print()
        _print_networks(screen, summary["agreement"])
        screen.print()
        for paragraph in summary["findings"]:
            # Broken between words on a terminal, and not at all in a file.
            screen.console.print(plain(paragraph), soft_wrap=not screen.console.is_terminal)
        screen.print()
    print_skipped(screen, summary)
    print_end(screen, summary)


def _print_pictures(screen: Screen, summary: dict[str, Any], good: list[dict[str, Any]]) -> None:
    """A line for each picture and a column for each network; a line for each network where there is no room beside."""
    from rich.cells import cell_len

    models = [model["name"] for model in summary["models"]]
    shown = good[:MOST_PICTURES]
    files = short_files(good)[: len(shown)]
    firsts = [record["predictions"][name][0] for record in shown for name in models]
    cells = max(cell_len(first["class_name"]) + len(percent(first["probability"])) + 1 for first in firsts)
    room = screen.console.width - 4 - 2 * len(models)
    file_room = min(max(map(cell_len, files)), max(24, room - len(models) * cells))
    cell = min(cells, (room - file_room) // len(models))
    if cell >= min(cells, NARROWEST):
        rows = [
            (middle(file, file_room), _sign(record), *(_cell(record["predictions"][name][0], cell) for name in models))
            for file, record in zip(files, shown, strict=True)
        ]
        screen.print_table(("picture", "", *models), rows)
    else:
        rows = list[tuple[object, ...]]()
        for file, record in zip(files, shown, strict=True):
            for place, name in enumerate(models):
                first = record["predictions"][name][0]
                head = (middle(file, 28), _sign(record)) if place == 0 else ("", "")
                rows.append((*head, name, middle(first["class_name"], 24), percent(first["probability"])))
        screen.print_table(("picture", "", "network", "class", "probability"), rows, right=(4,))
    if len(good) > len(shown):
        screen.print(f"… and {len(good) - len(shown):,} more pictures; all are in predictions.json")
    screen.print(LEGEND, style="dim")


def _sign(record: dict[str, Any]) -> Text:
    from rich.text import Text

    sign, colour = SIGNS[record["verdict"]]
    return Text(sign, style=colour)


def _cell(rank: dict[str, Any], room: int) -> Text:
    from rich.text import Text

    share = percent(rank["probability"])
    return Text.assemble(middle(rank["class_name"], max(4, room - len(share) - 1)), " ", (share, "dim"))


def _print_networks(screen: Screen, found: dict[str, Any]) -> None:
    """The numbers of each network, the smallest first."""
    networks = sorted(found["networks"], key=lambda network: network["parameters"])
    with_truth = found["reference"] == "truth"
    headers = ["network", "parameters", "confidence", "entropy", "agreement"]
    rows = [
        [
            network["name"],
            f"{network['parameters'] / 1e6:,.1f} M",
            percent(network["mean_confidence"]),
            f"{network['mean_entropy_bits']:.2f} bits",
            percent(network["agreement_with_others"]),
        ]
        for network in networks
    ]
    if with_truth:
        headers += ["top-1", "top-5"]
        for row, network in zip(rows, networks, strict=True):
            row += [percent(network["top1_accuracy"]), percent(network["top5_accuracy"])]
    screen.print_table(headers, rows, right=tuple(range(1, len(headers))), spare=(1,))
