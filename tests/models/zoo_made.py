"""Networks of torchvision by hand, their files, and a server that has such files."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from mlhw.models import weights, zoo
from mlhw.models.weights import WeightsFile
from tests.datasets.server import Server

SMALL = "squeezenet1_1"


def by_hand(name: str, seed: int = 0, **options: Any) -> nn.Module:
    """torchvision's own network with seeded weights and statistics, whose answers are neither flat nor certain."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module: nn.Module = torchvision.models.get_model(name, weights=None, **options).eval()
        for key, buffer in module.named_buffers():
            if key.endswith("running_mean"):
                buffer.normal_(0, 0.1)
            elif key.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
        side = getattr(module, "image_size", 224)
        with torch.inference_mode():
            spread = module(torch.randn(2, 3, side, side)).std()
        last = [layer for layer in module.modules() if isinstance(layer, nn.Linear | nn.Conv2d)][-1]
        for parameter in last.parameters():
            parameter.data *= 3 / spread
    return module


def saved(module: nn.Module, path: Path, **options: Any) -> Path:
    """The file of ``module``'s state dict at ``path``."""
    torch.save(module.state_dict(), path, **options)
    return path


def load(name: str, path: Path | None = None, labels: Path | None = None) -> zoo.Network:
    return zoo.load(name, weights=path, labels=labels, offline=True)


def pictures(rows: int = 3, side: int = 224) -> torch.Tensor:
    return torch.randn(rows, 3, side, side, generator=torch.Generator().manual_seed(1))


def assert_same(network: zoo.Network, module: nn.Module, side: int = 224) -> None:
    """Scores and probabilities are those of ``module``, plain and in rows of pixels."""
    x = pictures(side=side)
    with torch.inference_mode():
        expected = module(x)
    got = zoo.scores(network, x.to(memory_format=torch.channels_last))
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(got.softmax(1), expected.softmax(1), rtol=0, atol=1e-5)
    assert expected.softmax(1).amax() > 0.01, "probabilities that are all 1/1000 would agree too easily"


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def published(name: str, content: bytes, server: Server, monkeypatch: pytest.MonkeyPatch) -> WeightsFile:
    """``content`` as the file that torchvision's table pins for ``name``, on ``server``; other networks stay as they are."""
    real, sha256 = weights.weights_file, hashlib.sha256(content).hexdigest()[:8]
    path = real(name).path.with_name(f"{name}-{sha256}.pth")
    url = f"{server.url}/models/{path.name}"
    found = replace(real(name), url=url, path=path, sha256=sha256, size_bytes=len(content))
    server.files[f"/models/{path.name}"] = content
    monkeypatch.setattr(weights, "weights_file", lambda asked: found if asked == name else real(asked))
    return found
