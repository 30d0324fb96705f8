"""Downloads: continued where they broke off, held to their hash, never kept when they are wrong."""

import gzip
import hashlib
import io
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlhw.arrays import Place
from mlhw.datasets import download, fetch, mnist, sources, verify
from mlhw.datasets.sources import PackedFile, Source
from mlhw.errors import ConfigError, DataError, DataMissing, OutputError
from tests.datasets.fetch_made import bring
from tests.datasets.made import IDX_NAMES, idx, mnist_arrays, never
from tests.datasets.server import Server


@pytest.fixture
def small(server: Server) -> Source:
    """MNIST in small, on the server under /a/ and /b/, which are its mirrors."""
    files = []
    for name, array in zip(IDX_NAMES, mnist_arrays(), strict=True):
        plain = idx(array)
        packed = gzip.compress(plain, mtime=0)
        files.append(
            PackedFile(
                name, len(plain), hashlib.sha256(plain).hexdigest(), len(packed), hashlib.md5(packed).hexdigest()
            )
        )
        for mirror in "ab":
            server.files[f"/{mirror}/{name}.gz"] = packed
    return replace(sources.MNIST, mirrors=(f"{server.url}/a/", f"{server.url}/b/"), files=tuple(files))


FIRST = f"/a/{IDX_NAMES[0]}.gz"


def asked_for_first(server: Server) -> list[str | None]:
    return [asked for path, asked in server.seen if path == FIRST]


def assert_whole(source: Source, place: Place) -> None:
    assert {file.status for file in verify.verify(source, place.data)} == {"ok"}
    assert not list(Path(place.data).rglob("*.part"))
    np.testing.assert_array_equal(mnist.load(place).train.inputs[..., 0], mnist_arrays()[0])


def test_all_is_fetched_then_found_there(place: Place, server: Server, small: Source) -> None:
    told: list[tuple[str, int, int]] = []
    brought = bring(small, place, progress=lambda *args: told.append(args))
    assert [file.status for file in brought] == ["fetched"] * 4
    assert_whole(small, place)
    assert any(done == total == small.files[0].packed_size for _, done, total in told)
    server.seen.clear()
    assert [file.status for file in bring(small, place)] == ["present"] * 4
    assert server.seen == []


def test_only_what_is_missing_or_damaged_is_fetched(place: Place, server: Server, small: Source) -> None:
    bring(small, place)
    raw = place.data / "MNIST/raw"
    (raw / IDX_NAMES[0]).write_bytes(b"damaged")
    (raw / IDX_NAMES[1]).unlink()
    same_size = raw / IDX_NAMES[2]
    same_size.write_bytes(bytes(same_size.stat().st_size))
    states = [file.status for file in verify.verify(small, place.data)]
    assert states == ["size", "missing", "corrupt", "ok"]
    server.seen.clear()
    assert [file.status for file in bring(small, place)] == ["fetched"] * 3 + ["present"]
    assert len(server.seen) == 3
    assert_whole(small, place)


def test_a_connection_that_breaks_off_is_continued_where_it_was(place: Place, server: Server, small: Source) -> None:
    server.faults[FIRST] = ["break", "break"]
    bring(small, place)
    assert_whole(small, place)
    size = small.files[0].packed_size
    assert asked_for_first(server) == [None, f"bytes={size // 2}-", f"bytes={size // 2 + (size - size // 2) // 2}-"]


def test_a_part_from_before_is_continued(place: Place, server: Server, small: Source) -> None:
    part = place.data / "MNIST/raw" / f"{IDX_NAMES[0]}.gz.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(server.files[FIRST][:100])
    bring(small, place)
    assert asked_for_first(server) == ["bytes=100-"]
    assert_whole(small, place)


def test_a_whole_part_from_before_is_taken(place: Place, server: Server, small: Source) -> None:
    part = place.data / "MNIST/raw" / f"{IDX_NAMES[0]}.gz.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(server.files[FIRST])
    bring(small, place)
    assert len(asked_for_first(server)) == 1
    assert_whole(small, place)


def test_a_server_without_ranges_sends_all_again(place: Place, server: Server, small: Source) -> None:
    server.faults[FIRST] = ["break", "no range"]
    bring(small, place)
    assert len(asked_for_first(server)) == 2
    assert_whole(small, place)


def test_a_part_of_something_else_is_discarded(place: Place, server: Server, small: Source) -> None:
    part = place.data / "MNIST/raw" / f"{IDX_NAMES[0]}.gz.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"something else")
    bring(small, place)
    assert asked_for_first(server) == ["bytes=14-", None]
    assert_whole(small, place)


@pytest.mark.parametrize("fault", ["404", "html"])
def test_a_mirror_without_the_file_is_left_at_once(place: Place, server: Server, small: Source, fault: str) -> None:
    server.faults[FIRST] = [fault]
    bring(small, place)
    assert len(asked_for_first(server)) == 1
    assert_whole(small, place)


