"""A shell that a user types into: a real one, on a terminal of its own."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INTERACTIVE = {"bash": ["--noprofile", "-i"], "zsh": ["-i"], "fish": ["-i"]}
READY = "ready-to-type"
# What each needs for a prompt that a test can wait for. Zsh asks a new user questions where there is no .zshrc.
RC = {
    "bash": (".bashrc", f"PS1='{READY}> '\nbind 'set bell-style none'\nbind 'set completion-query-items 0'\n"),
    "zsh": (".zshrc", f"PS1='{READY}> '\nunsetopt beep\nautoload -Uz compinit\nLISTMAX=0\n"),
    "fish": (".config/fish/config.fish", f"function fish_prompt; echo -n '{READY}> '; end\nset -U fish_greeting\n"),
}
# Makes the terminal that of the new session, as a login does: fish insists on it.
LOGIN = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
GUARD_SECONDS = 120.0  # against hanging for ever; what is expected is there long before
_ESCAPES = re.compile(r"\x1b(\[[0-9;?=><]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][0-9A-B]|[=>78cDEHM])")


def home(folder: Path, shell: str) -> dict[str, str]:
    """The environment of a new user of ``shell`` at home in ``folder``, with a program ``mlhw`` in the path."""
    program = folder / "bin" / "mlhw"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mlhw "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    name, text = RC[shell]
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if name.startswith(("MLHW_", "PYTHON", "LANG", "LC_"))}
    path = os.pathsep.join([str(program.parent), os.environ.get("PATH", os.defpath)])
    package = str(Path(__file__).parents[2])
    own = {"HOME": str(folder), "ZDOTDIR": str(folder), "PATH": path, "PYTHONPATH": package, "TERM": "xterm"}
    return {**kept, **own, "COLUMNS": "120", "LINES": "40"}


def run_in(shell: str, line: str, environment: dict[str, str]) -> str:
    """What ``line`` prints, given to ``shell`` as a command of a script."""
    found = shutil.which(shell)
    assert found is not None
    # A second command keeps the shell from replacing itself by the first: the program asks which shell it is called from.
    done = subprocess.run(
        [found, "-c", f"{line}; true"],
        env=environment,
        cwd=environment["HOME"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


class Typing:
    """A terminal with a shell on it."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process, self.terminal, self.seen = process, terminal, ""

    def type(self, keys: str) -> None:
        """Press ``keys``."""
        os.write(self.terminal, keys.encode())

    def wait_for(self, pattern: str) -> str:
        """What was written on the terminal, without escape sequences, up to the end of ``pattern``; it is then forgotten.

        Raises:
            AssertionError: it did not come.
        """
        until = time.monotonic() + GUARD_SECONDS
        while (match := re.search(pattern, _ESCAPES.sub("", self.seen))) is None:
            ready, _, _ = select.select([self.terminal], [], [], 1.0)
            if ready:
                try:
                    piece = os.read(self.terminal, 65536).decode(errors="replace")
                except OSError:
                    piece = ""
                if "\x1b[c" in piece or "\x1b[0c" in piece:  # fish asks what kind of terminal this is, and waits
                    os.write(self.terminal, b"\x1b[?62;c")
                self.seen += piece
            assert time.monotonic() < until, f"{pattern!r} did not come: {self.seen[-2000:]!r}"
        text = _ESCAPES.sub("", self.seen)[: match.end()]
        self.seen = ""
        return text


@contextmanager
def typing_into(shell: str, environment: dict[str, str]) -> Iterator[Typing]:
    """A block with an interactive ``shell`` that has read its settings."""
    import fcntl
    import pty
    import struct
    import termios

    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    found = shutil.which(shell)
    assert found is not None
    process = subprocess.Popen(
        [sys.executable, "-c", LOGIN, found, *INTERACTIVE[shell]],
        stdin=there,
        stdout=there,
        stderr=there,
        env=environment,
        cwd=environment["HOME"],
        start_new_session=True,
    )
    os.close(there)
    try:
        typing = Typing(process, here)
        typing.wait_for(READY)
        yield typing
    finally:
        process.kill()
        process.wait()
        os.close(here)
