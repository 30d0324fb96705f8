"""What a network of finer classes says of coarser ones."""

from __future__ import annotations

import torch
from torch.nn import functional


class CoarserScores:
    """Scores of coarser classes, whose softmax is the sum of the finer classes' softmax."""

    def __init__(self, of_finer: torch.Tensor) -> None:
        self.of_finer = of_finer
        self.member = functional.one_hot(of_finer)  # (finer, coarser)
        self.closed = torch.where(self.member.T > 0, 0.0, -torch.inf)  # (coarser, finer)

    def __call__(self, scores: torch.Tensor) -> torch.Tensor:
        # The logarithm of a sum of probabilities would be minus infinity where they underflow.
        return (scores[:, None, :] + self.closed).logsumexp(dim=2)

    def targets(self, finer: torch.Tensor) -> torch.Tensor:
        """Class indices (rows,) or mixtures (rows, finer) in coarser classes."""
        return self.of_finer[finer] if finer.ndim == 1 else finer @ self.member.to(finer.dtype)
