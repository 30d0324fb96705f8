"""Reports in a real browser: nothing overflows, nothing fails, and what can be touched does what it says."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlhw.commands.report.report import report
from mlhw.commands.settings import Settings, from_environment
from tests.reports import chromium, hostile, made
from tests.reports.chromium import Page


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports to look at, by name: of one run, of two settings, of five seeds, and of attacks."""
    chromium.program()  # skips where there is none, before any work
    folder = tmp_path_factory.mktemp("reports")
    settings = Settings(data=folder / "data", outputs=folder / "outputs", cache=folder / "cache")
    outputs = settings.outputs
    one, other = "digits-cnn-20260105-000000-0001", "digits-cnn-20260105-000001-0002"
    made.run(outputs, one, rows=made.epochs(40))
    made.run(outputs, other, "train.lr=0.5", rows=made.epochs(30, 3))
    attacks = hostile.run(outputs)
    sweep = made.five(outputs)
    found = {}
    for name, of in {"one": [one], "two": [one, other], "five": [sweep], "attacks": [attacks]}.items():
        found[name] = Path(report(settings, of, None, False, lambda what, done, total: None)["path"])
    return found


@pytest.fixture(scope="module")
def browser_() -> Iterator[Page]:
    with chromium.page() as tab:
        yield tab


@pytest.fixture
def tab(browser_: Page) -> Iterator[Page]:
    """A tab of a browser that all tests share; whatever fails in a page fails the test."""
    browser_.faults.clear()
    browser_.asked.clear()
    browser_.size(1000)
    yield browser_
    assert browser_.faults == []
    assert all(address.startswith("file:") for address in browser_.asked)


@pytest.mark.parametrize("name", ["one", "two", "five", "attacks"])
@pytest.mark.parametrize("width", [380, 900, 1600])
def test_a_page_fits_its_window_and_asks_for_nothing(tab: Page, pages: dict[str, Path], name: str, width: int) -> None:
    for dark in (False, True):
        tab.size(width, dark=dark)
        tab.open(pages[name])
        assert tab.js("document.documentElement.scrollWidth") <= width
        assert len(tab.asked) == 1
        tab.asked.clear()
    assert tab.js("document.querySelectorAll('.plot svg path.ln').length") > 0


# Of each table's box: whether it is in the window, its last cell can be scrolled to, no cell is left out, and all that is said.
BOXES = """[...document.querySelectorAll('.scroll')].map(box => {
  const place = box.getBoundingClientRect(), cells = [...box.querySelectorAll('th, td')];
  box.scrollLeft = 1e6;
  const right = Math.max(...cells.map(cell => cell.getBoundingClientRect().right));
  return [box.getAttribute('aria-label'), place.left >= 0 && place.right <= innerWidth, right <= place.right + 1,
          cells.every(cell => getComputedStyle(cell).display !== 'none'), box.scrollLeft > 0,
          getComputedStyle(box).backgroundAttachment]})"""


@pytest.mark.parametrize("name", ["one", "five", "attacks"])
def test_a_narrow_window_has_whole_tables_that_scroll_in_their_boxes(
    tab: Page, pages: dict[str, Path], name: str
) -> None:
    tab.size(420)
    tab.open(pages[name])
    tab.js("document.querySelectorAll('details').forEach(each => each.open = true)")
    boxes = tab.js(BOXES)
    assert [box for box in boxes if box[1:4] != [True, True, True]] == []
    assert any(box[4] for box in boxes)
    assert {box[5] for box in boxes} == {"local, local, scroll, scroll"}  # the shadows that show that a table goes on
    assert tab.js("document.documentElement.scrollWidth") <= 420


def test_dark_and_light_are_different_and_the_button_changes_them(tab: Page, pages: dict[str, Path]) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    tab.open(pages["one"])
    light = tab.js(paper)
    tab.click("#theme")
    dark = tab.js(paper)
    tab.size(1000, dark=True)
    tab.open(pages["one"])
    assert light == "rgb(255, 255, 255)"
    assert tab.js(paper) == dark != light
    tab.click("#theme")
    assert tab.js(paper) == light


