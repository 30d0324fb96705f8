"""Archives: fetched, unpacked and mended; none of other content, or that leads out of its folder."""

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from mlhw.arrays import Place
from mlhw.datasets import grocery, sources, verify
from mlhw.datasets.hashes import content_hash
from mlhw.datasets.sources import Archive, Source
from mlhw.datasets.unpack import extract
from mlhw.errors import DataError, DataMissing
from tests.datasets.fetch_made import bring
from tests.datasets.made import write_grocery
from tests.datasets.server import Server


def zipped(folder: Path, inside: str = "Repo-fc80ba9/dataset", **more: bytes) -> bytes:
    """A zip of ``folder`` under ``inside``, and other members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{inside}/{path.relative_to(folder).as_posix()}")
        archive.writestr("Repo-fc80ba9/README.md", "read me")
        for name, content in more.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.fixture
def shop(server: Server, tmp_path: Path) -> Source:
    """Grocery in small, as /shop.zip on the server."""
    folder = write_grocery(tmp_path / "made")
    tables = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sources.GROCERY.archive.tables}
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    archive = Archive("Shop.zip", "dataset", tables, len(names), 1, content_hash(folder, names), 10_000_000)
    server.files["/shop.zip"] = zipped(folder)
    return replace(sources.GROCERY, mirrors=(f"{server.url}/shop.zip",), archive=archive)


def test_an_archive_is_fetched_unpacked_and_loaded(place: Place, server: Server, shop: Source) -> None:
    server.faults["/shop.zip"] = ["break"]
    assert [file.status for file in bring(shop, place)] == ["fetched"]
    assert len(grocery.load(place, image_size_pixels=8).train) == 3
    assert not list(place.data.rglob("README.md"))
    assert {file.status for file in verify.verify(shop, place.data)} == {"ok"}
    server.seen.clear()
    assert [file.status for file in bring(shop, place)] == ["present"]
    assert server.seen == []
    left = [path.name for path in (place.data / "GroceryStoreDataset").iterdir()]
    assert [name for name in left if not name.endswith(".lock")] == ["dataset"]


def test_a_damaged_picture_is_seen_and_mended_and_other_files_stay(place: Place, shop: Source) -> None:
    bring(shop, place)
    folder = place.data / "GroceryStoreDataset/dataset"
    (folder / "val/Lime/1.jpg").write_bytes(b"damaged")
    (folder / "mine.txt").write_text("mine")
    assert verify.verify(shop, place.data)[-1].status == "corrupt"
    bring(shop, place)
    assert verify.verify(shop, place.data)[-1].status == "ok"
    (folder / "val/Lime/1.jpg").unlink()
    missing = verify.verify(shop, place.data)[-1]
    assert (missing.status, missing.path) == ("missing", folder / "val/Lime/1.jpg")
    bring(shop, place)
    assert (folder / "mine.txt").read_text() == "mine"


def test_a_zip_of_other_content_is_refused_and_nothing_is_unpacked(place: Place, server: Server, shop: Source) -> None:
    server.files["/shop.zip"] = server.files["/shop.zip"].replace(b"Pink-Lady,0", b"Pink-Lord,0")
    with pytest.raises(DataError, match=r"not a whole zip|expected content"):
        bring(shop, place)
    assert not (place.data / "GroceryStoreDataset/dataset").exists()


def test_a_zip_put_there_by_hand_is_used_offline(place: Place, server: Server, shop: Source) -> None:
    with pytest.raises(DataMissing, match=r"shop\.zip to .*Shop\.zip"):
        bring(shop, place, offline=True)
    (place.data / "GroceryStoreDataset").mkdir()
    (place.data / "GroceryStoreDataset/Shop.zip").write_bytes(server.files["/shop.zip"])
    assert [file.status for file in bring(shop, place, offline=True)] == ["unpacked"]
    assert server.seen == []


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/evil.txt", "Repo/dataset/../../evil.txt", "C:/evil.txt", "..\\evil.txt"]
)
def test_a_zip_that_leads_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.zip").write_bytes(zipped(write_grocery(tmp_path / "made"), **{name: b"evil"}))
    with pytest.raises(DataError, match="leads out"):
        extract(tmp_path / "a.zip", "dataset", tmp_path / "x/y/out", 10_000_000, lambda *_: None)
    assert not (tmp_path / "x").exists()


def test_a_zip_with_a_link_or_too_large_or_without_the_folder_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("Repo/dataset/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    (tmp_path / "a.zip").write_bytes(zipped(write_grocery(tmp_path / "made")))
    for name, inside, most, says in (
        ("link.zip", "dataset", 10_000, "leads out"),
        ("a.zip", "dataset", 10, "above the 10 allowed"),
        ("a.zip", "elsewhere", 10_000_000, "no folder"),
    ):
        with pytest.raises(DataError, match=says):
            extract(tmp_path / name, inside, tmp_path / "out", most, lambda *_: None)
