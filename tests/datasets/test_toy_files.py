"""The reader of .mat files: either byte order, and every fault named; damaged bytes are an error or still rows."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_matrix

from mlhw.arrays import Place
from mlhw.datasets import toy
from mlhw.errors import DataError
from tests.datasets.toy_files import NAMES, matrices, put

# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", NAMES)
@pytest.mark.parametrize("how", [{}, {"do_compression": True}], ids=str)
def test_a_file_comes_back_as_rows_and_class_indices(place: Place, problem: str, how: dict[str, Any]) -> None:
    values = matrices(problem)
    put(place, values, problem, **how)
    splits = toy.load(place, problem=problem)
    for split, end in ((splits.train, "t"), (splits.val, "v")):
        assert split is not None
        np.testing.assert_array_equal(split.inputs, values[f"Y{end}"].T)
        np.testing.assert_array_equal(np.eye(len(split.class_names))[split.targets].T, values[f"C{end}"])
        assert (split.inputs.dtype, split.targets.dtype) == (np.float64, np.int64)
        assert split.class_names == toy.PROBLEMS[problem].class_names
    assert splits.test is None
    assert not toy.is_generated(splits)


@pytest.mark.parametrize("kind", [np.float64, np.uint8, np.int16, np.bool_])
def test_one_hot_classes_may_be_numbers_of_any_kind(place: Place, kind: type) -> None:
    values = matrices()
    put(place, values | {"Ct": values["Ct"].astype(kind), "Cv": values["Cv"].astype(kind)})
    np.testing.assert_array_equal(toy.load_peaks(place).train.targets, values["Ct"].argmax(axis=0))


def element(order: str, kind: int, data: bytes) -> bytes:
    return struct.pack(f"{order}II", kind, len(data)) + data + bytes(-len(data) % 8)


def by_hand(order: str, matrices: dict[str, Any], stored: int, kind: str) -> bytes:
    """A file as MATLAB on a machine of byte order ``order`` writes it: doubles, stored as the smaller ``kind`` they fit."""
    out = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(f"{order}HH", 0x0100, 0x4D49)
    for name, values in matrices.items():
        body = element(order, 6, struct.pack(f"{order}II", 6, 0))
        body += element(order, 5, struct.pack(f"{order}2i", *values.shape))
        body += struct.pack(f"{order}I", len(name) << 16 | 1) + name.encode().ljust(4, b"\x00")  # short: within its tag
        body += element(order, stored, values.astype(order + kind).tobytes(order="F"))
        out += element(order, 14, body)
    return out


@pytest.mark.parametrize("order", ["<", ">"])
def test_either_byte_order_and_doubles_stored_as_bytes_are_read(place: Place, order: str) -> None:
    values = {name: np.abs(np.round(value)) for name, value in matrices().items()}
    put(place, by_hand(order, values, 2, "u1"))
    splits = toy.load_peaks(place)
    np.testing.assert_array_equal(splits.train.inputs, values["Yt"].T)
    np.testing.assert_array_equal(splits.train.targets, values["Ct"].argmax(axis=0))


@pytest.mark.parametrize("stored", [0, 8, 10, 19, 60423])
def test_a_type_that_there_is_not_is_a_fault(place: Place, stored: int) -> None:
    """At such a code, or a changed byte that makes one, scipy's reader ends the process."""
    put(place, by_hand("<", matrices(), stored, "f4"))
    with pytest.raises(DataError, match=f"damaged: Yt holds numbers of type {stored}"):
        toy.load_peaks(place)


def test_numbers_that_are_too_many_for_the_dimensions_are_a_fault(place: Place) -> None:
    put(place, by_hand("<", matrices(), 2, "f4"))
    with pytest.raises(DataError, match="damaged: Yt has 240 bytes for 60 numbers"):
        toy.load_peaks(place)


def test_a_file_cut_off_anywhere_says_so(place: Place) -> None:
    whole = by_hand("<", matrices(train=3, val=2), 7, "f4")
    for length in range(128, len(whole), 3):
        put(place, whole[:length])
        with pytest.raises(DataError, match=r"damaged: it breaks off|no matrix .*: the file holds"):
            toy.load_peaks(place)


def test_a_file_that_unpacks_to_far_more_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy.matlab, "MOST_BYTES", 100_000)
    put(place, matrices() | {"bomb": np.zeros((1000, 1000))}, do_compression=True)
    with pytest.raises(DataError, match="unpacks to more than the 100,000 bytes allowed"):
        toy.load_peaks(place)


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda values: {key: value for key, value in values.items() if key != name}


def with_entry(name: str, at: tuple[int, int], value: float) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(values: dict[str, Any]) -> dict[str, Any]:
        values[name][at] = value
        return values

    return change