def test_a_web_page_does_not_cost_what_has_come(place: Place, server: Server, small: Source) -> None:
    server.faults[FIRST] = ["break", "html"]
    bring(small, place)
    assert (f"/b/{IDX_NAMES[0]}.gz", f"bytes={small.files[0].packed_size // 2}-") in server.seen
    assert_whole(small, place)


def test_a_wrong_hash_is_tried_from_zero_once_then_the_next_mirror(place: Place, server: Server, small: Source) -> None:
    server.faults[FIRST] = ["wrong", "wrong"]
    bring(small, place)
    assert asked_for_first(server) == [None, None]
    assert_whole(small, place)


def test_wrong_hashes_everywhere_are_corrupt_data_and_leave_no_file(
    place: Place, server: Server, small: Source
) -> None:
    for mirror in "ab":
        server.faults[f"/{mirror}/{IDX_NAMES[0]}.gz"] = ["wrong"] * 2
    with pytest.raises(DataError, match=r"expected md5 .* got") as caught:
        bring(small, place)
    assert not isinstance(caught.value, DataMissing)
    names = {path.name for path in (place.data / "MNIST/raw").iterdir()}
    assert not any(name.startswith(IDX_NAMES[0]) for name in names)


def test_attempts_are_bounded_and_the_message_tells_each_mirror(place: Place, server: Server, small: Source) -> None:
    for mirror in "ab":
        server.faults[f"/{mirror}/{IDX_NAMES[0]}.gz"] = ["500"] * 99
    with pytest.raises(DataMissing) as caught:
        bring(small, place)
    assert len(server.seen) == 2 * download.ATTEMPTS
    text = str(caught.value)
    for part in ("/a/", "/b/", "500", str(place.data / "MNIST/raw" / f"{IDX_NAMES[0]}.gz"), "mlhw data fetch mnist"):
        assert part in text


def test_web_pages_everywhere_say_so(place: Place, server: Server, small: Source) -> None:
    for mirror in "ab":
        server.faults[f"/{mirror}/{IDX_NAMES[0]}.gz"] = ["html"]
    with pytest.raises(DataError, match="web page"):
        bring(small, place)


def test_no_network_says_what_to_put_where(place: Place, small: Source) -> None:
    with pytest.raises(DataMissing, match="no connection") as caught:
        bring(small, place, mirrors=["http://127.0.0.1:9"])
    assert "http://127.0.0.1:9/train-images-idx3-ubyte.gz" in str(caught.value)
    with pytest.raises(DataMissing, match="not an http"):
        bring(small, place, mirrors=["file:///etc"])


def test_offline_downloads_nothing_and_names_every_missing_file(place: Place, server: Server, small: Source) -> None:
    bring(small, place)
    server.seen.clear()
    for name in IDX_NAMES[:2]:
        (place.data / "MNIST/raw" / name).unlink()
    with pytest.raises(DataMissing, match="MLHW_OFFLINE=1") as caught:
        bring(small, place, offline=True)
    assert (caught.value.exit_code, server.seen) == (3, [])
    for name in IDX_NAMES:
        assert (f"{small.mirrors[0]}{name}.gz to {place.data / 'MNIST/raw' / name}.gz" in str(caught.value)) is (
            name in IDX_NAMES[:2]
        )


def test_a_packed_file_put_there_by_hand_is_used_offline(place: Place, server: Server, small: Source) -> None:
    bring(small, place)
    plain = place.data / "MNIST/raw" / IDX_NAMES[0]
    plain.write_bytes(b"damaged")
    plain.with_name(f"{plain.name}.gz").write_bytes(server.files[FIRST])
    assert bring(small, place, offline=True)[0].status == "unpacked"
    assert_whole(small, place)


def test_two_at_once_fetch_once(place: Place, server: Server, small: Source) -> None:
    threads = [threading.Thread(target=bring, args=(small, place)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.seen) == 4
    assert_whole(small, place)


def test_a_full_disk_is_an_output_error_that_names_the_file(place: Place, small: Source, monkeypatch) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(download, "_writing", lambda *_: Full())
    with pytest.raises(OutputError, match=r"train-images-idx3-ubyte\.gz\.part: No space left.*Free space"):
        bring(small, place)


def test_a_file_far_too_large_is_refused(place: Place, small: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MOST_PACKED_BYTES", 1000)
    with pytest.raises(DataMissing, match="more than the 1,000 bytes"):
        bring(small, place)


def test_digits_are_embedded_and_unknown_names_are_told_the_nearest(place: Place, monkeypatch) -> None:
    monkeypatch.setattr(download, "download", never("nothing to download"))
    assert [file.status for file in fetch.fetch("digits", place.data)] == ["embedded"]
    with pytest.raises(ConfigError, match="Did you mean mnist"):
        fetch.fetch("mnits", place.data)


def test_the_table_agrees_with_torchvision() -> None:
    from torchvision import datasets

    for source, theirs in ((sources.MNIST, datasets.MNIST), (sources.FASHION_MNIST, datasets.FashionMNIST)):
        ours = [(f"{file.name}.gz", file.packed_md5) for file in source.files]
        assert ours == theirs.resources
        assert set(theirs.mirrors) <= set(source.mirrors)
