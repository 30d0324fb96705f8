"""Pictures of any kind: opened whole and upright as Pillow has them, or refused for the right reason, in bounded memory."""

import json
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from mlhw.datasets import headers, picture_memory, pictures
from mlhw.datasets.pictures import BadImage, find, open_picture
from tests.datasets import hostile_bytes as made
from tests.datasets.hostile import CONTENTS, KINDS, THINGS, make_hostile
from tests.datasets.made import noise, picture

# How a picture stored as ``a`` is to be shown, by the EXIF standard (tag 0x0112: where row 0 and column 0 lie).
SHOWN = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def pixels(path: Path) -> np.ndarray:
    return np.asarray(open_picture(path))


def reason(path: Path) -> str:
    with pytest.raises(BadImage) as caught:
        open_picture(path)
    return str(caught.value)


# What is opened


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "gif", "webp", "tif", "ppm", "avif"])
def test_an_rgb_picture_has_pillows_pixels(tmp_path: Path, suffix: str) -> None:
    if suffix == "avif":
        pytest.importorskip("PIL.AvifImagePlugin")
    file = noise(tmp_path / f"a.{suffix}", (33, 21))
    with Image.open(file) as image:
        np.testing.assert_array_equal(pixels(file), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright_and_are_not_turned_again(tmp_path: Path, suffix: str, orientation: int) -> None:
    options = {"exif": made.oriented(orientation)} | ({"lossless": True} if suffix == "webp" else {})
    file = noise(tmp_path / f"a.{suffix}", (12, 7), **options)
    plain = noise(tmp_path / f"plain.{suffix}", (12, 7), **{**options, "exif": made.oriented(1)})
    upright = open_picture(file)
    np.testing.assert_array_equal(np.asarray(upright), SHOWN[orientation](pixels(plain)))
    assert ImageOps.exif_transpose(upright).size == upright.size
    assert ImageOps.exif_transpose(upright).tobytes() == upright.tobytes()


def test_sixteen_and_twelve_bits_become_eight(tmp_path: Path) -> None:
    deep = np.array([[0, 255, 256, 0x7FFF, 0x8000, 0xFFFF]], np.uint16)
    for suffix in ("png", "tif"):
        Image.fromarray(deep).save(tmp_path / f"a.{suffix}")
        assert pixels(tmp_path / f"a.{suffix}")[0].tolist() == [[v, v, v] for v in (0, 0, 1, 127, 128, 255)]
    (tmp_path / "a.pgm").write_bytes(b"P5 6 1 65535 " + deep.astype(">u2").tobytes())
    assert pixels(tmp_path / "a.pgm")[0, :, 1].tolist() == [0, 0, 1, 127, 128, 255]
    twelve = made.tiff(made.grey_tags(2, 1, bits=12), bytes((0x80, 0x0F, 0xFF)))
    (tmp_path / "twelve.tif").write_bytes(twelve)
    assert pixels(tmp_path / "twelve.tif")[0, :, 2].tolist() == [128, 255]
    colour = made.png(1, 1, zlib.compress(b"\0" + struct.pack(">3H", 0x1234, 0xABCD, 0xFFFF)), depth=16)
    (tmp_path / "colour.png").write_bytes(colour)
    assert pixels(tmp_path / "colour.png").tolist() == [[[0x12, 0xAB, 0xFF]]]


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_transparency_is_laid_on_white(tmp_path: Path, suffix: str) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (16, 16, 4), dtype=np.uint8)
    colours[0, 0, 3], colours[0, 1, 3] = 0, 255
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    Image.fromarray(colours).save(tmp_path / f"a.{suffix}", **options)
    share = colours[..., 3:] / 255
    got = pixels(tmp_path / f"a.{suffix}")
    assert np.abs(got - (share * colours[..., :3] + (1 - share) * 255)).max() <= 1
    assert (got[0, 0].tolist(), got[0, 1].tolist()) == ([255, 255, 255], colours[0, 1, :3].tolist())