FAULTS = {
    "no Yv": (without("Yv"), "no matrix Yv: the file holds Yt, Ct, Cv; wanted are Yt, Ct, Yv, Cv"),
    "nothing": (lambda values: {"other": 1.0}, "no matrix Yt: the file holds other"),
    "transposed": (
        lambda values: values | {"Yt": values["Yt"].T},
        "Yt should be 2 × 1 to 10,000,000 columns, got 30 × 2",
    ),
    "classes": (lambda values: values | {"Cv": values["Cv"][:4]}, "Cv should be 5 × .*, got 4 × 10"),
    "empty": (lambda values: values | {"Yv": np.zeros((2, 0))}, "Yv should be .*, got 2 × 0"),
    "three axes": (lambda values: values | {"Yt": np.zeros((2, 30, 1, 2))}, "Yt should be .*, got 2 × 30 × 1 × 2"),
    "rows": (lambda values: values | {"Ct": values["Ct"][:, :29]}, "Yt has 30 columns, Ct has 29"),
    "NaN": (with_entry("Yt", (1, 4), np.nan), "Yt holds nan in row 2, column 5; finite wanted"),
    "infinity": (with_entry("Yv", (0, 9), -np.inf), "Yv holds -inf in row 1, column 10"),
    "two ones": (
        with_entry("Ct", (4, 2), 1),
        r"a single 1 and else 0 in each column, got \(0, 0, 1, 0, 1\) in column 3",
    ),
    "no one": (with_entry("Cv", (0, 0), 0), r"Cv should have .* got \(0, 0, 0, 0, 0\) in column 1"),
    "share": (with_entry("Ct", (0, 0), 0.5), r"Ct should have .* got \(0.5, 0, 0, 0, 0\)"),
    "minus": (lambda values: values | {"Ct": values["Ct"] * 2 - np.roll(values["Ct"], 1, axis=0)}, "Ct should have"),
    "cell": (lambda values: values | {"Yt": np.array([[1.0, "a"]], dtype=object)}, "Yt should be .* got a cell array"),
    "struct": (lambda values: values | {"Ct": {"a": 1.0}}, "Ct should be .* got a struct"),
    "text": (lambda values: values | {"Cv": "text"}, "Cv should be .* got text"),
    "sparse": (
        lambda values: values | {"Ct": csc_matrix(values["Ct"])},
        "Ct should be a full matrix .* got a sparse matrix",
    ),
    "complex": (
        lambda values: values | {"Yt": values["Yt"] * 1j},
        "Yt should be .* real numbers, got complex numbers",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_file_is_refused_with_its_name_what_was_got_and_what_to_do(place: Place, name: str) -> None:
    change, says = FAULTS[name]
    path = put(place, change(matrices()))
    with pytest.raises(DataError, match=says) as caught:
        toy.load_peaks(place)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).endswith("Replace the file, or set data.source: generated.")
    assert toy.is_generated(toy.load_peaks(place, source="generated"))


def header(version: int, text: bytes = b"MATLAB 7.3 MAT-file, Platform: GLNXA64") -> bytes:
    return text.ljust(124) + struct.pack("<H", version) + b"IM"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a MATLAB file of version 5 to 7"),
        (b"a,b\n1,2\n" * 99, "not a MATLAB file"),
        (b"\x00" * 300, "not a MATLAB file"),
        (b"\x89HDF\r\n\x1a\n".ljust(300), "MATLAB 7.3 file"),
        (header(0x0100), "no matrix Yt: the file holds nothing"),
        (header(0x0200).ljust(512, b"\x00") + b"\x89HDF\r\n\x1a\n", "MATLAB 7.3 file .*-v7"),
    ],
)
def test_other_files_are_refused(place: Place, content: bytes, says: str) -> None:
    put(place, content)
    with pytest.raises(DataError, match=says):
        toy.load_peaks(place)


def test_a_folder_or_a_broken_link_in_the_file_s_place_is_a_fault_and_nothing_is_generated(place: Place) -> None:
    path = put(place, b"")
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        toy.load_peaks(place)
    path.rmdir()
    path.symlink_to(path.with_name("nowhere"))
    with pytest.raises(DataError, match="cannot be read: No such file"):
        toy.load_peaks(place)


def test_a_matrix_that_is_there_twice_is_refused(place: Place) -> None:
    path = put(place, matrices())
    whole = path.read_bytes()
    path.write_bytes(whole + whole[128:])
    with pytest.raises(DataError, match="the file holds Yt 2 times"):
        toy.load_peaks(place)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), compressed=st.booleans())
def test_a_damaged_file_is_a_data_error_or_still_rows(place: Place, data: st.DataObject, compressed: bool) -> None:
    """Cut off anywhere, or with bytes changed anywhere: never another exception, never other shapes."""
    path = put(place, matrices(train=5, val=5), do_compression=compressed)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    try:
        splits = toy.load_peaks(place)
    except DataError as error:
        said = str(error)
    else:
        said = f"{path}: read"
        assert splits.train.inputs.shape[1] == 2
        assert np.isfinite(splits.train.inputs).all()
    assert said.startswith(f"{path}: ")


def test_a_file_far_too_large_is_refused_before_it_is_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    put(place, matrices())
    monkeypatch.setattr(toy.matlab, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="larger than the 1,000 bytes allowed"):
        toy.load_peaks(place)
