import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlhw.commands.data import fetch_source, list_sources, preview, remedy, verify_source
from mlhw.datasets.sources import SOURCES
from mlhw.errors import ConfigError, DataError, DataMissing


def dots(root: Path, classes: int, rows: int = 2, size: tuple[int, int] = (12, 12)) -> Path:
    rng = np.random.default_rng(0)
    for name in range(classes):
        (root / f"class {name:02}").mkdir(parents=True)
        for row in range(rows):
            pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / f"class {name:02}/{row}.png")
    return root


def test_list_tells_what_is_there(tmp_path: Path) -> None:
    records = {record.name: record for record in list_sources(tmp_path, tmp_path / "cache")}
    states = {name: record.status for name, record in records.items()}
    assert states == {
        "mnist": "missing",
        "fashion-mnist": "missing",
        "digits": "embedded",
        "grocery": "missing",
        "gmm": "generated",
        "peaks": "generated",
        "swissroll": "generated",
    }
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    (raw / "t10k-labels-idx1-ubyte.gz").write_bytes(b"")
    assert list_sources(tmp_path, tmp_path / "cache")[0].status == "partial"


def test_list_counts_what_is_prepared_each_under_its_own_name(tmp_path: Path) -> None:
    for name in ("mnist-0123456789abcdef", "mnist-csv-0123456789abcdef", "grocery-coarse-96-0123456789abcdef"):
        (tmp_path / "datasets" / name).mkdir(parents=True)
        (tmp_path / "datasets" / name / "meta.json").write_text("{}")
    records = {record.name: record for record in list_sources(tmp_path, tmp_path)}
    assert [records[name].prepared for name in records] == [2, 0, 0, 1, 0, 0, 0]
    assert records["mnist"].prepared_bytes == 4


def test_verify_and_fetch_take_names(tmp_path: Path) -> None:
    assert {file.status for file in verify_source("mnist", tmp_path)} == {"missing"}
    assert verify_source("digits", tmp_path) == []
    assert fetch_source("digits", tmp_path)[0].status == "embedded"
    with pytest.raises(DataMissing, match="MLHW_OFFLINE"):
        fetch_source("fashion-mnist", tmp_path, offline=True)
    assert list(tmp_path.iterdir()) == []  # offline touches nothing
    with pytest.raises(ConfigError, match="grocery"):
        verify_source("grocer", tmp_path)


def test_a_course_s_file_is_verified_but_cannot_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(
        DataMissing, match=r"peaks cannot be fetched: PeaksData\.mat .*toy2d, or go on without"
    ) as caught:
        fetch_source("peaks", tmp_path)
    assert "\n" not in str(caught.value)
    assert [file.status for file in verify_source("peaks", tmp_path)] == ["missing"]
    assert list(tmp_path.iterdir()) == []
    path = tmp_path / "toy2d/PeaksData.mat"
    path.parent.mkdir()
    for content, status in ((b"short", "size"), (bytes(SOURCES["peaks"].course_file.size), "corrupt")):
        path.write_bytes(content)
        assert [file.status for file in verify_source("peaks", tmp_path)] == [status]
        with pytest.raises(DataError, match=r"PeaksData\.mat: expected .*, got .* cannot be fetched"):
            fetch_source("peaks", tmp_path)
    assert "generated" in remedy("peaks")
    assert "mlhw data fetch mnist" in remedy("mnist")


@pytest.mark.parametrize("name", ["gmm", "peaks", "swissroll"])
def test_the_course_s_files_are_those_whose_hashes_are_pinned(name: str, real_data: Path, tmp_path: Path) -> None:
    if not (real_data / "toy2d").is_dir():
        pytest.skip("no toy2d in MLHW_DATA")
    assert [file.status for file in verify_source(name, real_data)] == ["ok"]
    assert [file.status for file in fetch_source(name, real_data)] == ["present"]
    assert {record.name: record.status for record in list_sources(real_data, tmp_path)}[name] == "ready"


