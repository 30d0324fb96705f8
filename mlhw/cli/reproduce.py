"""reproduce."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlhw.cli.options import Json, Quiet, RunArgument
from mlhw.errors import MlhwError

if TYPE_CHECKING:
    from mlhw.commands.reproduce import Reproduced


def reproduce(run: RunArgument, as_json: Json = False, quiet: Quiet = False) -> None:
    """Train a run's own config again and compare metrics and weights, bit for bit; exit 1 where they differ."""
    from dataclasses import asdict

    from mlhw.cli.live import Live
    from mlhw.cli.screen import print_json
    from mlhw.commands.reproduce import reproduce as run_again
    from mlhw.commands.settings import from_environment

    display = Live(quiet=quiet)
    try:
        found = run_again(run, from_environment(), display)
    finally:
        display.end()
    if as_json:
        print_json(asdict(found) | {"identical": found.identical})
    else:
        _print(found)
    if not found.identical:
        raise MlhwError(f"{found.again_id} is not the same as {found.run_id}. {_why(found)}")


def _print(found: Reproduced) -> None:
    from mlhw.cli.screen import results

    screen = results()
    first = found.first_difference
    if first is None:
        metrics = f"{found.rows:,} rows, all the same"
    else:
        metrics = (
            f"differ first at epoch {first['epoch']}, {first['split']} {first['column']}: {first['then']} then, "
            f"{first['now']} now"
        )
    weights = f"{found.weights} arrays, the same to the last bit"
    if found.largest_in:
        weights = f"differ by up to {found.largest_difference:.3g}, in {found.largest_in}"
    rows = [("metrics", metrics), ("weights", weights)]
    rows += [("otherwise" if number == 0 else "", text) for number, text in enumerate(found.differences)]
    screen.print_table((found.run_id, "identical" if found.identical else "differs"), rows)
    screen.print(found.path)


def _why(found: Reproduced) -> str:
    if found.differences:
        return f"Otherwise than then: {'; '.join(found.differences)}."
    return "Versions, threads, device and data are those of then: this is worth a report."
