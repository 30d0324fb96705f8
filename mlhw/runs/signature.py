"""The identity of a result: a hash over everything that changes it, and nothing that does not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

VERSION = 1
# What may differ between two runs of the same numbers: where and how they were computed, and words.
IGNORED = ("name", "description", "source", "result", "expect", "sweep", "device", "threads")


def signature(config: Mapping[str, Any]) -> str:
    """SHA-256 (64 hex) over the canonical JSON of the resolved ``config`` less :data:`IGNORED`."""
    relevant = {key: value for key, value in config.items() if key not in IGNORED}
    text = json.dumps([VERSION, relevant], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