@pytest.mark.parametrize("name", ["gmm", "peaks", "swissroll"])
def test_preview_of_points(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    cache = tmp_path_factory.getbasetemp() / "cache"
    record = preview(name, tmp_path, cache, tmp_path / "a.png")
    assert {split: sum(counts) for split, counts in record.counts.items()} == record.rows
    assert list(record.rows) == ["train", "val"]
    with Image.open(record.path) as image:
        assert min(image.size) > 500
    again = preview(name, tmp_path, cache, tmp_path / "b.png")
    assert record.path.read_bytes() == again.path.read_bytes()


def test_preview_of_the_digits(tmp_path: Path) -> None:
    record = preview("digits", tmp_path, tmp_path / "cache", tmp_path / "new/digits.png")
    assert record.rows == {"train": 500, "test": 1297}
    assert sum(record.counts["test"]) == 1297
    with Image.open(record.path) as image:
        assert image.format == "PNG"
        assert min(image.size) > 500


@pytest.mark.parametrize("classes", [2, 13, 60])
def test_preview_of_a_folder_of_any_number_of_classes(tmp_path: Path, classes: int) -> None:
    root = dots(tmp_path / "dots", classes)
    record = preview(str(root), tmp_path, tmp_path / "cache", tmp_path / "a.png", image_size_pixels=8)
    assert record.counts == {"train": [2] * classes}
    again = preview(str(root), tmp_path, tmp_path / "cache", tmp_path / "b.png", image_size_pixels=8)
    assert record.path.read_bytes() == again.path.read_bytes()


def test_preview_survives_names_of_every_kind(tmp_path: Path) -> None:
    root = dots(tmp_path / "dots", 3, size=(30, 7))
    for number, name in enumerate(("$x^{", "日本", "long " * 40)):
        (root / f"class {number:02}").rename(root / name.strip())
    preview(str(root), tmp_path, tmp_path / "cache", tmp_path / "a.png", image_size_pixels=8)


def test_preview_of_csvs(tmp_path: Path) -> None:
    dots(tmp_path / "dots", 2)
    (tmp_path / "list.csv").write_text("dots/class 00/0.png,a\ndots/class 01/1.png,b\n")
    (tmp_path / "pixels.csv").write_text("0,1,2,3,4\n1,5,6,7,8\n")
    (tmp_path / "flat.csv").write_text("0,1,2,3\n1,5,6,7\n")
    for name in ("list.csv", "pixels.csv"):
        assert preview(name, tmp_path, tmp_path / "cache", tmp_path / "a.png").rows == {"train": 2}
    with pytest.raises(DataError, match="rows of 3 numbers"):
        preview("flat.csv", tmp_path, tmp_path / "cache", tmp_path / "a.png")


def test_preview_of_nothing_known_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean digits"):
        preview("digit", tmp_path, tmp_path / "cache", tmp_path / "a.png")
    with pytest.raises(DataMissing, match="mlhw data fetch mnist"):
        preview("mnist", tmp_path, tmp_path / "cache", tmp_path / "a.png")


def test_no_text_of_the_page_leaves_it_or_meets_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    boxes = []
    plain = Figure.savefig

    def spy(figure: Figure, *args, **more) -> None:
        plain(figure, *args, **more)
        renderer = figure.canvas.get_renderer()
        page = figure.bbox
        found = [text.get_window_extent(renderer) for text in figure.axes[0].texts if text.get_text()]
        boxes.append((page, found))

    monkeypatch.setattr(Figure, "savefig", spy)
    root = dots(tmp_path / "dots", 60)
    for path in list(root.iterdir()):
        path.rename(path.with_name(f"{path.name} of a long, long name {path.name[-2:]}"))
    preview(str(root), tmp_path, tmp_path / "cache", tmp_path / "a.png", image_size_pixels=8)
    ((page, found),) = boxes
    assert len(found) > 120
    for number, box in enumerate(found):
        assert page.x0 <= box.x0 <= box.x1 <= page.x1
        assert page.y0 <= box.y0 <= box.y1 <= page.y1
        assert not any(box.overlaps(other) for other in found[:number])


def test_listing_and_verifying_import_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from mlhw.commands.data import *;"
        "list_sources(Path(sys.argv[1]), Path(sys.argv[1])); verify_source('mnist', Path(sys.argv[1]));"
        "print(sorted({'torch', 'torchvision', 'matplotlib', 'pandas', 'sklearn', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
