"""Gradient descent on a stack of perceptrons from the gradients in their layers' outputs: those in the weights are not written.

A stack's weights outgrow the processor's caches, and its steps then cost what they read and write of them. Here the product
of inputs and deltas goes straight into the weights or the velocity. What :class:`mlhw.numerics.optimisers.Sgd` does with the
gradients, to rounding, with the same state.
"""

from __future__ import annotations

from typing import Any

from mlhw.arrays import Array
from mlhw.numerics.optimisers import Sgd
from mlhw.numerics.products import Deltas, flat, transposed_times


def can_descend(model: Any, rule: Any) -> bool:
    """Whether ``descend`` serves: the model gives deltas and the rule is SGD; without momentum and decay, in numpy."""
    if not hasattr(model, "deltas") or not isinstance(rule, Sgd) or rule.nesterov:
        return False
    return hasattr(model.parameters["W1"], "addmm_") or not (rule.momentum or rule.decay)


def descend(parameters: dict[str, Array], rule: Sgd, deltas: Deltas, rates: Array) -> None:
    """Change ``parameters`` by one step with ``rates`` (members,); ``deltas`` are used as scratch space."""
    biases = {bias: delta.sum(-2) for (_, bias), _, delta in deltas if bias in parameters}
    rule.update(parameters, biases, rates)
    rates = rates[:, None, None]
    for (name, _), inputs, delta in deltas:
        weights, decay = parameters[name], rule.decay.get(name)
        if decay is not None and hasattr(decay, "ndim"):
            decay = decay[:, None, None]
        if rule.momentum:
            velocity = rule.velocity.get(name)
            if velocity is None:
                velocity = rule.velocity[name] = transposed_times(inputs, delta)
            else:
                _add_product(velocity, inputs, delta, rule.momentum, 1.0)
            if decay is not None:
                velocity.addcmul_(weights, decay) if hasattr(decay, "ndim") else velocity.add_(weights, alpha=decay)
            weights.addcmul_(velocity, rates, value=-1.0)
        else:
            if decay is not None:
                weights *= 1.0 - rates * decay
            delta *= rates
            _add_product(weights, inputs, delta, 1.0, -1.0)


def is_plain(rule: Any) -> bool:
    """Whether ``step_down`` does what ``rule`` does: SGD without momentum and decay."""
    return isinstance(rule, Sgd) and not (rule.momentum or rule.decay)


def step_down(parameters: dict[str, Array], deltas: Deltas) -> None:
    """Change the ``parameters`` of a single model by one step of plain SGD, whose rate the ``deltas`` carry already.

    What :class:`mlhw.numerics.optimisers.Sgd` does, to rounding: the rate scales the deltas at the scores, which are small,
    and not the gradients, and where the library can add a product to a matrix the gradients are never written.
    """
    for names, inputs, delta in deltas:
        weights, bias = parameters[names[0]], parameters.get(names[1])
        if hasattr(weights, "addmm_"):
            weights.addmm_(inputs.T, delta, alpha=-1.0)
        else:
            weights -= inputs.T.dot(delta)  # .dot skips the generality of @: half of a small product's cost
        if bias is not None:
            bias -= delta.sum(0)


def _add_product(values: Array, inputs: Array, delta: Array, beta: float, alpha: float) -> None:
    """``values`` (members, n_in, n_out) become beta ``values`` + alpha ``inputs``ᵀ ``delta``, in place."""
    if not hasattr(values, "addmm_"):
        assert (beta, alpha) == (1.0, -1.0)
        values -= transposed_times(inputs, delta)
    elif inputs.ndim == 3:
        values.baddbmm_(inputs.mT, delta, beta=beta, alpha=alpha)
    elif values.swapaxes(0, 1).is_contiguous():
        flat(values).addmm_(inputs.mT, flat(delta), beta=beta, alpha=alpha)
    else:
        values.mul_(beta).add_(transposed_times(inputs, delta), alpha=alpha)
