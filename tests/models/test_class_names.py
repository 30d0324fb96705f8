"""Files of class names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlhw.errors import DataError, DataMissing
from mlhw.models import class_names

THREE = ("tench", "goldfish, carp", "shark")


@pytest.mark.parametrize(
    ("file_name", "text"),
    [
        ("a.json", json.dumps(THREE)),
        ("a.json", json.dumps({"2": "shark", "0": "tench", "1": "goldfish, carp"})),
        ("a.json", json.dumps({str(i): [f"n0{i}", name] for i, name in enumerate(THREE)})),
        ("a.txt", "{0: 'tench',\n 1: 'goldfish, carp',\n 2: 'shark'}"),
        ("a.csv", 'index,name\n0,tench\n1,"goldfish, carp"\n2,shark\n'),
        ("a.csv", '2,shark\r\n\r\n0,tench\r\n1,"goldfish, carp"'),
        ("a.txt", "\ufefftench\r\ngoldfish, carp\nshark\n\n"),
        ("labels", "tench\n goldfish, carp \nshark"),
    ],
)
def test_class_names_are_read_from_json_csv_and_lines(tmp_path: Path, file_name: str, text: str) -> None:
    (tmp_path / file_name).write_bytes(text.encode())
    assert class_names.read(tmp_path / file_name, 3) == THREE


@pytest.mark.parametrize(
    ("file_name", "text", "says"),
    [
        ("a.json", '["a", "b"]', r"a\.json holds 2 class names, the network has 3 outputs"),
        ("a.json", '["a", "b", 3]', r"key 2: expected a name, got 3"),
        ("a.json", '{"0": "a", "1": "b", "1": "c"}', r"key '1': index 1 comes twice"),
        ("a.json", '{"0": "a", "1": "b", "3": "c"}', r"index 3 is outside 0 to 2, and 2 is missing"),
        ("a.json", '{"0": "a", "1": "b", "x": "c"}', r"key 'x': expected an index from 0"),
        ("a.json", '{"0": "a",\n "1": "b",\n "2" "c"}', r"a\.json, line 3: no JSON"),
        ("a.json", "[" * 100_000, r"line 1: no JSON"),
        ("a.csv", "0,a\n1,b\n1,c", r"a\.csv, line 3: index 1 comes twice"),
        ("a.csv", "0,a\n1,b\n2,c,d", r"line 3: expected index,name, got 3 columns"),
        ("a.csv", "0,a\ntwo,b\n2,c", r"line 2: expected an index from 0, got 'two'"),
        ("a.csv", "0,a\n1,\n2,c", r"line 2: the name is empty"),
        ("a.txt", "a\n\nc", r"a\.txt, line 2: the name is empty"),
        ("a.txt", "a\nb\nc\nd", r"holds 4 class names"),
        ("a.txt", b"\xff\xfe\x00", r"not text in UTF-8"),
        ("a.txt", b"a" * (17 << 20), r"no file of class names"),
    ],
)
def test_wrong_labels_are_refused_by_file_and_line(
    tmp_path: Path, file_name: str, text: str | bytes, says: str
) -> None:
    (tmp_path / file_name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=says):
        class_names.read(tmp_path / file_name, 3)
    with pytest.raises(DataMissing, match="no labels file"):
        class_names.read(tmp_path / "nowhere.txt", 3)
