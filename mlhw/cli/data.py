"""data list, fetch, verify, preview."""

from collections.abc import Callable

COMMANDS: dict[str, Callable[..., None]] = {}
