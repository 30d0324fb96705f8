"""A run's folder as bytes: what arrives is what was sent, or nothing."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from mlhw.errors import DataError, OutputError
from mlhw.sweeps.folders import pack, unpack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "run-20260101-000000-abcd"
    (made / "checkpoints").mkdir(parents=True)
    (made / "plots").mkdir()
    (made / "metrics.csv").write_bytes(b"epoch,split\n1,train\n")
    (made / "checkpoints" / "last.pt").write_bytes(bytes(range(256)) * 500)
    (made / "empty").touch()
    (made / "a name that is long and has a sign (é) in it").write_text("x", encoding="utf-8")
    return made


def content(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


def archive(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for entry, data in entries:
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def test_what_arrives_is_what_was_sent(folder: Path, tmp_path: Path) -> None:
    unpack(pack(folder), tmp_path / "there" / folder.name)
    there = tmp_path / "there" / folder.name
    assert content(there) == content(folder)
    assert [path.name for path in there.parent.iterdir()] == [folder.name]
    assert int((there / "metrics.csv").stat().st_mtime) == int((folder / "metrics.csv").stat().st_mtime)


def test_the_same_folder_makes_the_same_bytes(folder: Path) -> None:
    assert pack(folder) == pack(folder)


def test_an_empty_folder_arrives(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    unpack(pack(tmp_path / "empty"), tmp_path / "there")
    assert content(tmp_path / "there") == {}


def test_a_folder_that_is_there_is_left_alone_unless_it_shall_be_replaced(folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "mine").touch()
    with pytest.raises(OutputError, match="it exists"):
        unpack(pack(folder), there)
    assert content(there) == {"mine": b""}
    unpack(pack(folder), there, replace=True)
    assert content(there) == content(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([folder.name, "there"])


def test_a_damaged_archive_leaves_what_was_there(folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "mine").touch()
    with pytest.raises(DataError):
        unpack(pack(folder)[:-512], there, replace=True)
    assert content(there) == {"mine": b""}


@pytest.mark.parametrize(
    "bad",
    [
        entry("/etc/passwd"),
        entry("../outside"),
        entry("plots/../../outside"),
        entry("plots\\..\\..\\outside"),
        entry("C:outside"),
        entry("."),
        entry("link", tarfile.SYMTYPE, "/etc/passwd"),
        entry("link", tarfile.LNKTYPE, "good"),
        entry("device", tarfile.CHRTYPE),
        entry("disk", tarfile.BLKTYPE),
        entry("pipe", tarfile.FIFOTYPE),
        entry("good"),
        entry("good/below"),
        entry("strange", b"Z"),
    ],
    ids=lambda bad: f"{bad.name}-{bad.type.decode()}",
)
def test_what_is_no_plain_file_of_the_folder_is_refused(bad: tarfile.TarInfo, tmp_path: Path) -> None:
    data = archive((entry("good"), b"good"), (bad, b"bad" if bad.isreg() else b""))
    with pytest.raises((DataError, OutputError)):
        unpack(data, tmp_path / "there")
    assert list(tmp_path.iterdir()) == []


def test_no_part_of_an_archive_is_taken_for_the_whole(folder: Path, tmp_path: Path) -> None:
    data = pack(folder)
    for length in range(0, len(data), 512):
        with pytest.raises(DataError):
            unpack(data[:length], tmp_path / "there")
    assert not (tmp_path / "there").exists()


@pytest.mark.skipif(os.name != "posix", reason="needs links and pipes")
@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc"), os.mkfifo], ids=["link", "pipe"])
def test_what_is_no_plain_file_is_not_sent(make: object, folder: Path) -> None:
    make(folder / "plots" / "odd")  # type: ignore[operator]
    with pytest.raises(OutputError, match="odd: it is no plain file"):
        pack(folder)


def test_where_nothing_can_be_written_the_error_names_the_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        unpack(pack(folder), tmp_path / "file" / "run")
    with pytest.raises(OutputError, match="missing"):
        unpack(pack(folder), tmp_path / "file" / "missing")
