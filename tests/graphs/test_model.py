"""The graph of a model's loss, as torch's autograd has it."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from mlhw.graphs.model import Traced, batch_rows, by, of_model, trace


def traced(network: nn.Module, *shape: int, rows: int = 7, label_smoothing: float = 0.0) -> list[Traced]:
    inputs, targets = torch.rand(rows, *shape, requires_grad=True), torch.zeros(rows, dtype=torch.int64)
    loss = functional.cross_entropy(network(inputs), targets, label_smoothing=label_smoothing)
    return trace(loss, dict(network.named_parameters()), inputs, targets)


def operations(nodes: list[Traced]) -> list[str]:
    return [node.operation for node in nodes if node.kind == "operation"]


def test_a_convolutional_network() -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(36, 3),
    )
    nodes = traced(network, 1, 8, 8)
    assert operations(nodes) == [
        "conv2d",
        "batch norm",
        "relu",
        "max pool",
        "reshape",
        "× mask",
        "a @ Wᵀ + b",
        "log-softmax",
        "nll",
    ]
    by_name = {node.name: node for node in nodes}
    assert by_name["z1"].operands == ("x", "0.weight", "0.bias")
    assert by_name["z1"].shape == ("N", 4, 6, 6)
    assert by_name["z7"].operands == ("z6", "6.weight", "6.bias")
    assert by_name["6.weight"].shape == (3, 36)
    assert by_name["loss"].operands == ("z8", "y")
    assert by_name["loss"].shape == ()
    assert nodes[-1].name == "loss"


def test_operands_come_before_their_use_and_every_parameter_is_used() -> None:
    nodes = traced(nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)), 5)
    known: set[str] = set()
    for node in nodes:
        assert set(node.operands) <= known
        assert node.name not in known
        known.add(node.name)
    used = {operand for node in nodes for operand in node.operands}
    assert used == known - {"loss"}


def test_a_residual_and_a_gate() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.path, self.gate = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return inputs + self.path(inputs) * torch.sigmoid(self.gate(inputs))

    nodes = traced(Block(), 4)
    shared = [node.name for node in nodes if "x" in node.operands]
    assert len(shared) == 3
    assert operations(nodes)[:5] == ["a @ Wᵀ + b", "a @ Wᵀ + b", "sigmoid", "×", "+"]


def test_label_smoothing_says_its_constants() -> None:
    said = operations(traced(nn.Linear(5, 4), 5, label_smoothing=0.1))
    assert "× 0.9" in said
    assert "× 0.025" in said
    assert "÷ N" in said
    assert "masked fill" not in said


def test_bookkeeping_is_left_out() -> None:
    """Pooling a whole picture to one pixel restrides its result, and a layout that is channels last gets copied."""
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    assert operations(traced(network, 1, 8, 8))[:4] == ["conv2d", "mean", "reshape", "a @ Wᵀ + b"]
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 3)).to(memory_format=torch.channels_last)
    assert operations(traced(network, 1, 8, 8))[:3] == ["conv2d", "reshape", "a @ Wᵀ + b"]


def test_least_squares_takes_the_targets_too() -> None:
    weights, inputs = torch.rand(5, 3, requires_grad=True), torch.rand(7, 5, requires_grad=True)
    targets = torch.zeros(7, dtype=torch.int64)
    loss = 0.5 * (inputs @ weights - functional.one_hot(targets, 3)).square().sum(dim=1).mean()
    nodes = trace(loss, {"W": weights}, inputs, targets)
    assert operations(nodes) == ["a @ W", "− one-hot", "power 2", "sum", "mean", "× 0.5"]
    assert nodes[4].operands == ("z1", "y")


def test_a_weight_that_is_turned_twice_is_not_turned() -> None:
    weights, inputs = torch.rand(5, 3, requires_grad=True), torch.rand(7, 5, requires_grad=True)
    bias = torch.rand(3, requires_grad=True)
    loss = functional.linear(inputs, weights.T, bias).sum()
    nodes = trace(loss, {"W": weights, "b": bias}, inputs, torch.zeros(7))
    assert operations(nodes) == ["a @ W + b", "sum"]


def test_a_name_that_is_not_known_is_said_in_words() -> None:
    inputs = torch.rand(7, 5, requires_grad=True)
    nodes = trace(functional.softplus(inputs).cumsum(0).sum(), {}, inputs, torch.zeros(7))
    assert operations(nodes) == ["softplus", "cumsum", "sum"]


def test_a_deep_network_needs_no_recursion() -> None:
    inputs = torch.rand(7, 2, requires_grad=True)
    value = inputs
    for _ in range(3000):
        value = value.sin()
    assert len(trace(value.sum(), {}, inputs, torch.zeros(7))) == 2 + 3001


def test_the_batch_is_told_from_every_other_dimension() -> None:
    assert batch_rows([(2, 3), (4,)]) == 5
    assert batch_rows([]) == 2
    assert by(("N", 3, 2)) == "N×3×2"
    assert by(()) == "one number"


def test_the_diagram_shows_names_and_shapes_from_top_to_bottom() -> None:
    diagram = of_model("a loss", traced(nn.Linear(5, 3), 5))
    assert diagram.down
    shown = {(item.role, item.name, item.holds) for item in diagram.items}
    assert {
        ("data", "x", "N×5"),
        ("data", "y", "N"),
        ("variable", "weight", "3×5"),
        ("operation", "a @ Wᵀ + b", "N×3"),
        ("operation", "nll", "one number"),
        ("result", "loss", ""),
    } <= shown
