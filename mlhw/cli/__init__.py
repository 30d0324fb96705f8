"""The command line: parse, call one command, print, translate errors once."""

from __future__ import annotations


def main() -> None:
    """Run the program ``mlhw`` on ``sys.argv``."""
    from mlhw.cli.start import run_app

    run_app()