def shown(tab: Page, chart: str) -> str:
    """The box at the cursor of ``chart``, empty where it is hidden."""
    return str(tab.js(f"(t => t.hidden ? '' : t.innerText)(document.querySelector('#{chart} .tip'))"))


def test_pointing_at_a_chart_reads_the_values_of_both(tab: Page, pages: dict[str, Path]) -> None:
    tab.open(pages["one"])
    tab.hover("#loss", 0.55)
    rows = {row.epoch: row for row in made.epochs(40) if row.split == "val"}
    said = shown(tab, "loss")
    epoch = int(said.split()[1].rstrip(","))
    assert 15 < epoch < 28
    assert f"{rows[epoch].loss:.4f}" in said
    assert f"{100 * rows[epoch].accuracy:.2f} %" in shown(tab, "accuracy")
    tab.hover("h1")
    assert shown(tab, "loss") == ""


def test_the_keyboard_reads_the_values_and_says_them(tab: Page, pages: dict[str, Path]) -> None:
    tab.open(pages["one"])
    tab.js("document.querySelector('#accuracy').focus()")
    tab.key("Home")
    tab.key("ArrowRight")
    assert shown(tab, "accuracy").startswith("epoch 2")
    assert tab.js("document.querySelector('#spoken').textContent").startswith("Epoch 2. Loss: train 1.0")
    tab.key("End")
    assert shown(tab, "loss").startswith("epoch 40")
    tab.key("Escape")
    assert shown(tab, "loss") == ""


def pressed(tab: Page, host: str) -> list[bool]:
    return [
        state == "true"
        for state in tab.js(
            f"[...document.querySelectorAll('#{host} button')].map(b => b.getAttribute('aria-pressed'))"
        )
    ]


def test_names_hide_and_show_their_lines(tab: Page, pages: dict[str, Path]) -> None:
    count = "document.querySelectorAll('#loss path.ln').length"
    tab.open(pages["two"])
    assert (tab.js(count), pressed(tab, "lines")) == (4, [True, True])
    tab.click("#splits button")
    assert (tab.js(count), pressed(tab, "splits")) == (2, [False, True, True])
    tab.click("#lines button:last-child")
    assert (tab.js(count), pressed(tab, "lines")) == (1, [True, False])
    tab.click("#lines button", shift=True)
    assert pressed(tab, "lines") == [True, True]
    tab.click("#lines button", shift=True)
    assert pressed(tab, "lines") == [True, False]
    tab.js("document.querySelector('#lines button:last-child').focus()")
    tab.key("Enter")
    assert pressed(tab, "lines") == [True, True]


def ticks(tab: Page) -> list[str]:
    return tab.js("[...document.querySelectorAll('#loss text[text-anchor=end]')].map(t => t.textContent)")


def test_the_loss_has_a_logarithmic_axis(tab: Page, pages: dict[str, Path]) -> None:
    tab.open(pages["one"])
    begun = tab.js("document.querySelector('#log').checked")
    ratios = []
    for _ in range(2):
        values = [float(tick) for tick in ticks(tab)]
        ratios.append((tab.js("document.querySelector('#log').checked"), values[-1] / max(values[0], 1e-9)))
        tab.click("#log")
    assert begun is True  # from about 1.5 to 0.02
    (_, logarithmic), (_, linear) = ratios
    assert logarithmic >= 10
    steps = [float(tick) for tick in ticks(tab)]
    assert steps == sorted(steps)
    assert linear != logarithmic


