"""The program's help page: every command with its words, in frames that fit, without loading rich."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command

from mlhw.cli.app import app
from tests.cli.program import mlhw


def page(columns: int, **environment: str) -> str:
    """What ``mlhw --help`` prints in a terminal that wide."""
    return mlhw("--help", COLUMNS=str(columns), **environment).out


@pytest.fixture(scope="module")
def usual() -> str:
    return page(80)


def test_every_command_stands_with_its_words(usual: str) -> None:
    text = " ".join(usual.replace("│", " ").split())
    commands = get_command(app).commands  # type: ignore[attr-defined]  # the program is a group
    assert len(commands) > 20
    for name, command in commands.items():
        assert f"{name} {' '.join(command.help.split(chr(10) * 2)[0].split())}" in text
    assert "Usage:" in text
    assert "--help -h Show this message and exit." in text
    assert text.endswith("Start with: mlhw train digits-cnn")


@pytest.mark.parametrize("columns", [40, 60, 80, 133])
def test_frames_fit_and_are_straight(columns: int) -> None:
    framed = [line for line in page(columns).splitlines() if line[:1] in tuple("╭│╰")]
    assert {len(line) for line in framed} == {columns}
    assert {line[-1] for line in framed} == set("╮│╯")


def test_colours_follow_the_environment(usual: str) -> None:
    assert "\x1b" not in usual
    assert "\x1b[1;36mtrain\x1b[0m" in page(80, FORCE_COLOR="1")
    assert "\x1b" not in page(80, FORCE_COLOR="1", NO_COLOR="1")


def test_a_code_page_without_frames_gets_plain_ones() -> None:
    text = page(80, PYTHONIOENCODING="ascii")
    assert "+- Options -" in text
    assert "?" not in text


def test_rich_is_not_loaded() -> None:
    code = (
        "import sys; sys.argv = ['mlhw', '--help']\nfrom mlhw.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    print(*[m for m in sys.modules if m == 'rich'], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""


def test_the_program_s_name_alone_prints_the_page_and_is_a_usage_error(usual: str) -> None:
    answer = mlhw(COLUMNS="80")
    assert answer.code == 2
    assert answer.out.strip() == usual.strip()
