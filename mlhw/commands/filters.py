"""``mlhw pretrained filters``: the filters of a convolution, what they answer to a picture, and Grad-CAM, in a run folder."""

from __future__ import annotations

import contextlib
import traceback
import warnings
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mlhw.commands.devices import torch_device
from mlhw.commands.display import Display
from mlhw.commands.filter_asking import asked_of
from mlhw.commands.settings import Settings
from mlhw.commands.threads import use_threads
from mlhw.config import load as config
from mlhw.config.pretrained import Filters, PretrainedExperiment
from mlhw.datasets.names import csv_name, escape_name, name_from_csv
from mlhw.errors import DataError, DataMissing, Interrupted, MlhwError, OutputError
from mlhw.files import atomic_write, write_json, write_text
from mlhw.runs import store
from mlhw.runs.environment import environment, peak_memory_mb
from mlhw.runs.signature import signature

if TYPE_CHECKING:
    from PIL.Image import Image

    from mlhw.commands.filter_study import Study


def filters(experiment: PretrainedExperiment, settings: Settings, display: Display) -> dict[str, Any]:
    """Run ``experiment`` into a new folder; returns its summary.

    The folder is made once all is computed: what is wrong with picture, network or layer leaves nothing behind.

    Raises:
        ConfigError: there is no such network, layer, filter or device.
        DataError: picture, weights or labels are missing or bad.
        OutputError: a file cannot be written.
        Interrupted: stopped by the user.
    """
    began, asked = perf_counter(), asked_of(experiment)
    device, threads = torch_device(experiment.device), use_threads(experiment.threads or settings.threads, "module")
    path = Path(name_from_csv(asked.image)) if asked.image else None
    try:
        image = _opened(path) if path else None
        found = _study(asked, image, device, settings, display)
        run = store.create(settings.outputs, experiment.name, config.dump(experiment))
        with run.lock():
            facts = environment(device, threads, _identity(path))
            facts["command"] = [escape_name(word) for word in facts["command"]]  # names that UTF-8 cannot hold
            write_json(run.environment_file, facts)
            return _write(run, experiment, found, path, device, display, began)
    except KeyboardInterrupt:
        raise Interrupted("interrupted. Run the command again.") from None


def _opened(path: Path) -> Image:
    from mlhw.datasets.pictures import BadImage, open_picture

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of odd but readable files
            return open_picture(path)
    except BadImage as bad:
        kind = DataError if path.exists() else DataMissing
        raise kind(f"{escape_name(str(path))}: {bad}. Name another picture with --image.") from bad


def _study(asked: Filters, image: Image | None, device: str, settings: Settings, display: Display) -> Study:
    from mlhw.commands.filter_study import study
    from mlhw.models import zoo

    network = zoo.load(
        asked.model,
        weights=Path(asked.weights[asked.model]) if asked.weights else None,
        labels=Path(asked.labels) if asked.labels else None,
        offline=settings.offline,
        progress=display.progress,
        device=device,
    )
    display.detail(f"{network.name}, {network.parameters:,} parameters from {network.source}, on {device}")
    return study(network, asked, image)


def _identity(path: Path | None) -> str:
    """The picture's name and the beginning of its hash; nothing where there is none."""
    from mlhw.datasets.hashes import file_hash

    return f"{csv_name(path.name)} {file_hash(path)[:16]}" if path else ""


def _write(
    run: store.Run,
    experiment: PretrainedExperiment,
    found: Study,
    path: Path | None,
    device: str,
    display: Display,
    began: float,
) -> dict[str, Any]:
    """The files of ``run``, which this process holds, the summary last; whatever ends it is on record."""
    from mlhw.commands.filter_findings import findings
    from mlhw.commands.filter_study import draw

    display.say(f"run {run.path}")
    run.log(f"start: {found.place}, weights from {escape_name(found.network.source)}")
    try:
        _write_arrays(run.path / "filters.npz", found)
        files = draw(found, escape_name(path.name) if path else "", run.plots)
        said = findings(found)
        write_text(run.path / "findings.txt", "\n".join(said) + "\n")
        summary = {
            "run_id": run.id,
            "experiment": experiment.name,
            "status": "done",
            **_record(found),
            "image": csv_name(str(path)) if path else None,
            "findings": said,
            "device": device,
            "signature": signature(experiment.model_dump(mode="json")),
            "files": [str(file) for file in (*files, run.path / "filters.npz", run.path / "findings.txt")],
            "seconds_total": round(perf_counter() - began, 3),
            "peak_memory_mb": round(peak, 1) if (peak := peak_memory_mb()) is not None else None,
            "path": str(run.path),
        }
        write_json(run.summary_file, summary)
    except KeyboardInterrupt:
        run.log("interrupted")
        raise
    except Exception as error:
        run.log(f"failed: {error}")
        if not isinstance(error, MlhwError):
            run.log(traceback.format_exc())
        with contextlib.suppress(OutputError):  # its own message is the one to show
            write_json(run.error_file, {"kind": type(error).__name__, "message": str(error)})
        raise
    run.log("done")
    return summary


def _record(found: Study) -> dict[str, Any]:
    """The numbers of ``found`` as JSON values."""
    seen, heat = found.seen, found.seen.heat if found.seen else None
    filters = [
        {
            "index": index,
            "sum": facts.total,
            "magnitude_sum": facts.absolute,
            "largest_magnitude": facts.largest,
            "channel_sums": list(facts.totals) if found.colour else None,
            "response_min": float(seen.maps[place].min()) if seen else None,
            "response_max": float(seen.maps[place].max()) if seen else None,
        }
        for place, (index, facts) in enumerate(zip(found.indices, found.facts, strict=True))
    ]
    return {
        "model": found.network.name,
        "weights": escape_name(found.network.source),
        "parameters": found.network.parameters,
        "layer": found.layer,
        "layer_filters": found.count,
        "filter_shape": list(found.weights.shape[1:]),
        "filters": filters,
        "prediction": seen
        and {"class_index": seen.class_index, "class_name": seen.class_name, "probability": seen.probability},
        "cam": heat
        and {
            "layer": heat.layer,
            "after": list(heat.after),
            "shape": list(heat.values.shape),
            "max": float(heat.values.max()),
        },
    }


def _write_arrays(path: Path, found: Study) -> None:
    """The arrays behind the figures: weights, and with a picture responses and heat, as ``numpy.load`` reads them."""
    import numpy as np

    arrays = {"indices": np.array(found.indices), "weights": found.weights}
    if found.seen is not None:
        arrays["responses"] = found.seen.maps
        if found.seen.heat is not None:
            arrays["heat"] = found.seen.heat.values
    with atomic_write(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
