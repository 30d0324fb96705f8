"""A page as PDF, printed by a Chromium that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mlhw.errors import ConfigError, OutputError
from mlhw.files import atomic_write

VARIABLE: Final = "MLHW_BROWSER"
NAMES: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
    "brave-browser",
)
PLACES: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "{ProgramFiles}/Google/Chrome/Application/chrome.exe",
    "{ProgramFiles(x86)}/Google/Chrome/Application/chrome.exe",
    "{ProgramFiles(x86)}/Microsoft/Edge/Application/msedge.exe",
)
SECONDS: Final = 120.0


def find(environ: Mapping[str, str] = os.environ) -> str | None:
    """The program that ``MLHW_BROWSER`` names, else the first Chromium that is installed, or None.

    Raises:
        ConfigError: MLHW_BROWSER names no program.
    """
    if asked := environ.get(VARIABLE):
        found = shutil.which(asked, path=environ.get("PATH"))
        if found is None:
            raise ConfigError(
                f"{VARIABLE} should name a Chromium, got '{asked}', which is no program. Correct it or unset it."
            )
        return found
    for name in NAMES:
        if found := shutil.which(name, path=environ.get("PATH")):
            return found
    for place in PLACES:
        for variable in ("ProgramFiles", "ProgramFiles(x86)"):
            place = place.replace(f"{{{variable}}}", environ.get(variable, ""))
        if Path(place).is_file():
            return place
    return None


def print_pdf(page: Path, target: Path, browser: str | None) -> None:
    """Write ``target``, the PDF of the HTML file ``page``.

    Raises:
        OutputError: there is no browser, or it wrote none in two minutes; ``page`` stays, and says what to do.
    """
    instead = f"{page} is written: open it in a browser and print it from there"
    if browser is None:
        raise OutputError(
            f"no PDF: no Chromium, Chrome or Edge was found. {instead}, or install one, or name its program in {VARIABLE}."
        )
    with tempfile.TemporaryDirectory(prefix="mlhw-", ignore_cleanup_errors=True) as folder:
        printed = Path(folder) / "report.pdf"
        try:
            done = subprocess.run(
                [
                    browser,
                    *flags(Path(folder)),
                    "--no-pdf-header-footer",
                    f"--print-to-pdf={printed}",
                    page.resolve().as_uri(),
                ],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OutputError(f"no PDF: {browser}: {error}. {instead}.") from error
        if not printed.exists() or not printed.stat().st_size:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            why = said[-1][:200] if said else f"it ended with {done.returncode}"
            raise OutputError(f"no PDF: {browser} wrote none ({why}). {instead}.")
        with atomic_write(target) as file:
            file.write(printed.read_bytes())


def flags(profile: Path) -> list[str]:
    """What a headless Chromium is started with: a profile of its own, and nothing that calls home."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [
        "--headless",
        "--disable-gpu",
        "--no-first-run",
        "--disable-extensions",
        "--disable-background-networking",
        "--disable-component-update",
        f"--user-data-dir={profile / 'profile'}",
        *(["--no-sandbox"] if as_root else []),  # Chromium refuses to start for root with its sandbox; the page is ours
    ]
