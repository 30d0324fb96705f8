import csv
import io
import json
import os
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from mlhw.datasets import headers, picture_memory, pictures
from mlhw.datasets.names import below_shared, csv_name, escape_name, name_from_csv
from mlhw.datasets.pictures import BadImage, Found, find, open_picture
from mlhw.errors import ConfigError, DataMissing
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


def names(found: list[Found]) -> list[str]:
    return [item.name for item in found]


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current one."""
    folder = tmp_path / "inside"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


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


# What is found


def test_files_are_taken_as_they_are_named_and_folders_for_their_pictures(inside: Path) -> None:
    picture(inside / "shots/b.png")
    picture(inside / "shots/A.JPG")
    picture(inside / "shots/deeper/c.png")
    picture(inside / "shots/.hidden.png")
    picture(inside / "shots/.folder/d.png")
    picture(inside / "shots/__MACOSX/e.png")
    (inside / "shots/photo").write_bytes(picture(inside / "other.png").read_bytes())
    (inside / "shots/report.dat").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    for name in ("notes.txt", "Thumbs.db", "labels.csv", "paper.pdf", "empty", "BM", "P6.txt"):
        (inside / "shots" / name).write_bytes(b"" if name == "empty" else name.encode() + b" and more")
    (inside / "shots/bad.jpg").write_text("no picture")
    (inside / "shots/phone.HEIC").write_text("no picture")
    expected = ["A.JPG", "b.png", "bad.jpg", "phone.HEIC", "photo", "report.dat"]
    for typed, prefix in (("shots", "shots/"), ("./shots/", "./shots/"), (str(inside / "shots"), f"{inside}/shots/")):
        assert names(find([typed], recursive=False)) == [prefix + name for name in expected]
    assert names(find(["shots"], recursive=True)) == [
        f"shots/{name}" for name in (*expected[:3], "deeper/c.png", *expected[3:])
    ]
    given = ["shots/notes.txt", "shots/.hidden.png", "shots/empty"]
    assert find(given, recursive=False) == [Found(Path(name), name) for name in given]
    assert names(find(["other.png", "shots/deeper"], recursive=False)) == ["other.png", "shots/deeper/c.png"]


def test_no_file_comes_twice(inside: Path) -> None:
    picture(inside / "a/z.png")
    (inside / "a/first.png").symlink_to("z.png")
    (inside / "a/again").symlink_to(".")
    (inside / "b").mkdir()
    (inside / "b/link.png").symlink_to("../a/z.png")
    (inside / "b/a").symlink_to("../a")
    (inside / "hard.png").hardlink_to(inside / "a/z.png")  # a file of its own, as far as anyone can tell
    assert names(find(["a"], recursive=True)) == ["a/z.png"]
    assert names(find(["a", "a/", "./a", "a/z.png", "b/link.png", "hard.png"], recursive=True)) == [
        "a/z.png",
        "hard.png",
    ]
    assert names(find(["a/first.png", "a"], recursive=True)) == ["a/first.png"]
    assert names(find(["b"], recursive=True)) == ["b/link.png"]
    assert names(find(["."], recursive=True)) == ["./a/z.png", "./hard.png"]


def test_loops_of_links_end(inside: Path) -> None:
    for name in "abcdefgh":
        (inside / "loops" / name).mkdir(parents=True)
    for name in "abcdefgh":
        for other in "abcdefgh":
            (inside / "loops" / name / f"to-{other}").symlink_to(f"../{other}")
        (inside / "loops" / name / "up").symlink_to("..")
    picture(inside / "loops/h/only.png")
    assert names(find(["loops"], recursive=True)) == ["loops/h/only.png"]
    (inside / "self.png").symlink_to("self.png")
    (inside / "gone.png").symlink_to("nowhere")
    (inside / "gone").symlink_to("nowhere")
    problems = {item.name: item.problem for item in find(["."], recursive=False)}
    assert problems == {"./gone.png": "a link to nothing", "./self.png": "a link that leads to itself"}
    assert find(["gone"], recursive=False)[0].problem == "a link to nothing"


def test_a_folder_named_like_a_picture_is_said_to_be_one_unless_it_has_some(inside: Path) -> None:
    picture(inside / "all/good.png")
    (inside / "all/x.jpg").mkdir()
    for recursive in (False, True):
        found = find(["all"], recursive=recursive)
        assert [(item.name, item.problem) for item in found] == [
            ("all/good.png", None),
            ("all/x.jpg", "a folder, not a file"),
        ]
    picture(inside / "all/x.jpg/in.png")
    assert names(find(["all"], recursive=True)) == ["all/good.png", "all/x.jpg/in.png"]


def test_what_is_not_there_is_named_all_at_once(inside: Path) -> None:
    picture(inside / "images/cat.png")
    with pytest.raises(DataMissing, match=r"there is no \./image\. Did you mean \./images\?") as caught:
        find(["./image"], recursive=False)
    assert caught.value.exit_code == 3
    absent = ["\x1b[1m", os.fsdecode(b"b\xff"), "images/cat.png/x", "c\0", "d", "e"]
    with pytest.raises(DataMissing, match=r"no \\x1b\[1m, b\\xff, images/cat.png/x, c\\x00, d and 1 more\. Name files"):
        find(["images", *absent], recursive=False)
    with pytest.raises(ConfigError, match="no picture is named"):
        find([], recursive=False)


def test_folders_without_pictures(inside: Path) -> None:
    (inside / "notes").mkdir()
    (inside / "notes/a.txt").write_text("no picture here")
    with pytest.raises(DataMissing, match=r"no pictures in notes\. Name pictures, or a folder that has some\.$"):
        find(["notes"], recursive=True)
    picture(inside / "notes/deeper/a.png")
    with pytest.raises(DataMissing, match="--recursive looks into"):
        find(["notes"], recursive=False)
    found = find(["notes", "notes/deeper", "notes"], recursive=False)
    assert [(item.name, item.problem) for item in found[:2]] == [
        ("notes", "a folder without pictures"),
        ("notes/deeper/a.png", None),
    ]
    assert len(found) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_said(inside: Path) -> None:
    picture(inside / "all/closed/a.png")
    (inside / "all/closed").chmod(0)
    try:
        (found,) = find(["all"], recursive=True)
        assert (found.name, found.problem) == ("all/closed", "cannot be read (Permission denied)")
    finally:
        (inside / "all/closed").chmod(0o700)


def test_ten_thousand_files_in_one_sorted_list(inside: Path) -> None:
    for row in range(10_000):
        (inside / f"{row}.jpg").touch()
    assert names(find(["."], recursive=True)) == sorted(f"./{row}.jpg" for row in range(10_000))


def test_the_hostile_folder_holds_what_it_says(tmp_path: Path) -> None:
    count = 2 * len(KINDS) + 5
    expected = make_hostile(tmp_path / "a", count, np.random.default_rng(0))
    assert len(expected) == count
    assert sum(wanted is None for wanted in expected.values()) > 60
    for recursive in (False, True):
        assert {item.path for item in find([str(tmp_path / "a")], recursive=recursive)} == set(expected)
    assert not set(CONTENTS) & set(THINGS)


# Names

letters = st.sampled_from("ab \\xu0159cefdF=+-@＝\n\r\t\x00\x1b\x7f\x85\u2028\u202e\udce9\udcff\ud800é🐶,\"'")
escapes = st.sampled_from(["\\x41", "\\xe9", "\\u00e9", "\\x5c", "\\"])
odd = st.lists(st.text(letters) | st.text() | escapes, max_size=5).map("".join)


@given(odd)
def test_a_name_survives_a_csv_file(name: str) -> None:
    text = csv_name(name)
    assert len(text.encode("utf-8").decode("utf-8").splitlines()) <= 1
    assert text[:1] not in tuple("=+-@＝＋－＠") or not text
    assert name_from_csv(text) == name
    file = io.StringIO(newline="")
    csv.writer(file).writerow([text, 1])
    file.seek(0)
    assert name_from_csv(next(csv.reader(file))[0]) == name


@given(odd)
def test_a_name_on_the_terminal_is_one_line_without_commands(name: str) -> None:
    shown = escape_name(name)
    shown.encode("utf-8")
    assert not any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in shown)
    assert len(shown.splitlines()) <= 1


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("cat.jpg", "./Ünï 🐶/a, b.png", "C:\\users\\xavier\\x.png", "👨‍👩‍👧.png"):
        assert csv_name(name) == escape_name(name) == name
    assert csv_name("=1+1.png") == "\\x3d1+1.png"
    assert csv_name(os.fsdecode(b"caf\xe9\n.png")) == "caf\\xe9\\x0a.png"
    assert csv_name("a\\x41") == "a\\x5cx41"


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["./images/lemon.jpg", "./images/a/banana.jpg"], ["lemon.jpg", "a/banana.jpg"]),
        (["./images/lemon.jpg"], ["lemon.jpg"]),
        (["a/b.jpg", "a/bc.jpg", "a/bc/d.jpg"], ["b.jpg", "bc.jpg", "bc/d.jpg"]),
        (["a/\\x0aline.jpg", "a/b.jpg"], ["\\x0aline.jpg", "b.jpg"]),
        (["lemon.jpg", "/tmp/lemon.jpg"], ["lemon.jpg", "/tmp/lemon.jpg"]),
        ([], []),
    ],
)
def test_names_lose_the_folders_that_all_share_and_nothing_else(names: list[str], short: list[str]) -> None:
    assert below_shared(names) == short
