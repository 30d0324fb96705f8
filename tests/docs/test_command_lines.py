"""Every command line that the pages show is run as it is written, and every mention of a command names what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.datasets.made import write_mnist
from tests.docs.desk import Desk
from tests.docs.lines import ROOT, blocks, lines, mentions, pages
from tests.docs.usage import faults

SHOWN = [page for page in pages() if lines(page)]
MOST_NOT_RUN = 0.2
"""The share of command lines that may be marked as not run: for what downloads or takes long, not for what fails."""


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prepared(desk: Desk, page: Path) -> Desk:
    """The desk with what ``page`` takes for granted."""
    desk.take(ROOT / "docs" / "check.md")
    desk.take(page)
    (desk.folder / "my_layer.py").write_bytes((desk.folder / "dense.py").read_bytes())
    (desk.folder / "hand-ins" / "anna").mkdir(parents=True)
    (desk.folder / "hand-ins" / "anna" / "my_layer.py").write_bytes((desk.folder / "dense.py").read_bytes())
    if any("resnet18" in line.text and line.mark != "not run" for line in lines(page)):
        desk.weights("resnet18")
    if any("train numpy-mlp" in line.text for line in lines(page)):
        write_mnist(desk.folder / "data", train=20_000, test=60)  # it takes so many rows
    return desk


def failures(desk: Desk, page: Path, *, slow: bool) -> list[str]:
    """Run the lines of ``page`` in their order; those that did not end as they should, with what they said."""
    found = []
    for line in lines(page):
        if line.mark == "not run" or (line.mark == "slow" and not slow):
            continue
        answer = desk.run(line)
        if answer.code not in line.codes:
            found.append(f"{named(page)}:{line.number}: {line.text}\nended with {answer.code}\n{answer.err}")
    return found


@pytest.mark.parametrize("page", SHOWN, ids=named)
def test_command_lines_run_as_written(desk: Desk, page: Path) -> None:
    assert not failures(prepared(desk, page), page, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in SHOWN if any(line.mark == "slow" for line in lines(p))], ids=named)
def test_slow_command_lines_run_as_written(desk: Desk, page: Path) -> None:
    assert not failures(prepared(desk, page), page, slow=True)


@pytest.mark.parametrize("page", pages(), ids=named)
def test_every_mention_names_commands_and_options_that_there_are(page: Path) -> None:
    told = [(number, " ".join(words)) for line in lines(page) for number in [line.number] for words in line.commands]
    for number, code in [*told, *mentions(page)]:
        assert not faults(code), f"{named(page)}:{number}: {code}: {faults(code)}"


@pytest.mark.parametrize("page", pages(), ids=named)
def test_commands_stand_in_blocks_that_are_run(page: Path) -> None:
    for block in blocks(page):
        assert block.language, f"{named(page)}:{block.number}: a block without a language"
        if block.language != "sh":
            assert not [text for text in block.lines if text.startswith(("mlhw ", "$ mlhw"))], named(page)
    for number, text in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        assert not text.startswith("    mlhw "), f"{named(page)}:{number}: a command outside a block of sh"


def test_few_lines_are_not_run() -> None:
    shown = [line for page in pages() for line in lines(page)]
    unrun = [line for line in shown if line.mark == "not run" and line.commands[0][0] == "mlhw"]
    assert len(unrun) <= MOST_NOT_RUN * len(shown), [line.text for line in unrun]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("mlhw trian digits-cnn", "no command 'trian'"),
        ("mlhw data fecth mnist", "no command 'fecth'"),
        ("mlhw data list|fecth", "no command 'fecth'"),
        ("mlhw train digits-cnn --jsno", "no option '--jsno'"),
        ("mlhw report RUN --pfd", "no option '--pfd'"),
    ],
)
def test_a_misspelt_command_is_found(wrong: str, said: str) -> None:
    assert said in "".join(faults(wrong))


def test_a_misspelt_line_fails_and_a_stale_mark_too(desk: Desk, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\nmlhw summary digits-cnm  # misspelt\nmlhw --version && mlhw runs\n```\n", encoding="utf-8")
    first, second = lines(page)
    assert desk.run(first).code == 2
    assert desk.run(second).out.startswith("mlhw ")
    page.write_text("<!-- not run: mlhw runs: why -->\n\n```sh\nmlhw list\n```\n", encoding="utf-8")
    with pytest.raises(ValueError, match="marks that fit no line"):
        lines(page)
