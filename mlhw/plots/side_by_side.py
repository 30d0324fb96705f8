"""Contact sheets of a comparison: each picture above what every network takes it for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mlhw.plots.agreement import OUTCOMES
from mlhw.plots.axes import percent
from mlhw.plots.grid import HEAD_GAP, Picture, Sizes, canvas, place, sizes, write
from mlhw.plots.page import MARGIN, Head, Page
from mlhw.plots.style import INK, MUTED, RUN_COLOURS, RUN_MARKERS, SMALL, look
from mlhw.plots.text import fit, shorten, text_width

MOST_NETWORKS: Final = 8  # with a line below each picture
WORDS: Final = {"agree": "all agree", "near": "near miss", "plain": "plain difference"}
_LINE: Final = 1.3  # line height over font size
_KEY_ROW: Final = 0.22  # inches


class Guess(NamedTuple):
    """The class that a network names first, and its probability."""

    name: str
    probability: float


class SideBySide(NamedTuple):
    """A picture with its ``file``, the ``verdict`` on it, the class that most name or None, and a guess of each network."""

    picture: Picture
    file: str
    verdict: str
    agreed: str | None
    guesses: Sequence[Guess]


def draw_side_by_side(cards: Sequence[SideBySide], models: Sequence[str], heading: str, notes: str = "") -> Figure:
    """A figure of ``cards``, below each picture a line for each of the first ``MOST_NETWORKS`` of ``models``.

    A picture's title is the class that more than half of the networks name, with their number where it is not all; a strip in
    the colour of the verdict stands on top of the picture.

    Raises:
        ValueError: there are no cards, or a card has not a guess for each model.
    """
    if not cards or any(len(card.guesses) != len(models) for card in cards):
        raise ValueError(f"expected cards with {len(models)} guesses each, got {[len(card.guesses) for card in cards]}")
    shown = min(len(models), MOST_NETWORKS)
    if shown < len(models):
        notes = f"{notes} The first {shown} of {len(models)} networks are shown.".strip()
    size = sizes(len(cards))
    width = max(2 * MARGIN + (size.columns - 1) * size.pitch + size.side, 4.5)
    with look():
        head = Head(heading, notes, width - 2 * MARGIN)
        keys = _key_rows([*models[:shown], *WORDS.values()], width - 2 * MARGIN)
        line = size.small * _LINE / 72
        above = size.title * _LINE / 72 + 0.08
        pitch = above + size.side + 0.1 + (shown + 1) * line + 0.24
        rows = -(-len(cards) // size.columns)
        top = MARGIN + head.height + len(keys) * _KEY_ROW + HEAD_GAP
        page = Page(width, top + rows * pitch - 0.24 + MARGIN)
        head.draw(page)
        sheet = canvas(page)
        _draw_keys(sheet, keys, shown, MARGIN + head.height)
        for number, card in enumerate(cards):
            row, column = divmod(number, size.columns)
            _draw(sheet, card, shown, MARGIN + column * size.pitch, top + row * pitch, above, size)
        sheet.set(xlim=(0, width), ylim=(page.height, 0), aspect="auto")  # imshow has moved the limits
    return page.figure


Key = tuple[int, str]


def _key_rows(words: Sequence[str], width: float) -> list[list[Key]]:
    """The ``words`` with their places, in as many rows as they need."""
    rows: list[list[Key]] = [[]]
    used = 0.0
    for number, name in enumerate(words):
        room = text_width(name, SMALL) / 72 + 0.4
        if rows[-1] and used + room > width:
            rows.append([])
            used = 0.0
        rows[-1].append((number, name))
        used += room
    return rows


def _draw_keys(sheet: Axes, rows: Sequence[Sequence[Key]], networks: int, top: float) -> None:
    """Write the keys: of the first ``networks`` the signs, of the rest, which are verdicts, a strip."""
    colours = list(OUTCOMES.values())
    for row, keys in enumerate(rows):
        left, middle = MARGIN, top + row * _KEY_ROW + 0.08
        for number, name in keys:
            if number < networks:
                _mark(sheet, left + 0.06, middle, number, 6.0)
            else:
                strip = Rectangle((left, middle - 0.02), 0.13, 0.04, color=colours[number - networks], linewidth=0)
                sheet.add_patch(strip)
            write(sheet, left + 0.17, middle, name, SMALL, va="center_baseline", gid="key")
            left += text_width(name, SMALL) / 72 + 0.4


def _mark(sheet: Axes, x: float, y: float, number: int, size: float) -> None:
    shade, sign = RUN_COLOURS[number % len(RUN_COLOURS)], RUN_MARKERS[number % len(RUN_MARKERS)]
    sheet.plot([x], [y], linestyle="", marker=sign, markersize=size, color=shade, markeredgewidth=0, clip_on=False)


def _draw(sheet: Axes, card: SideBySide, shown: int, left: float, top: float, above: float, size: Sizes) -> None:
    """One card whose upper left corner is at ``left``, ``top``."""
    named = sum(guess.name == card.agreed for guess in card.guesses)
    count = "" if named in (0, len(card.guesses)) else f"{named} of {len(card.guesses)}"
    room = size.side * 72 - (text_width(count, size.small) + 5 if count else 0)
    title, points = fit(card.agreed or "no majority", room, size.title, 6.0, 1, bold=card.agreed is not None)
    how: dict[str, Any] = {"weight": "bold"} if card.agreed else {"color": MUTED}
    write(sheet, left, top + above - 0.1, title, points, va="baseline", gid="title", **how)
    write(sheet, left + size.side, top + above - 0.1, count, size.small, va="baseline", ha="right", color=MUTED)
    colour = OUTCOMES[card.verdict]
    sheet.add_patch(Rectangle((left, top + above - 0.04), size.side, 0.04, color=colour, linewidth=0, zorder=3))
    place(sheet, card.picture, left, top + above, size.side)
    line, below = size.small * _LINE / 72, top + above + size.side + 0.07
    mark = size.small * 0.6
    indent = mark / 72 + 0.07
    for number, guess in enumerate(card.guesses[:shown]):
        middle = below + (number + 0.5) * line
        _mark(sheet, left + mark / 144, middle, number, mark)
        share = percent(guess.probability)
        room = size.side * 72 - text_width(share, size.small) - 72 * indent - 4
        name = shorten(guess.name, room, size.small)
        write(sheet, left + indent, middle, name, size.small, va="center_baseline", color=INK, gid="guess")
        write(sheet, left + size.side, middle, share, size.small, va="center_baseline", ha="right", gid="guess")
    file = shorten(card.file, size.side * 72, size.small)
    write(sheet, left, below + (shown + 0.5) * line, file, size.small, va="center_baseline", color=MUTED, gid="file")
