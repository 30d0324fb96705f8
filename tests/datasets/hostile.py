"""Folders of hostile picture files: everything that a stranger's disk may hold, each with what should be said of it.

expected = make_hostile(tmp_path, 300, np.random.default_rng(0))
"""

from __future__ import annotations

import os
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, features

from tests.datasets import hostile_bytes as made
from tests.datasets.hostile_bytes import Maker, noise, saved

GOOD = None  # odd, but a picture

# Kind: the file's suffix, a part of the reason why it is refused (or GOOD), and its content.
CONTENTS: dict[str, tuple[str, str | None, Maker]] = {
    # Good, though odd
    **{
        f"turned{value}": (".jpg", GOOD, lambda rng, value=value: saved(noise(rng), "JPEG", exif=made.oriented(value)))
        for value in range(1, 9)
    },
    "grey": (".jpg", GOOD, lambda rng: saved(noise(rng, mode="L"), "JPEG")),
    "progressive": (".jpg", GOOD, lambda rng: saved(noise(rng), "JPEG", progressive=True)),
    "cmyk": (".jpg", GOOD, lambda rng: saved(noise(rng, mode="CMYK"), "JPEG")),
    "phone's several": (".jpg", GOOD, lambda rng: saved(noise(rng), "MPO", save_all=True, append_images=[noise(rng)])),
    "film behind": (
        ".jpg",
        GOOD,
        lambda rng: saved(noise(rng), "JPEG") + b"\0\0\0\x18ftypmp42" + bytes(99) + b"\xff\xda" * 9,
    ),
    "broken exif": (
        ".jpg",
        GOOD,
        lambda rng: saved(noise(rng), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f" + rng.bytes(99)),
    ),
    "unfolding exif": (".jpg", GOOD, lambda rng: made.unfolding_exif()),
    "one pixel": (".png", GOOD, lambda rng: made.one_pixel_png()),
    "panorama": (".png", GOOD, lambda rng: saved(noise(rng, (20_000, 10)), "PNG", compress_level=1)),
    "tower": (".png", GOOD, lambda rng: saved(noise(rng, (10, 20_000)), "PNG", compress_level=1)),
    "palette": (".png", GOOD, lambda rng: saved(noise(rng).quantize(16), "PNG")),
    "clear palette": (".png", GOOD, lambda rng: saved(noise(rng).quantize(4), "PNG", transparency=bytes((0, 99, 255)))),
    "alpha": (".png", GOOD, lambda rng: saved(noise(rng, mode="RGBA"), "PNG")),
    "grey alpha": (".png", GOOD, lambda rng: saved(noise(rng, mode="LA"), "PNG")),
    "one bit": (".png", GOOD, lambda rng: saved(noise(rng, mode="L").convert("1"), "PNG")),
    "16 bits grey": (
        ".png",
        GOOD,
        lambda rng: saved(Image.fromarray(rng.integers(0, 2**16, (9, 9), np.uint16)), "PNG"),
    ),
    "16 bits colour": (".png", GOOD, lambda rng: made.png(2, 1, zlib.compress(b"\0" + rng.bytes(12)), depth=16)),
    "many frames": (".gif", GOOD, lambda rng: made.many_frames(5000)),
    "moving webp": (".webp", GOOD, lambda rng: saved(noise(rng), "WEBP", save_all=True, append_images=[noise(rng)])),
    "alpha webp": (".webp", GOOD, lambda rng: saved(noise(rng, mode="RGBA"), "WEBP")),
    "endless directories": (".tif", GOOD, lambda rng: made.tiff(made.grey_tags(4, 4), rng.bytes(16), following=24)),
    "lzw": (".tif", GOOD, lambda rng: saved(noise(rng), "TIFF", compression="tiff_lzw")),
    "cmyk tiff": (".tif", GOOD, lambda rng: saved(noise(rng, mode="CMYK"), "TIFF")),
    "runs": (".bmp", GOOD, lambda rng: made.rle_bmp(4, 2, b"\4\x80\0\0\4\x40\0\1")),
    "plain text pixels": (".ppm", GOOD, lambda rng: b"P3\n# by hand\n2 1\n255\n255 0 0  0 255 0\n"),
    "16 bits ppm": (".ppm", GOOD, lambda rng: b"P6 2 1 4095 " + (rng.integers(0, 4096, 6)).astype(">u2").tobytes()),
    "no suffix": ("", GOOD, lambda rng: saved(noise(rng), "JPEG")),
    "wrong suffix": (".txt", GOOD, lambda rng: saved(noise(rng), "PNG")),
    "png named so": (".jpg", GOOD, lambda rng: saved(noise(rng), "PNG")),
    # Cut off or damaged
    "cut": (".jpg", "cut off", lambda rng: _cut(saved(noise(rng), "JPEG"), rng)),
    "cut progressive": (".jpg", "cut off", lambda rng: _cut(saved(noise(rng), "JPEG", progressive=True), rng)),
    "zeros behind": (".jpg", "cut off", lambda rng: _cut(saved(noise(rng), "JPEG"), rng) + bytes(5000)),
    "start of a jpeg": (".jpg", "cut off", lambda rng: b"\xff\xd8\xff"),
    "cut png": (".png", "cut off", lambda rng: _cut(saved(noise(rng), "PNG"), rng)),
    "cut gif": (".gif", "cut off", lambda rng: _cut(saved(noise(rng).quantize(256), "GIF"), rng, 0.5)),
    "cut webp": (".webp", "cut off", lambda rng: _cut(saved(noise(rng), "WEBP"), rng)),
    "cut tiff": (".tif", "", lambda rng: _cut(saved(noise(rng), "TIFF"), rng)),
    "cut bmp": (".bmp", "cut off", lambda rng: _cut(saved(noise(rng), "BMP"), rng)),
    "flipped bits": (".png", "damaged", lambda rng: _flipped(saved(noise(rng), "PNG"), 60)),
    # Traps
    "bomb": (".png", "pixels", lambda rng: made.png(20_000, 20_000, made.packed_zeros(50), depth=1, colour=0)),
    "vast header": (".png", "pixels", lambda rng: made.png(2**31 - 1, 2**31 - 1, b"")),
    "vast jpeg": (".jpg", "pixels", lambda rng: made.with_size(saved(noise(rng), "JPEG"), 65_500, 65_500)),
    "vast gif": (".gif", "pixels", lambda rng: b"GIF89a" + b"\xff" * 4 + made.many_frames(1)[10:]),
    "vast webp": (".webp", "pixels", lambda rng: made.webp_canvas(2**15, 2**15)),
    "vast ppm": (".ppm", "pixels", lambda rng: b"P6 99999 99999 255 abc"),
    "large webp": (".webp", "to open, above", lambda rng: made.webp_canvas(8000, 8000)),
    "slow ppm": (".ppm", "read slowly", lambda rng: b"P3 8000 8000 255 1 2 3"),
    "thin png": (".png", "to open, above", lambda rng: made.png(1, 80_000_000, b"")),
    "pixels without end": (".png", GOOD, lambda rng: made.png(1, 1, made.packed_zeros(50))),
    "icc bomb": (
        ".png",
        "damaged",
        lambda rng: made.one_pixel_png(made.chunk(b"iCCP", b"p\0\0" + made.packed_zeros(50))),
    ),
    "text bomb": (
        ".png",
        "damaged",
        lambda rng: made.one_pixel_png(made.chunk(b"zTXt", b"k\0\0" + made.packed_zeros(50))),
    ),
    "chunk storm": (".png", "cut off", lambda rng: made.chunk_storm(20_000)),
    "scan storm": (".jpg", "scans", lambda rng: made.many_scans(rng, 500)),
    "vast strips": (
        ".tif",
        "directory",
        lambda rng: made.tiff([*made.grey_tags(4, 4), (330, 4, 300_000, 8)], bytes(1_200_000)),
    ),
    "vast tiles": (".tif", "to open, above", lambda rng: _tiled(2**15)),
    # Pictures, but not to be had
    "float": (".tif", "floating-point", lambda rng: saved(Image.fromarray(rng.random((5, 5), np.float32)), "TIFF")),
    "32 bits": (
        ".tif",
        "range is not known",
        lambda rng: saved(Image.fromarray(rng.integers(0, 9, (5, 5), np.int32)), "TIFF"),
    ),
    "heic": (".heic", "save it as JPEG", lambda rng: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + rng.bytes(200)),
    "eps": (".jpg", "an EPS drawing", lambda rng: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n"),
    "psd": (
        ".psd",
        "a Photoshop picture",
        lambda rng: b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 9, 9, 8, 3) + rng.bytes(99),
    ),
    "icns": (".icns", "an icon", lambda rng: b"icns" + struct.pack(">I", 100) + rng.bytes(92)),
    "ico": (".ico", "an icon", lambda rng: saved(noise(rng, (16, 16)), "ICO")),
    "svg": (".svg", "an SVG drawing", lambda rng: b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'),
    "jpeg2000": (".jp2", "a JPEG 2000", lambda rng: b"\0\0\0\x0cjP  \r\n\x87\n" + rng.bytes(99)),
    # No pictures
    "empty": (".jpg", "empty", lambda rng: b""),
    "zeros": (".jpg", "zeros alone", lambda rng: bytes(4096)),
    "dust": (".jpg", "not a picture", lambda rng: b"\x07" + rng.bytes(3000)),
    "text": (".jpg", "text, not a picture", lambda rng: b"Dear diary, today there was no picture.\n"),
    "web page": (".jpg", "web page", lambda rng: b"<!DOCTYPE html><html><body>404 not found</body></html>"),
    "pdf": (".jpg", "PDF", lambda rng: b"%PDF-1.7\n" + rng.bytes(99)),
    "zip": (".png", "ZIP", lambda rng: b"PK\3\4" + rng.bytes(99)),
    "film": (".jpg", "a film", lambda rng: b"\0\0\0\x18ftypmp42" + rng.bytes(99)),
    "pointer": (".jpg", "git lfs pull", lambda rng: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
}
if features.check("avif"):
    CONTENTS["avif"] = (".avif", GOOD, lambda rng: saved(noise(rng), "AVIF", speed=10))
    CONTENTS["cut avif"] = (".avif", "cut off", lambda rng: _cut(saved(noise(rng), "AVIF", speed=10), rng))

# Names: each is a good picture.
NAMES = (
    "with  spaces and, comma",
    "with 'single' and \"double\" quotes",
    "with\nnewline\r\nand\ttab",
    "with \x1b[31mcolour\x1b[0m and \x07",
    "with 🐶👨‍👩‍👧 and ünïcödé",
    "with \u202egpj.exe turned round",
    "-rf",
    "=HYPERLINK(1)",
    "%s {0} $HOME `id`",
    "back\\x41slash",
    "a" * 200,
    os.fsdecode(b"not utf-8 \xe9\xff"),
)


def _cut(data: bytes, rng: np.random.Generator, most: float = 0.95) -> bytes:
    return data[: int(len(data) * rng.uniform(0.4, most))]


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes(byte ^ 0xFF for byte in data[at : at + 8]) + data[at + 8 :]


def _tiled(side: int) -> bytes:
    tags = [tag for tag in made.grey_tags(4, 4, compression=8) if tag[0] not in (273, 278, 279)]
    tiles = [(322, 4, 1, side), (323, 4, 1, side), (324, 4, 1, 8), (325, 4, 1, 50_000)]
    return made.tiff([*tags, *tiles], made.packed_zeros(50)[:50_000])


# Things that are no plain files. Each makes ``path``, with the help of the folder ``aside``, and gives what should be said.
def _pipe(path: Path, aside: Path) -> str | None:
    os.mkfifo(path)
    return "not a plain file"


def _socket(path: Path, aside: Path) -> str | None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path may have a hundred bytes
    try:
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(path.name)
    finally:
        os.chdir(here)
    return "not a plain file"


def _device(path: Path, aside: Path) -> str | None:
    path.symlink_to("/dev/zero")
    return "not a plain file"


def _dangling(path: Path, aside: Path) -> str | None:
    path.symlink_to(aside / "nothing.jpg")
    return "a link to nothing"


def _loop(path: Path, aside: Path) -> str | None:
    path.symlink_to(path.name)
    return "leads to itself"


def _link(path: Path, aside: Path) -> str | None:
    target = aside / path.name
    Image.new("RGB", (4, 4), "blue").save(target, "PNG")
    path.symlink_to(target)
    return GOOD


def _folder(path: Path, aside: Path) -> str | None:
    path.mkdir()
    return "a folder"


def _locked(path: Path, aside: Path) -> str | None:
    Image.new("RGB", (4, 4), "blue").save(path, "JPEG")
    path.chmod(0)
    return GOOD if os.access(path, os.R_OK) else "cannot be read"  # root may read everything


THINGS: dict[str, Callable[[Path, Path], str | None]] = {
    "pipe": _pipe,
    "socket": _socket,
    "device": _device,
    "dangling": _dangling,
    "loop": _loop,
    "link": _link,
    "folder": _folder,
    "locked": _locked,
}
KINDS = (*CONTENTS, *THINGS, *NAMES)


def make_hostile(folder: Path, count: int, rng: np.random.Generator) -> dict[Path, str | None]:
    """``count`` hostile things in ``folder``, of all ``KINDS`` in turn, each with a part of the reason that it should be given.

    None stands for a good picture, though odd; an empty text for any reason. Beside them lies what should not be taken for
    a picture at all: notes, thumbnails' data, a link to the folder itself. The folder must be empty, on a POSIX system.
    """
    aside = folder / ".aside"  # hidden: what is in it is found through links alone
    aside.mkdir(parents=True)
    (folder / "notes.txt").write_text("nothing to see")
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" + rng.bytes(99))
    (folder / ".DS_Store").write_bytes(rng.bytes(99))
    (folder / "round").symlink_to(folder, target_is_directory=True)
    expected: dict[Path, str | None] = {}
    for index in range(count):
        kind = KINDS[index % len(KINDS)]
        if kind in CONTENTS:
            suffix, reason, content = CONTENTS[kind]
            path = folder / f"{index:03d} {kind}{suffix}"
            path.write_bytes(content(rng))
        elif kind in THINGS:
            path = folder / f"{index:03d} {kind}.jpg"
            reason = THINGS[kind](path, aside)
        else:
            path, reason = folder / f"{kind}{'' if index < len(KINDS) else index}.png", GOOD
            path.write_bytes(saved(noise(rng, (8, 8)), "PNG"))
        expected[path] = reason
    return expected