def test_smoothing_smooths_and_shows_what_was(tab: Page, pages: dict[str, Path]) -> None:
    tab.open(pages["one"])
    before = tab.js("document.querySelector('#loss path.ln').getAttribute('d')")
    tab.js("(s => { s.value = 0.9; s.dispatchEvent(new Event('input')); })(document.querySelector('#smooth'))")
    lines = tab.js(
        "[...document.querySelectorAll('#loss path.ln')].map(p => [p.classList.contains('raw'), p.getAttribute('d')])"
    )
    assert tab.js("document.querySelector('#smooth-value').textContent") == "0.90"
    assert [raw for raw, _ in lines] == [True, False, True, False]
    assert lines[0][1] != lines[1][1]
    assert before


def test_seeds_are_a_mean_with_a_band_or_every_run(tab: Page, pages: dict[str, Path]) -> None:
    counts = "['ln', 'band', 'member'].map(c => document.querySelectorAll('#loss path.' + c).length)"
    tab.open(pages["five"])
    assert tab.js(counts) == [2, 2, 0]
    tab.hover("#loss", 0.6)
    assert "±" in shown(tab, "loss")
    tab.click("#each")
    assert tab.js(counts) == [10, 0, 10]


def test_a_cell_of_the_matrix_is_told_in_words(tab: Page, pages: dict[str, Path]) -> None:
    tab.open(pages["one"])
    tab.hover("#matrix td.miss")
    assert "taken for" in tab.js("document.querySelector('#cell').textContent")
    tab.hover("#matrix td.hit")
    assert ": right, " in tab.js("document.querySelector('#cell').textContent")


def test_nothing_that_a_name_says_is_done(tab: Page, pages: dict[str, Path]) -> None:
    tab.open(pages["attacks"])
    tab.hover("#loss")
    tab.hover("#matrix td.miss")
    assert tab.js("typeof window.hit") == "undefined"
    text = tab.js("document.body.textContent")
    assert "<script>window.hit=1</script>" in text
    assert "{{ 7 * 7 }}${7*7}" in text
    assert tab.js("document.title").startswith("digits-cnn")


def test_the_policy_stops_a_script_that_is_not_ours(tab: Page, pages: dict[str, Path], tmp_path: Path) -> None:
    """The second lock: even an element that got in would do nothing."""
    broken = tmp_path / "broken.html"
    source = pages["one"].read_text(encoding="utf-8")
    broken.write_text(source.replace("</main>", "<script>window.hit=4</script></main>"), encoding="utf-8")
    tab.open(broken)
    assert tab.js("typeof window.hit") == "undefined"
    assert any("Content Security Policy" in fault for fault in tab.faults)
    tab.faults.clear()


def test_a_picture_of_the_page_is_not_empty(tab: Page, pages: dict[str, Path]) -> None:
    tab.open(pages["two"])
    pixels = tab.picture()
    assert pixels.startswith(b"\x89PNG")
    assert len(zlib.compress(pixels)) > 20_000


def test_the_page_prints_with_its_details_open_and_in_light(tab: Page, pages: dict[str, Path]) -> None:
    tab.size(380, dark=True)
    tab.open(pages["one"])
    opened = tab.js(
        "(() => { dispatchEvent(new Event('beforeprint')); const found = [...document.querySelectorAll('details.printed')]"
        ".every(d => d.open); dispatchEvent(new Event('afterprint')); return found; })()"
    )
    assert opened
    assert not tab.js("document.querySelector('details.printed').open")
    tab.send("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert tab.js("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.js("getComputedStyle(document.querySelector('nav')).display") == "none"
    tab.send("Emulation.setEmulatedMedia", media="")


def test_pdf_is_written_by_the_command(pages: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    run = pages["one"].parent
    monkeypatch.setenv("MLHW_OUTPUTS", str(run.parent))
    found: dict[str, Any] = report(from_environment(), [run.name], None, True, lambda what, done, total: None)
    content = Path(found["pdf"]).read_bytes()
    assert found["pdf"] == str(run / "report.pdf")
    assert content.startswith(b"%PDF-")
    assert b"%%EOF" in content[-64:]
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") >= 2
