"""What stacks of models share: which members are meant, and one update rule made of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mlhw.numerics.optimisers import Adam, Sgd, UpdateRule


def kept_members(mask: Sequence[bool], members: int) -> list[int]:
    """The positions where ``mask`` (members,) is True.

    Raises:
        ValueError: there are none, or ``mask`` has another length.
    """
    if len(mask) != members:
        raise ValueError(f"the mask has {len(mask)} entries, should have one for each of the {members} members")
    kept = [position for position, keep in enumerate(mask) if keep]
    if not kept:
        raise ValueError(f"the mask keeps none of the {members} members: at least one must stay")
    return kept


def check_member(member: int, members: int) -> None:
    """Raise IndexError unless ``member`` is between 0 and ``members`` - 1."""
    if not 0 <= member < members:
        raise IndexError(f"there is no member {member}: members are numbered from 0 to {members - 1}")


def stacked_rule(rules: Sequence[UpdateRule]) -> Sgd | Adam:
    """One fresh rule for a stack, of what is the same in all ``rules`` but the decays, which :func:`stacked_decay` joins.

    Raises:
        ValueError: the rules are of different kinds, differ in a constant, or are neither SGD nor Adam.
    """
    constants = [_constants(rule) for rule in rules]
    if any(
        other != constants[0] or type(rule) is not type(rules[0]) for rule, other in zip(rules, constants, strict=True)
    ):
        raise ValueError(f"the update rules of a stack may differ in rate and decay alone, got {constants}")
    for kind in (Sgd, Adam):
        if constants[0].keys() == _constants(kind()).keys():
            return kind(**constants[0])
    raise ValueError(f"no stacked form of the update rule {type(rules[0]).__name__} is known")


def stacked_decay(rules: Sequence[Any], as_array: Callable[[Sequence[float]], Any]) -> dict[str, Any]:
    """The decay by parameter name: a number where all ``rules`` have the same, else ``as_array`` of one a member."""
    decays = {name: [rule.decay.get(name, 0.0) for rule in rules] for rule in rules for name in rule.decay}
    return {name: each[0] if len(set(each)) == 1 else as_array(each) for name, each in decays.items()}


def each_array(state: dict[str, Any], change: Callable[[str, Any], Any]) -> dict[str, Any]:
    """``state`` with every array in it, however deep, replaced by ``change(name, array)``."""
    return {
        key: each_array(value, change)
        if isinstance(value, dict)
        else change(key, value)
        if getattr(value, "ndim", 0)
        else value
        for key, value in state.items()
    }


def _constants(rule: Any) -> dict[str, Any]:
    """What a rule was made of, less the decay and (``fused``) the choice of kernel."""
    return {name: value for name, value in vars(rule).items() if name not in {"decay", "fused", *rule.state()}}
