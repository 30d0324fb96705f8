"""doctor."""

from __future__ import annotations

from mlhw.cli.options import Json
from mlhw.errors import MlhwError

STYLES = {"ok": "green", "look": "yellow", "fail": "bold red"}


def doctor(as_json: Json = False) -> None:
    """Check what mlhw stands on: versions, threads, device, folders and disk, data, weights; exit 1 where something fails."""
    from dataclasses import asdict

    from rich.text import Text

    from mlhw.cli.screen import plain, print_json, results
    from mlhw.commands.doctor import doctor as look
    from mlhw.commands.settings import from_environment

    checks = look(from_environment())
    failed = [check.name for check in checks if check.state == "fail"]
    if as_json:
        print_json({"ok": not failed, "checks": [asdict(check) for check in checks]})
    else:
        rows = [(check.name, Text(check.state, STYLES[check.state]), plain(check.found)) for check in checks]
        results().print_table(("check", "state", "found"), rows)
    if failed:
        raise MlhwError(f"{', '.join(failed)}: not as it should be, see above.")
