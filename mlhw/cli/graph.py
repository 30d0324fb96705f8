"""graph."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mlhw.cli.lazy import Command
from mlhw.cli.options import Json, Set, complete_experiments
from mlhw.errors import ConfigError, MlhwError

_LONG_OPTION = re.compile(r"--[a-z][a-z-]*(=.*)?", re.DOTALL)


def graph(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXPRESSION NAME=VALUE",
            help="What to compute, in quotes, and a number for each variable. There are + - * / ^, brackets, pi, e, and "
            "exp log sin cos tanh sqrt relu sigmoid abs max min.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="NUMBER", help="Add the error e = f - NUMBER; gradients are of e."),
    ] = None,
    grad: Annotated[
        str | None,
        typer.Option("--grad", metavar="NAMES", help="Whose gradients to print, as w1,w2; otherwise all variables'."),
    ] = None,
    experiment: Annotated[
        str | None,
        typer.Option(
            "--experiment",
            metavar="EXPERIMENT",
            help="Instead of an expression: the loss that this experiment trains.",
            autocompletion=complete_experiments,
            show_default=False,
        ),
    ] = None,
    overrides: Set = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Where to write; otherwise outputs/graphs/…", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw a computational graph, with values and gradients; the gradients are checked against autograd's.

    For example: mlhw graph 'exp(-(w1*x1 + w2*x2))' w1=0.1 x1=0.3 w2=-0.2 x2=0.4 --target 1
    """
    if experiment is not None:
        _refuse({"an expression": words, "--target": target, "--grad": grad}, "--experiment")
        _experiment(experiment, overrides or (), out, as_json)
        return
    if not words:
        raise ConfigError(
            "no expression. For example: mlhw graph 'exp(-(w1*x1 + w2*x2))' w1=0.1 x1=0.3 w2=-0.2 x2=0.4 --target 1"
        )
    _refuse({"--set": overrides}, "an expression")
    _expression(words, target, grad, out, as_json)


def _refuse(given: dict[str, Any], beside: str) -> None:
    for name, value in given.items():
        if value:
            raise ConfigError(f"{name} does not go with {beside}. Leave one of them out.")


def _expression(words: Sequence[str], target: str | None, grad: str | None, out: Path | None, as_json: bool) -> None:
    from mlhw.cli.screen import print_json
    from mlhw.commands.graph import graph_expression
    from mlhw.commands.settings import from_environment

    wanted = [name.strip() for name in (grad or "").split(",") if name.strip()]
    record = graph_expression(words[0], words[1:], target, wanted, from_environment(), out)
    faults = record.pop("faults")
    if as_json:
        print_json(record)
    else:
        _print_values(record, agrees=not faults)
        _print_files(record)
    if faults:
        more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
        raise MlhwError(f"autograd does not agree: {'; '.join(faults[:3])}{more}. This is a bug in mlhw.")


def _print_values(record: dict[str, Any], agrees: bool) -> None:
    from mlhw.cli.screen import results
    from mlhw.graphs.diagram import figures

    screen, output = results(), record["output"]
    rows = [
        (node["name"], node["formula"], figures(node["value"]), figures(node["gradient"])) for node in record["nodes"]
    ]
    screen.print_table(("node", "operation", "value", f"d{output}/d·"), rows, right=(2, 3))
    screen.print()
    for node in record["nodes"][-1 if record["target"] is None else -2 :]:
        screen.print(f"{node['name']} = {figures(node['value'])}", style="bold")
    for name, gradient in record["gradients"].items():
        screen.print(f"d{output}/d{name} = {figures(gradient)}")
    if agrees:
        screen.print(f"autograd agrees: the largest difference is {record['autograd_difference']:.1g}")


def _experiment(name: str, overrides: Sequence[str], out: Path | None, as_json: bool) -> None:
    from mlhw.cli.live import Live
    from mlhw.cli.screen import print_json, results
    from mlhw.commands.graph import graph_experiment
    from mlhw.commands.settings import from_environment
    from mlhw.config.load import load

    found = load(name, overrides)
    display = Live()
    try:
        record = graph_experiment(found, from_environment(), out, display.progress)
    finally:
        display.end()
    if as_json:
        print_json(record)
        return
    rows = [(node["name"], _call(node), "×".join(map(str, node["shape"])) or "one number") for node in record["nodes"]]
    results().print_table(("node", "operation", "shape"), rows)
    results().print()
    tensors = sum(node["kind"] == "parameter" for node in record["nodes"])
    results().print(
        f"{record['operations']} operations; {record['parameters']:,} parameters in {tensors} arrays; N rows"
    )
    _print_files(record)


def _call(node: dict[str, Any]) -> str:
    return f"{node['operation']}: {', '.join(node['operands'])}" if node["operation"] else node["kind"]


def _print_files(record: dict[str, Any]) -> None:
    from mlhw.cli.screen import errors, results

    for path in record["files"]:
        results().print(path)
    if not record["drawn"]:
        errors().print("warning: too large for a picture; Graphviz may draw graph.dot.", style="yellow")


class ExpressionCommand(Command):
    """A command whose arguments may begin with a minus sign: in ``mlhw graph -x^2 x=3`` that is no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse ``args`` as ever, with everything that is no option of this command behind a ``--``."""
        options = [option for option in self.params if option.param_type_name == "option"]
        flags = {name for option in options if getattr(option, "is_flag", False) for name in option.opts}
        valued = {name for option in options for name in option.opts} - flags
        return super().parse_args(ctx, separated(args, {*flags, *self.get_help_option_names(ctx)}, valued))


def separated(args: Sequence[str], flags: Collection[str], valued: Collection[str]) -> list[str]:
    """``args`` with the options first, then ``--`` and all the rest.

    Options are ``flags``, the names in ``valued`` with the argument after each, and whatever looks like a long option
    (so that a misspelt one is told as such).
    """
    options: list[str] = []
    words: list[str] = []
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if word == "--":
            words += rest
            break
        if word in valued:
            options += [word, *rest[:1]]
            del rest[:1]
        elif word in flags or _LONG_OPTION.fullmatch(word):
            options.append(word)
        else:
            words.append(word)
    return [*options, "--", *words] if words else options
