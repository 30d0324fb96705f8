"""Whether named weights fit a model, said in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlhw.errors import ConfigError


def check_fit(given: Mapping[str, Any], wanted: Mapping[str, tuple[int, ...]]) -> None:
    """Return where ``given`` has just the names and shapes of ``wanted``.

    Raises:
        ConfigError: lists what is missing, what is not known, and what has another shape.
    """
    faults = []
    if missing := sorted(set(wanted) - set(given)):
        faults.append(f"missing {', '.join(missing[:8])}")
    if unknown := sorted(set(given) - set(wanted)):
        faults.append(f"not known {', '.join(unknown[:8])}")
    faults += [
        f"{name} is {tuple(given[name].shape)}, should be {wanted[name]}"
        for name in sorted(set(wanted) & set(given))
        if tuple(given[name].shape) != wanted[name]
    ]
    if faults:
        raise ConfigError(f"the weights do not fit the model: {'; '.join(faults[:10])}.")
