"""A folder of TensorBoard events: scalars by epoch, the config as text and as hyperparameters, figures.

Tags are ``loss/train``, ``accuracy/val``, ``lr`` and so on; the step is the epoch, counted from 1. An event's time is the start
of the run plus the seconds of the rows so far, so that the same rows make the same events.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mlhw.files import LineFile, make_folder
from mlhw.protocols import EpochRow

NAME: Final = "events.out.tfevents.{seconds}.mlhw"  # readers look for the middle of it


class EventLog:
    """An events file that grows by whole events, each with the system when ``rows`` returns.

    A log that is begun anew empties those in the folder: what they held comes again, from metrics.csv, so that nothing is
    there twice and nothing is lost, wherever a run was cut off.
    """

    def __init__(self, folder: Path, started: str) -> None:
        """Begin the log of a run that was ``started`` at (``yyyymmdd-hhmmss``, UTC) in ``folder``.

        Raises:
            OutputError: it cannot be written.
        """
        with _quiet():
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.summary.writer.record_writer import RecordWriter

        self._event, self._summary, self._record = event_pb2.Event, summary_pb2.Summary, RecordWriter
        self._time = datetime.strptime(started, "%Y%m%d-%H%M%S").replace(tzinfo=UTC).timestamp() if started else 0.0
        old = sorted(make_folder(folder).glob("*.tfevents.*"))
        # A greater number than any before: a reader goes through the files of a folder in this order.
        number = max([int(self._time), *(_number(path) + 1 for path in old)])
        self.path = folder / NAME.format(seconds=number)
        self._file = LineFile(self.path)
        first = self._event(wall_time=self._time, file_version="brain.Event:2")
        # To a reader that has seen the old files this says: forget all that you have from step 0 on.
        start = self._event(wall_time=self._time, step=0, session_log=event_pb2.SessionLog(status=1))
        self._write(first, start)
        for path in old:
            with contextlib.suppress(OSError):  # one that a reader on Windows holds open; it is forgotten all the same
                _empty(path)

    def rows(self, rows: Sequence[EpochRow]) -> None:
        """Add the scalars of ``rows``. Raises OutputError where the disk is full."""
        events = []
        for row in rows:
            seconds = round(row.seconds, 6)  # as metrics.csv has it, from which a log may be begun anew
            self._time += seconds
            values = {f"loss/{row.split}": row.loss, f"accuracy/{row.split}": row.accuracy}
            values |= {"lr": row.lr} if row.split == "train" else {}
            values |= {f"seconds/{row.split}": seconds}
            found = [self._summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
            events.append(self._event(wall_time=self._time, step=row.epoch, summary=self._summary(value=found)))
        self._write(*events)

    def config(self, yaml: str, flat: Mapping[str, Any]) -> None:
        """Add the config: whole as text, and its numbers, texts and switches as hyperparameters."""
        with _quiet():
            from tensorboard.plugins.hparams.summary_v2 import hparams_pb
            from tensorboard.plugins.text.summary_v2 import text_pb

        indented = "".join(f"    {line}\n" for line in yaml.splitlines())
        plain = {key: value for key, value in flat.items() if isinstance(value, bool | int | float | str)}
        plain |= {key: str(value) for key, value in flat.items() if key not in plain and value is not None}
        for summary in (text_pb("config", indented), hparams_pb(plain, start_time_secs=self._time)):
            self._write(self._event(wall_time=self._time, step=0, summary=summary))

    def figures(self, paths: Sequence[Path], step: int) -> None:
        """Add the PNG files ``paths`` as images of ``step``, each by its name."""
        for path in paths:
            data = path.read_bytes()
            width, height = (
                int.from_bytes(data[place : place + 4]) for place in (16, 20)
            )  # of the header's first chunk
            image = self._summary.Image(height=height, width=width, colorspace=4, encoded_image_string=data)
            value = self._summary.Value(tag=f"plots/{path.stem}", image=image)
            self._write(self._event(wall_time=self._time, step=step, summary=self._summary(value=[value])))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, *events: Any) -> None:
        content = io.BytesIO()
        record = self._record(content)
        for event in events:
            record.write(event.SerializeToString(deterministic=True))
        self._file.append(content.getvalue())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """A block in which the import of TensorBoard's modules warns of nothing: what is outdated in them is not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _empty(path: Path) -> None:
    """Leave nothing in ``path``: a TensorBoard that looks on goes from its end to the next file, but not from no file."""
    if path.stat().st_size:
        os.truncate(path, 0)
    else:
        path.unlink()


def _number(path: Path) -> int:
    """The time in the name of an events file; 0 where there is none."""
    part = path.name.partition(".tfevents.")[2].partition(".")[0]
    return int(part) if part.isascii() and part.isdigit() and len(part) < 20 else 0
