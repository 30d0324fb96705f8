import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlhw.arrays import Place
from mlhw.datasets import decode, images
from mlhw.datasets.decode import BadImage, read_image
from mlhw.datasets.images import Format, Picture, decode_splits
from mlhw.errors import DataError
from tests.datasets.made import noise, picture


def decoded(place: Place, files: list[Path], skip_bad: bool = False, size: int = 8):
    folder = Path(place.cache)
    folder.mkdir(exist_ok=True)
    pictures = [Picture(file, row % 3, f"list line {row + 1}") for row, file in enumerate(files)]
    splits = decode_splits(place, folder, {"train": pictures}, ("a", "b", "c"), Format(size), skip_bad=skip_bad)
    return np.load(splits.train.inputs), splits


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "gif", "webp", "tiff", "ppm"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_format_gives_the_colour_it_holds(tmp_path: Path, suffix: str, channels: int) -> None:
    file = picture(tmp_path / f"a.{suffix}", (200, 30, 30))
    got = read_image(file, 10, channels=channels)
    expected = (200, 30, 30) if channels == 3 else 81  # 0.299 · 200 + 0.587 · 30 + 0.114 · 30
    assert (got.shape, got.dtype) == ((10, 10, channels), np.uint8)
    assert np.abs(got.astype(int) - expected).max() <= 4


def test_squash_keeps_all_and_crop_keeps_the_centre(tmp_path: Path) -> None:
    stripes = np.zeros((30, 90, 3), np.uint8)
    stripes[:, :30], stripes[:, 30:60], stripes[:, 60:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    Image.fromarray(stripes).save(tmp_path / "a.png")
    squashed = read_image(tmp_path / "a.png", 30, resize="squash")
    assert [squashed[15, column].argmax() for column in (2, 15, 27)] == [0, 1, 2]
    cropped = read_image(tmp_path / "a.png", 30, resize="crop")
    np.testing.assert_array_equal(cropped, stripes[:, 30:60])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("resize", ["squash", "crop"])
def test_pictures_stand_as_pillow_turns_them(tmp_path: Path, orientation: int, resize: str) -> None:
    from PIL import ImageOps

    pixels = np.kron(
        np.random.default_rng(0).integers(0, 256, (2, 3, 3), dtype=np.uint8), np.ones((16, 16, 1), np.uint8)
    )
    exif = Image.Exif()
    exif[decode.ORIENTATION] = orientation
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as image:
        ImageOps.exif_transpose(image).save(tmp_path / "upright.png")
    turned = read_image(tmp_path / "turned.png", 16, resize=resize).astype(int)
    upright = read_image(tmp_path / "upright.png", 16, resize=resize).astype(int)
    assert np.abs(turned - upright).max() <= 1


def test_a_jpeg_read_at_half_its_size_is_near_the_whole_one(tmp_path: Path) -> None:
    smooth = np.kron(np.random.default_rng(1).integers(0, 256, (4, 4, 3)), np.ones((64, 64, 1))).astype(np.uint8)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95)
    with Image.open(tmp_path / "a.jpg") as image:
        plain = np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(read_image(tmp_path / "a.jpg", 32) - plain).mean() < 6