def test_palettes_bits_and_greys(tmp_path: Path) -> None:
    palette = Image.new("P", (3, 1))
    palette.putdata([0, 1, 2])
    palette.putpalette([10, 20, 30, 200, 100, 0, 7, 8, 9])
    palette.save(tmp_path / "clear.png", transparency=bytes((0, 255, 255)))
    assert pixels(tmp_path / "clear.png").tolist() == [[[255, 255, 255], [200, 100, 0], [7, 8, 9]]]
    palette.save(tmp_path / "clear.gif", transparency=1)
    assert pixels(tmp_path / "clear.gif").tolist() == [[[10, 20, 30], [255, 255, 255], [7, 8, 9]]]
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "bits.png")
    assert pixels(tmp_path / "bits.png").tolist() == [[[255] * 3, [0] * 3]]
    Image.fromarray(np.array([[[50, 255], [50, 0]]], np.uint8), "LA").save(tmp_path / "grey.png")
    assert pixels(tmp_path / "grey.png").tolist() == [[[50] * 3, [255] * 3]]


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_four_inks(tmp_path: Path, suffix: str) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(
        tmp_path / f"red.{suffix}"
    )  # in a JPEG stored inverted, as Adobe does
    assert np.abs(pixels(tmp_path / f"red.{suffix}").astype(int) - (255, 0, 0)).max() <= 3


