"""Pictures in folders: each found once and in order, loops of links end, and what is not there is named."""

import os
from pathlib import Path

import pytest

from mlhw.datasets.pictures import Found, find
from mlhw.errors import ConfigError, DataMissing
from tests.datasets.made import picture
from tests.datasets.pictures_read import names


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current one."""
    folder = tmp_path / "inside"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


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
    with pytest.raises(DataMissing, match=r"no pictures in this folder\. Name pictures"):
        find(["."], recursive=False)
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
