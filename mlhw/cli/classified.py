"""Classified pictures, for a person to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlhw.cli.screen import Screen, errors, percent, plain, results, seconds

if TYPE_CHECKING:
    from rich.text import Text

MOST_LINES = 70  # of a table with all ranks
MOST_PICTURES = 40  # of a table with one line each
MOST_CLASSES = 10
MOST_SKIPPED = 10
BAR = 20  # columns
EIGHTHS = " ▏▎▍▌▋▊▉"


def print_classified(summary: dict[str, Any], predictions: list[dict[str, Any]], what: str = "picture") -> None:
    """Print a table for each network, what was skipped, and where the files are; ``what`` one input is called."""
    screen = results()
    good = [record for record in predictions if record["status"] == "ok"]
    for model in summary["models"]:
        if good:
            _print_model(screen, summary, model, good, what)
            screen.print()
    print_skipped(screen, summary)
    print_end(screen, summary, what)


def _print_model(
    screen: Screen, summary: dict[str, Any], model: dict[str, Any], good: list[dict[str, Any]], what: str
) -> None:
    name = model["name"]
    screen.print(f"{name}  ({model['parameters']:,} parameters)", style="bold")
    most = max(len(record["predictions"][name]) for record in good)
    ranks = most if most * len(good) <= MOST_LINES else 1
    shown = good[:MOST_PICTURES]
    files = short_files(good)[: len(shown)]
    classes = [rank["class_name"] for record in shown for rank in record["predictions"][name][:ranks]]
    rooms = shared_out(screen.console.width - len("probability") - BAR - 6, files, classes)
    rows = [
        _row(file if place == 0 else "", rank, rooms, dim=place > 0)
        for file, record in zip(files, shown, strict=True)
        for place, rank in enumerate(record["predictions"][name][:ranks])
    ]
    screen.print_table((what, "class", "probability", ""), rows, right=(2,), spare=(3,))
    if len(good) > MOST_PICTURES:
        screen.print(f"… and {len(good) - MOST_PICTURES:,} more {what}s; all are in {model['predictions']}")
        counts = list(summary["classes"][name].items())
        screen.print()
        shares = [(label, f"{count:,}", percent(count / len(good))) for label, count in counts[:MOST_CLASSES]]
        screen.print_table(("most often", f"{what}s", "share"), shares, right=(1, 2))
    elif ranks < most:
        screen.print(f"the likeliest class of each; the first {most} are in {model['predictions']}", style="dim")


def short_files(records: list[dict[str, Any]]) -> list[str]:
    """The names of the pictures without the folder that they share."""
    from mlhw.datasets.names import below_shared

    return below_shared([record["file"] for record in records])


def shared_out(room: int, files: list[str], names: list[str]) -> tuple[int, int]:
    """Columns for ``files`` and for ``names``, of ``room`` in all: what they need, or else half, or what the other leaves."""
    from rich.cells import cell_len

    file, name = (max(map(cell_len, texts), default=0) for texts in (files, names))
    if file + name <= room:
        return file, name
    name = min(name, max(room // 2, room - file))
    return max(room - name, 8), max(name, 8)


def _row(file: str, rank: dict[str, Any], rooms: tuple[int, int], *, dim: bool) -> tuple[object, ...]:
    from rich.text import Text

    style = "dim" if dim else ""
    name = Text(middle(rank["class_name"], rooms[1]), style="dim" if dim else "bold")
    share = Text(percent(rank["probability"]), style=style)
    return middle(file, rooms[0]), name, share, bar(rank["probability"], "dim" if dim else "cyan")


def bar(share: float, style: str, width: int = BAR) -> Text:
    """A bar of ``width`` columns of which ``share`` is filled, to an eighth of a column."""
    from rich.text import Text

    whole, eighths = divmod(round(8 * width * share), 8)
    return Text("█" * whole + EIGHTHS[eighths].strip(), style=style)


def middle(text: str, most: int) -> str:
    """``text`` on one line of at most ``most`` columns; its middle goes where it is longer."""
    from rich.cells import cell_len

    text = plain(text.replace("\n", " ").replace("\t", " ")).plain
    if cell_len(text) <= most:
        return text
    keep = most - 1
    while True:
        head, tail = (keep + 1) // 2, keep // 2
        short = text[:head] + "…" + text[len(text) - tail :]
        if cell_len(short) <= most:
            return short
        keep -= 1


def print_skipped(screen: Screen, summary: dict[str, Any]) -> None:
    """List the first pictures that were skipped, with the reasons."""
    skipped, count = summary["skipped"], summary["pictures"]["skipped"]
    if not count:
        return
    room = max(20, screen.console.width // 2)
    rows = [(middle(each["file"], room), each["reason"]) for each in skipped[:MOST_SKIPPED]]
    screen.print_table(("skipped", "reason"), rows)
    if count > MOST_SKIPPED:
        screen.print(f"… and {count - MOST_SKIPPED:,} more; all are in predictions.csv")
    screen.print()


def print_end(screen: Screen, summary: dict[str, Any], what: str = "picture") -> None:
    """How many pictures in which time, and where the run is."""
    counts, took = summary["pictures"], summary["seconds_classifying"]
    rate = f", {summary['pictures_this_sitting'] / took:,.0f} a second" if took > 1 else ""
    words = f"{counts['classified']:,} {what}{'s' if counts['classified'] != 1 else ''} classified"
    if counts["skipped"]:
        words += f", {counts['skipped']:,} skipped"
    screen.print(f"{words}, in {seconds(took)}{rate}")
    screen.print(summary["path"])


def print_architectures(experiment: Any, as_json: bool) -> None:
    """Print the networks of ``experiment`` layer by layer."""
    from mlhw.cli.screen import print_json
    from mlhw.cli.summary import print_summary
    from mlhw.commands.pretrained.architecture import architecture

    records = [architecture(name) for name in experiment.pretrained.models]
    if as_json:
        for record in records:
            print_json(record)
        return
    for place, record in enumerate(records):
        if place:
            results().print()
        if record["layers"] is not None:
            print_summary(record)
        else:
            results().print(f"{record['experiment']}  ({record['parameters']:,} parameters)", style="bold")
            results().print(record["text"])
            errors().print("printed as torch does: for some of its layers there is no arithmetic by hand", "dim")
