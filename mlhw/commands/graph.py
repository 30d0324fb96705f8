"""``mlhw graph``: the computational graph of an expression, or of an experiment's loss; computed, checked and drawn."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlhw.commands.settings import Settings
from mlhw.config.load import dump
from mlhw.config.schema import Experiment
from mlhw.errors import ConfigError, did_you_mean
from mlhw.files import make_folder, write_text
from mlhw.graphs.diagram import Diagram, of_expression, to_dot
from mlhw.graphs.expression import Number, parse
from mlhw.graphs.nodes import Graph, Node, build
from mlhw.graphs.values import number, read_values

if TYPE_CHECKING:
    import torch

_NAME_CHARACTERS = 30  # of a folder's name


def graph_expression(
    text: str,
    assignments: Sequence[str],
    target: str | None,
    wanted: Sequence[str],
    settings: Settings,
    folder: Path | None,
) -> dict[str, Any]:
    """The graph of the expression ``text`` with the values of ``assignments``, drawn into ``folder``.

    Args:
        text: the expression f.
        assignments: ``name=value``, one a variable.
        target: where given, gradients are of the error f - target.
        wanted: the nodes whose gradients are asked for; all variables where empty.
        settings: where the default folder is.
        folder: where to write; else ``outputs/graphs/<short name>-<6 hex>``, which follows from expression, values and target.

    Returns:
        expression, target, nodes (name, operation, formula, operands, value, gradient; variables first), output (the name
        of what gradients are of), result (f's value), error (f - target), gradients by name, autograd_difference (the
        largest one from torch's autograd), faults (the nodes that disagree with it), files, drawn (whether it could be).

    Raises:
        ConfigError: the expression, a value or a name is wrong; says where.
        OutputError: a file cannot be written.
    """
    expression = parse(text)
    goal = None if target is None else Number(target.strip(), number(target, "--target"))
    graph = build(expression, read_values(expression, assignments), goal)
    asked = _asked(graph, wanted)

    from mlhw.graphs.oracle import compare

    agreement = compare(graph)
    key = "\n".join([expression.text, *sorted(f"{node.name}={node.value!r}" for node in graph.variables), str(target)])
    folder = folder or _default_folder(settings, expression.text, key)
    files, drawn = _draw(of_expression(graph), folder)
    return {
        "expression": text,
        "target": None if goal is None else goal.value,
        "nodes": [_record(node) for node in graph.nodes],
        "output": graph.output.name,
        "result": graph.result.value,
        "error": None if goal is None else graph.output.value,
        "gradients": {node.name: node.gradient for node in asked},
        "autograd_difference": agreement.difference,
        "faults": agreement.faults,
        "files": files,
        "drawn": drawn,
    }


def _asked(graph: Graph, wanted: Sequence[str]) -> list[Node]:
    by_name = {node.name: node for node in graph.nodes}
    for name in wanted:
        if name not in by_name:
            raise ConfigError(f"--grad: there is no node '{name}'. {did_you_mean(name, by_name)}")
    return [by_name[name] for name in dict.fromkeys(wanted)] if wanted else graph.variables


def _record(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "operation": node.operation.name if node.operation else "variable",
        "formula": node.formula,
        "operands": [operand.name if isinstance(operand, Node) else operand.text for operand in node.operands],
        "value": node.value,
        "gradient": node.gradient,
    }


def graph_experiment(
    experiment: Experiment, settings: Settings, folder: Path | None, progress: Callable[[str, int, int], None]
) -> dict[str, Any]:
    """The graph of the loss that ``experiment`` trains, drawn into ``folder`` (default as for an expression).

    Returns:
        experiment, nodes (name, kind, operation, operands, shape; the batch's dimension is the string N), parameters
        (their number), operations (likewise), files, drawn.

    Raises:
        ConfigError: the model cannot take such inputs.
        DataError: the data has to be read, and is missing or bad.
        OutputError: a file cannot be written.
    """
    from dataclasses import asdict

    from mlhw.graphs.model import of_model, trace

    loss, parameters, inputs, targets = _loss(experiment, settings, progress)
    nodes = trace(loss, parameters, inputs, targets)
    folder = folder or _default_folder(settings, experiment.name, dump(experiment))
    files, drawn = _draw(of_model(f"the loss of {experiment.name}", nodes), folder)
    return {
        "experiment": experiment.name,
        "nodes": [asdict(node) for node in nodes],
        "parameters": sum(value.numel() for value in parameters.values()),
        "operations": sum(node.kind == "operation" for node in nodes),
        "files": files,
        "drawn": drawn,
    }


def _loss(
    experiment: Experiment, settings: Settings, progress: Callable[[str, int, int], None]
) -> tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor, torch.Tensor]:
    """The loss of a small batch of zeros, and its parameters by name, inputs and targets.

    Zeros stand for the data: the graph of a network does not depend on what it is fed.
    """
    import numpy as np
    import torch

    from mlhw.arrays import Split
    from mlhw.commands import assemble
    from mlhw.commands.summary import input_shape_and_classes
    from mlhw.graphs.model import batch_rows

    known = input_shape_and_classes(experiment)
    if known is None:
        train = assemble.load_splits(experiment, settings, progress).train
        known = train.input_shape, len(train.class_names)
    shape, classes = known
    stored = np.uint8 if len(shape) == 3 else np.float64

    def zeros(rows: int) -> Split:
        return Split(np.zeros((rows, *shape), stored), np.zeros(rows, np.int64), tuple(map(str, range(classes))))

    learner: Any = assemble.build_learner(experiment, zeros(1), "cpu")
    rows = batch_rows([shape, *(value.shape for value in learner.parameters().values())])
    if assemble.way(experiment) == "module":
        return _module_loss(learner, zeros(rows))
    from mlhw.checks.oracles import oracle_loss

    placed = learner.place(zeros(rows))
    inputs, targets = torch.as_tensor(placed.model_inputs()).requires_grad_(), torch.as_tensor(placed.targets)
    parameters = {name: torch.tensor(value, requires_grad=True) for name, value in learner.parameters().items()}
    return oracle_loss(learner.model, parameters, inputs, targets), parameters, inputs, targets


def _module_loss(learner: Any, batch: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor, torch.Tensor]:
    import torch
    from torch.nn import functional

    inputs = torch.from_numpy(batch.inputs).float()
    if inputs.ndim == 4:
        inputs = inputs.permute(0, 3, 1, 2)
    inputs, targets = inputs.requires_grad_(), torch.from_numpy(batch.targets)
    with torch.random.fork_rng(devices=[]):  # dropout draws
        scores = learner.network.train()(inputs)
    loss = functional.cross_entropy(scores, targets, label_smoothing=learner.label_smoothing)
    return loss, dict(learner.network.named_parameters()), inputs, targets


def _default_folder(settings: Settings, name: str, key: str) -> Path:
    """``outputs/graphs/<short name>-<6 hex of key>``: the same graph goes to the same place, another one elsewhere."""
    short = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:_NAME_CHARACTERS].strip("-") or "graph"
    return settings.outputs / "graphs" / f"{short}-{hashlib.sha256(key.encode()).hexdigest()[:6]}"


def _draw(diagram: Diagram, folder: Path) -> tuple[list[str], bool]:
    """The files written into ``folder``: the pictures, unless the graph is too large for one, and the DOT text."""
    from mlhw.plots.graph import draw_graph, save_graph

    make_folder(folder)
    figure = draw_graph(diagram)
    files = [] if figure is None else save_graph(figure, folder / "graph")
    write_text(folder / "graph.dot", to_dot(diagram))
    return [str(path) for path in (*files, folder / "graph.dot")], figure is not None
