"""Forward derivatives of the layers by hand: J v, where ``backward`` gives Jᵀ u.

They follow the function from its input to its output and share nothing with ``backward`` but the activation's derivative,
which the Jacobian test checks here. Once they have passed it, the transpose test tells of ``backward`` to the last digit.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from mlhw.numerics.activations import ACTIVATIONS
from mlhw.numerics.layers import Dense, Layer, Named, Residual


def layer_tangent(layer: Layer, at: Named, v: Named) -> Float[np.ndarray, "rows n_out"]:
    """The derivative of the layer's output along ``v``; both hold X and the layer's parameters, what ``v`` lacks stands still.

        dense     f′(z) ∘ (dX W + X dW + db),  z = X W + b
        residual  dX + (f′(z) ∘ (dX W + X dW + db)) V + f(z) dV

    Raises:
        TypeError: the layer is of another kind.
    """
    still = {name: np.zeros_like(array) for name, array in at.items()}
    d = still | v
    if not isinstance(layer, Dense | Residual):
        raise TypeError(f"no forward derivative for {type(layer).__name__}")
    z = at["X"] @ at["W"] + at["b"]
    dz = d["X"] @ at["W"] + at["X"] @ d["W"] + d["b"]
    if layer.activation is None:
        return dz
    out = ACTIVATIONS[layer.activation].function(z)
    d_out = ACTIVATIONS[layer.activation].derivative(out) * dz
    return d["X"] + d_out @ at["V"] + out @ d["V"] if isinstance(layer, Residual) else d_out