def test_transparency_becomes_white_and_sixteen_bits_become_eight(tmp_path: Path) -> None:
    picture(tmp_path / "clear.png", (0, 0, 0, 0))
    assert read_image(tmp_path / "clear.png", 4).min() == 255
    Image.fromarray(np.full((5, 5), 300 * 256 // 2, np.uint16)).save(tmp_path / "deep.png")
    assert read_image(tmp_path / "deep.png", 4, channels=1).ravel()[0] == 150
    palette = Image.new("P", (5, 5), 0)
    palette.putpalette([9, 9, 9])
    palette.save(tmp_path / "palette.png", transparency=bytes([0, 255]))
    assert read_image(tmp_path / "palette.png", 4).min() == 255


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "webp", "tiff", "ppm"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_picture_cut_anywhere_is_found(tmp_path: Path, suffix: str, share: float) -> None:
    file = noise(tmp_path / f"a.{suffix}")
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(BadImage):
        read_image(file, 16)


def test_a_jpeg_whose_tail_is_zeros_or_that_lacks_its_last_bytes_is_cut_off(tmp_path: Path) -> None:
    file = noise(tmp_path / "a.jpg", (200, 200))
    data = file.read_bytes()
    for broken in (data[: len(data) // 2].ljust(len(data), b"\0"), data[:-2]):
        file.write_bytes(broken)
        with pytest.raises(BadImage, match="cut off"):
            read_image(file, 16)
    for trailer in (b"a camera's own trailer", b"a film with \xff\xda in it", data[:-40]):  # of a phone's motion photo
        file.write_bytes(data + trailer)
        assert read_image(file, 16).shape == (16, 16, 3)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"plain text", "not a picture"),
        (b"<svg xmlns='x'/>", "not a picture"),
        (b"%!PS-Adobe", "not a pic"),
    ],
)
def test_what_is_no_picture_says_so(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(BadImage, match=says):
        read_image(tmp_path / "a.jpg", 8)


def test_what_is_no_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadImage, match="no such file"):
        read_image(tmp_path / "a.jpg", 8)
    with pytest.raises(BadImage, match="a folder"):
        read_image(tmp_path, 8)
    with pytest.raises(BadImage, match="cannot be read"):
        read_image(Path("a\0b.jpg"), 8)


# Pillow warns at the first, and raises at the second without telling the size.
@pytest.mark.parametrize(("side", "says"), [(10_000, "10000×10000 pixels"), (20_000, "too many pixels")])
def test_a_decompression_bomb_is_refused(place: Place, tmp_path: Path, side: int, says: str) -> None:
    Image.new("1", (side, side)).save(tmp_path / "bomb.png")
    with pytest.raises(DataError, match=f"{says}, above the 89,478,485 allowed"):
        decoded(place, [tmp_path / "bomb.png"])


def test_pillows_warnings_do_not_leak(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def warned(path: Path, *args, **more) -> np.ndarray:
        warnings.warn("an odd file", stacklevel=1)
        return read_image(path, *args, **more)

    monkeypatch.setattr(images, "read_image", warned)
    before = list(warnings.filters)
    assert len(decoded(place, [picture(tmp_path / "a.png")])[0]) == 1  # every warning is an error here
    assert warnings.filters == before


def test_all_bad_files_are_reported_at_once_ten_by_name(place: Place, tmp_path: Path) -> None:
    good = picture(tmp_path / "good.png")
    files = [good, *(tmp_path / f"absent-{row}.png" for row in range(13))]
    with pytest.raises(DataError) as caught:
        decoded(place, files)
    text = str(caught.value)
    assert caught.value.exit_code == 3
    assert text.startswith("13 of 14 pictures cannot be used")
    assert text.count("no such file") == 10
    assert "and 3 more" in text
    assert "data.skip_bad: true" in text
    assert "absent-0.png (list line 2)" in text
    assert "good" not in text


def test_skip_bad_drops_them_with_their_labels_and_lists_them(place: Place, tmp_path: Path) -> None:
    files = [picture(tmp_path / f"{row}.png", (row * 40, 0, 0)) for row in range(5)]
    files[1].write_bytes(b"no picture")
    files[3].unlink()
    inputs, splits = decoded(place, files, skip_bad=True)
    assert splits.train.targets.tolist() == [0, 2, 1]
    assert inputs[:, 0, 0, 0].tolist() == [0, 80, 160]
    assert [entry.partition(": ")[2].split(" ")[0] for entry in splits.skipped] == ["not", "no"]


def test_a_split_of_bad_files_alone_is_an_error_even_when_skipping(place: Place, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no picture of train"):
        decoded(place, [tmp_path / "absent.png"], skip_bad=True)


def test_the_result_does_not_depend_on_threads(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [noise(tmp_path / f"{row}.jpg", (40 + row, 50), seed=row) for row in range(40)]
    results = []
    for cores in (1, 7):
        monkeypatch.setattr(images, "_cores", lambda cores=cores: cores)
        results.append(decoded(place, files)[0])
    np.testing.assert_array_equal(*results)
    np.testing.assert_array_equal(results[0], [read_image(file, 8) for file in files])


def test_progress_ends_at_the_total(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    place = Place(tmp_path, tmp_path / "cache", lambda *told: seen.append(told))
    decoded(place, [picture(tmp_path / f"{row}.png") for row in range(4)])
    assert [(done, total) for _, done, total in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_an_interrupt_leaves_no_threads_and_the_warning_filters_as_they_were(tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    files = [picture(tmp_path / f"{row}.png") for row in range(40)]
    before = list(warnings.filters)
    with pytest.raises(KeyboardInterrupt) as caught:
        decoded(Place(tmp_path, tmp_path / "cache", interrupt), files)
    assert caught.value is not None  # its traceback still holds every frame
    assert warnings.filters == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]