@pytest.mark.parametrize(
    ("form", "suffix"), [("GIF", "gif"), ("WEBP", "webp"), ("PNG", "png"), ("TIFF", "tif"), ("MPO", "jpg")]
)
def test_of_several_frames_the_first(tmp_path: Path, form: str, suffix: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(tmp_path / f"a.{suffix}", form, save_all=True, append_images=frames[1:])
    assert np.abs(pixels(tmp_path / f"a.{suffix}").astype(int) - (255, 0, 0)).max() <= 3


def test_colours_are_converted_in_tiles_as_they_are_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, whole = np.random.default_rng(1), {}
    for kind in ("palette", "clear palette", "alpha", "grey alpha", "one bit", "16 bits grey", "cmyk", "alpha webp"):
        suffix, _, content = CONTENTS[kind]
        file = tmp_path / f"{kind}{suffix}"
        file.write_bytes(content(rng))
        whole[file] = pixels(file)
    monkeypatch.setattr(pictures, "_TILE", 7)
    for file, expected in whole.items():
        np.testing.assert_array_equal(pixels(file), expected, err_msg=file.name)


# What is refused


def test_pictures_of_every_hostile_kind_are_opened_or_refused_for_the_right_reason(tmp_path: Path) -> None:
    assert len(KINDS) >= 100
    expected = make_hostile(tmp_path / "all", len(KINDS), np.random.default_rng(0))
    found = find([str(tmp_path / "all")], recursive=False)
    assert [item.path for item in found] == sorted(expected, key=lambda path: path.name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for item in found:
            said, wanted = item.problem, expected[item.path]
            try:
                assert said is not None or open_picture(item.path).mode == "RGB"
            except BadImage as bad:
                said = str(bad)
            assert (said is None) == (wanted is None), f"{item.name}: {said}"
            assert wanted is None or wanted in said, f"{item.name}: {said}"
            assert said is None or (said.isprintable() and len(said) <= 160 and str(tmp_path) not in said)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak")
def test_three_hundred_of_them_take_little_memory(tmp_path: Path) -> None:
    code = """if True:
        import json, pathlib, re, sys, warnings
        import numpy, PIL.Image
        from mlhw.datasets import pictures
        warnings.simplefilter("ignore")
        opened = 0
        peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
        before = peak()
        for item in pictures.find(sys.argv[1:], recursive=True):
            try:
                opened += item.problem is None and pictures.open_picture(item.path) is not None
            except pictures.BadImage:
                pass
        print(json.dumps([opened, peak() - before]))
    """
    expected = make_hostile(tmp_path / "all", 300, np.random.default_rng(1))
    command = [sys.executable, "-c", code, str(tmp_path / "all")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    opened, kilobytes = json.loads(ran.stdout)
    assert opened == sum(wanted is None for wanted in expected.values())
    assert kilobytes < 150_000  # 8 MB when this was written
    assert not ran.stderr


def test_whatever_bytes_are_changed_the_answer_is_a_picture_or_a_reason(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    contents = [content(rng) for suffix, wanted, content in CONTENTS.values() if wanted is None]
    answers = {"picture": 0, "reason": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for content in contents:
            for _ in range(4):
                changed = bytearray(content[: 1 << 16])
                for at in rng.integers(0, min(len(changed), 300), 3):
                    changed[at] = rng.integers(256)
                (tmp_path / "a").write_bytes(changed)
                try:
                    assert open_picture(tmp_path / "a").mode == "RGB"
                    answers["picture"] += 1
                except BadImage:
                    answers["reason"] += 1
    assert min(answers.values()) > 10


def test_a_phones_film_behind_a_jpeg_does_not_make_it_cut_off(tmp_path: Path) -> None:
    data = noise(tmp_path / "a.jpg").read_bytes()
    before = pixels(tmp_path / "a.jpg")
    for tail in (b"\xff\xda\0\0", np.random.default_rng(3).bytes(300_000), data[:-40]):
        (tmp_path / "a.jpg").write_bytes(data + tail)
        np.testing.assert_array_equal(pixels(tmp_path / "a.jpg"), before)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lost_only_its_end_is_cut_off(tmp_path: Path, progressive: bool) -> None:
    preview = made.saved(Image.new("RGB", (8, 8)), "JPEG")  # whose own end counts for nothing
    file = noise(tmp_path / "a.jpg", (200, 150), progressive=progressive, comment=preview)
    data = file.read_bytes()
    for broken in (data[:-2], data[: len(data) // 2], data[: len(data) // 2].ljust(len(data), b"\0")):
        file.write_bytes(broken)
        assert "cut off" in reason(file)


@pytest.mark.parametrize(
    ("suffix", "options", "enough"),  # bytes for 100 × 100 pixels
    [
        ("jpg", {}, 50_000),  # the picture, 4 bytes a pixel
        ("jpg", {"exif": made.oriented(6)}, 90_000),  # twice
        ("jpg", {"progressive": True}, 110_000),  # with its coefficients
        ("webp", {}, 170_000),  # with its decoder's canvases
    ],
)
def test_large_pictures_are_refused_for_the_memory_they_would_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, options: dict, enough: int
) -> None:
    file = picture(tmp_path / f"a.{suffix}", size=(100, 100), **options)
    monkeypatch.setattr(picture_memory, "MOST_MEMORY", enough)
    assert pixels(file).shape == (100, 100, 3)
    monkeypatch.setattr(picture_memory, "MOST_MEMORY", enough - 10_000)
    assert "100×100 pixels, which take 0 MB to open, above the 0 allowed" in reason(file)


def test_a_refusal_keeps_neither_the_file_nor_the_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(CONTENTS["flipped bits"][2](np.random.default_rng(0)))
    with pytest.raises(BadImage) as caught:
        open_picture(tmp_path / "a.png")
    assert caught.value.__context__ is None
    assert [entry.name for entry in caught.traceback][-2:] == ["open_picture", "_careful"]  # no frame that holds them


def test_files_of_countless_parts_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(made.chunk_storm(2000))
    monkeypatch.setattr(pictures._Metered, "left", 3000)
    assert "parts" in reason(tmp_path / "a.png")
    monkeypatch.setattr(headers, "MOST_MARKERS", 3)
    assert "segments" in reason(noise(tmp_path / "a.jpg"))


def test_libtiff_prints_nothing_of_what_is_wrong_with_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = noise(tmp_path / "a.tif", compression="tiff_adobe_deflate")
    data = bytearray(file.read_bytes())
    data[200:260] = bytes(60)
    file.write_bytes(data)
    assert "damaged" in reason(file)
    assert capfd.readouterr().err == ""


def test_all_memory_is_asked_for_before_it_is_taken(tmp_path: Path) -> None:
    """First what the file holds, then, once, what it becomes: at least four bytes a pixel and the file itself."""
    file, asked = noise(tmp_path / "a.png", (300, 200)), list[int]()
    open_picture(file, asked.append)
    assert asked[0] == file.stat().st_size
    assert len(asked) == 2
    assert asked[1] >= 4 * 300 * 200 + file.stat().st_size
    with pytest.raises(BadImage):
        open_picture(tmp_path / "none.png", asked.append)
    assert asked[2:] == [0]


def test_nothing_but_the_allowed_formats_is_loaded(tmp_path: Path) -> None:
    noise(tmp_path / "a.jpg")
    code = (
        "import sys; from pathlib import Path; from mlhw.datasets.pictures import open_picture;"
        "open_picture(Path(sys.argv[1])); print(*[name for name in sys.modules if name.startswith('PIL.')])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.jpg")]
    loaded = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True).stdout.split()
    assert "PIL.JpegImagePlugin" in loaded
    assert not {f"PIL.{name}ImagePlugin" for name in ("Eps", "Psd", "Pdf", "Icns", "Wmf", "Fits")} & set(loaded)


def test_the_hostile_folder_holds_what_it_says(tmp_path: Path) -> None:
    count = 2 * len(KINDS) + 5
    expected = make_hostile(tmp_path / "a", count, np.random.default_rng(0))
    assert len(expected) == count
    assert sum(wanted is None for wanted in expected.values()) > 60
    for recursive in (False, True):
        assert {item.path for item in find([str(tmp_path / "a")], recursive=recursive)} == set(expected)
    assert not set(CONTENTS) & set(THINGS)
