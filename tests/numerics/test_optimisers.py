"""Update rules against torch.optim's, on numpy arrays and torch tensors alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mlhw.learners.fused import FusedAdam, FusedSgd
from mlhw.numerics.optimisers import Adam, Sgd

CASES: dict[str, tuple[Any, Any]] = {
    "sgd": (lambda: Sgd(), lambda p: torch.optim.SGD(p, lr=0.1)),
    "sgd-decay": (lambda: Sgd(decay={"w": 0.1}), lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.1)),
    "momentum": (lambda: Sgd(0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    "nesterov": (lambda: Sgd(0.9, True), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)),
    "adam": (lambda: Adam(decay={"w": 0.1}), lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.1)),
    "adamw": (lambda: Adam(decay={"w": 0.1}, decoupled=True), lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.1)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_a_rule_steps_as_torch_s_does(case: str, kind: str) -> None:
    ours, theirs = CASES[case]
    start = np.random.default_rng(0).standard_normal((4, 3))
    parameters = {"w": start.copy() if kind == "numpy" else torch.from_numpy(start.copy())}
    leaf = torch.tensor(start, requires_grad=True)
    rule, optimiser = ours(), theirs([leaf])
    for step in range(5):
        gradient = np.random.default_rng(step + 1).standard_normal((4, 3))
        rule.update(parameters, {"w": gradient.copy() if kind == "numpy" else torch.from_numpy(gradient.copy())}, 0.1)
        leaf.grad = torch.from_numpy(gradient.copy())
        optimiser.step()
    np.testing.assert_allclose(np.asarray(parameters["w"]), leaf.detach().numpy(), rtol=1e-12)


FUSED: dict[str, Any] = {
    "sgd": lambda: FusedSgd(),
    "sgd-decay": lambda: FusedSgd(decay={"w": 0.1}),
    "momentum": lambda: FusedSgd(0.9),
    "nesterov": lambda: FusedSgd(0.9, True),
    "adam": lambda: FusedAdam(decay={"w": 0.1}),
    "adamw": lambda: FusedAdam(decay={"w": 0.1}, decoupled=True),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("fused", [True, False])
def test_a_fused_rule_is_torch_s_and_goes_on_from_its_state(case: str, fused: bool) -> None:
    start = torch.from_numpy(np.random.default_rng(0).standard_normal((4, 3)))
    parameters = {"v": start.clone(), "w": start.clone()}
    leaf = start.clone().requires_grad_()
    rule, optimiser = FUSED[case](), CASES[case][1]([leaf])
    rule.fused = fused
    for step in range(5):
        gradient = torch.from_numpy(np.random.default_rng(step + 1).standard_normal((4, 3)))
        rule.update(parameters, {"v": gradient.clone(), "w": gradient.clone()}, 0.1)
        leaf.grad = gradient
        optimiser.step()
        state = rule.state()
        rule = FUSED[case]()
        rule.restore(state)
    np.testing.assert_allclose(parameters["w"].numpy(), leaf.detach().numpy(), rtol=1e-12)
    if "decay" in case or "adam" in case:
        assert not torch.equal(parameters["v"], parameters["w"])  # only w is decayed


@pytest.mark.parametrize("case", CASES)
def test_rates_broadcast_along_members(case: str) -> None:
    """Three members with a rate each step as three single models do."""
    rates = np.array([0.01, 0.1, 1.0])
    start = np.random.default_rng(0).standard_normal((3, 4, 2))
    stack, stacked = {"w": start.copy()}, CASES[case][0]()
    singles = [({"w": start[i].copy()}, CASES[case][0]()) for i in range(3)]
    for step in range(4):
        gradient = np.random.default_rng(step).standard_normal((3, 4, 2))
        stacked.update(stack, {"w": gradient.copy()}, rates[:, None, None])
        for i, (single, rule) in enumerate(singles):
            rule.update(single, {"w": gradient[i].copy()}, rates[i])
    for i, (single, _) in enumerate(singles):
        np.testing.assert_allclose(stack["w"][i], single["w"], rtol=1e-12)
