"""Classes that are unions of finer ones: train on the finer, report the coarser."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from mlhw.arrays import Split


@dataclass(frozen=True, slots=True)
class Coarser:
    """The coarser classes' names, and for each finer class the coarser one that it belongs to."""

    class_names: tuple[str, ...]
    of_finer: Int[np.ndarray, " finer"]

    def relabel(self, split: Split) -> Split:
        """The same rows with their coarser classes as targets; the inputs are shared, not copied."""
        return replace(split, targets=self.of_finer[np.asarray(split.targets)], class_names=self.class_names)
