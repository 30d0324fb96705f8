"""What a person sees: readable durations, nothing executable from data, tables that fit."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from mlhw.cli.live import Live
from mlhw.cli.screen import Screen, percent, plain, seconds
from mlhw.protocols import EpochRow
from mlhw.training.state import LoopState, MemberEpoch
from tests.cli.program import mlhw


def screen(width: int, terminal: bool = True) -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    made = Screen(stderr=False)
    made.console = Console(
        file=out, width=width, force_terminal=terminal, highlight=False, soft_wrap=True, color_system=None
    )
    return made, out


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.04, "0.0 s"), (9.96, "10.0 s"), (42.4, "42 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (None, "–")],
)
def test_durations_read_well(value: float | None, text: str) -> None:
    assert seconds(value) == text


def test_percent() -> None:
    assert percent(0.98123) == "98.12 %"
    assert percent(None) == "–"


def test_control_characters_and_markup_from_data_are_text() -> None:
    made, out = screen(80)
    made.print("[red]name[/red] \x1b[2J\x07 \x9b1m")
    assert out.getvalue() == "[red]name[/red] �[2J� �1m\n"
    assert plain("a\x00b").plain == "a�b"


def test_a_narrow_terminal_loses_spare_columns_and_no_name() -> None:
    rows = [("a-very-long-run-id-20261121-061806-9027", "done", 100, "98.3 %")]
    for width, shown in ((100, True), (60, False)):
        made, out = screen(width)
        made.print_table(("run", "status", "epochs", "test"), rows, right=(2, 3), spare=(2,))
        assert rows[0][0] in out.getvalue()
        assert "98.3 %" in out.getvalue()
        assert ("100" in out.getvalue()) is shown


def live(width: int, terminal: bool, quiet: bool = False) -> tuple[Live, io.StringIO]:
    display = Live(quiet=quiet)
    display.screen, out = screen(width, terminal)
    display.live = terminal
    return display, out


ROWS = [EpochRow(1, "train", 0.51234, 0.8, 0.1, 1.0), EpochRow(1, "val", 0.6, 0.75, 0.1, 0.5)]


def test_without_a_terminal_there_is_one_line_an_epoch() -> None:
    display, out = live(200, terminal=False)
    display.begin(3, LoopState())
    display.on_step(1, 10, 100)
    display.on_epoch([MemberEpoch(0, 0, LoopState(epoch=1), ROWS, improved=True)])
    display.end()
    assert out.getvalue() == "epoch 1/3  train loss 0.5123 acc 80.00 %  val loss 0.6000 acc 75.00 %  1.5 s  best\n"


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_live_bar_fits_its_terminal_and_is_gone_afterwards(width: int) -> None:
    display, out = live(width, terminal=True)
    display.begin(10, LoopState(epoch=2))
    display.on_epoch([MemberEpoch(0, 0, LoopState(epoch=3), ROWS, improved=True)])
    display.on_step(4, 50, 100)
    assert display._bar is not None
    display._bar.refresh()
    text = out.getvalue()
    assert "epoch 4/10" in text
    assert ("val loss 0.6000" in text) is (width >= 90)
    assert "75.00 %" in text
    display.end()
    assert display._bar is None
    assert (
        max(len(line) for line in Console(width=width).render_str(text).plain.split("\r")[0].splitlines() or [""])
        <= width * 3
    )


def test_quiet_says_nothing_but_warnings() -> None:
    display, out = live(200, terminal=False, quiet=True)
    display.say("hello")
    display.progress("preparing", 1, 2)
    display.begin(3, LoopState())
    display.on_epoch([MemberEpoch(0, 0, LoopState(epoch=1), ROWS, improved=True)])
    display.end()
    assert out.getvalue() == ""
    display.warn("look here")
    assert "look here" in out.getvalue()


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1", "FORCE_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_no_colour_where_none_is_wanted(environment: dict[str, str]) -> None:
    done = mlhw("train", "nothing", **environment)
    assert "\x1b[3" not in done.err
    assert "\x1b[9" not in done.err


def test_colour_where_it_is_forced() -> None:
    assert "\x1b[1;31m" in mlhw("train", "nothing", FORCE_COLOR="1", TERM="xterm-256color").err
