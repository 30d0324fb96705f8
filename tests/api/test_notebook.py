"""A real notebook, run by a real kernel: what its cells show."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient", reason="needs a notebook's kernel: pip install nbclient ipykernel")
pytest.importorskip("ipykernel", reason="needs a notebook's kernel: pip install nbclient ipykernel")

CELLS = [
    'import torch, mlhw\nrun = mlhw.train("digits-cnn", epochs=3)',
    "run",
    "run.verdict",
    "run.plot()",
    "run.metrics.tail(1)",
    'quiet = mlhw.train("digits-cnn", epochs=1, quiet=True)',
    "mlhw.compare(run, quiet)",
    'try:\n    mlhw.train("digits-cm")\nexcept mlhw.MlhwError as error:\n    print(error)',
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's own libraries
def test_cells_show_what_they_should(tmp_path: Path) -> None:
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    for cell in notebook.cells:
        cell.pop("id", None)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3")
    client.execute(env=environment, cwd=str(tmp_path))
    outputs: list[list[Any]] = [cell.outputs for cell in notebook.cells]
    (progress,) = outputs[0]  # one line, drawn over
    assert progress.data["text/plain"].startswith("epoch 3/3  val loss ")
    assert "<progress" in progress.data["text/html"]
    assert "<table" in outputs[1][0].data["text/html"]
    assert outputs[2][0].data["text/markdown"].startswith("**")
    assert len(outputs[3]) == 1
    assert outputs[3][0].metadata["image/png"]["width"] == 960
    assert outputs[3][0].data["image/png"]
    assert "val" in outputs[4][0].data["text/plain"] or "test" in outputs[4][0].data["text/plain"]
    assert outputs[5] == []
    assert "val_accuracy" in outputs[6][0].data["text/html"]
    assert "Did you mean digits-cnn" in outputs[7][0].text
