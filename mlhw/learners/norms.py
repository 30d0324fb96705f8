"""The means and variances of batch normalisation, taken anew from rows as they are scored."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn


def norms(network: nn.Module) -> list[nn.modules.batchnorm._BatchNorm]:
    """The layers of ``network`` that normalise by running statistics when they are scored."""
    layers = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    return [layer for layer in layers if layer.track_running_stats]


@torch.no_grad()
def take_statistics(network: nn.Module, batches: Iterable[torch.Tensor]) -> None:
    """Give each of ``network``'s norms the mean over ``batches`` of their statistics; it is left as it is to be scored.

    The running averages of training are of batches that are augmented and whose units are dropped, by weights that moved on:
    other means and variances than scored rows have. Wu & Johnson, 2021 ("Rethinking 'Batch' in BatchNorm", section 3, precise
    statistics); Li et al., CVPR 2019, for those behind dropout. torch.optim.swa_utils.update_bn leaves dropout on.
    """
    layers = norms(network.eval())
    momenta = [layer.momentum for layer in layers]
    try:
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean over what follows
            layer.train()
        for batch in batches:
            network(batch)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        network.eval()
