"""`mlhw pretrained compare`: its counts are right on answers made by hand, and its sentences follow the counts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlhw.commands.display import Silent
from mlhw.commands.pretrained import truth
from mlhw.commands.pretrained.accuracy import by_chance
from mlhw.commands.pretrained.agreement import Agreement, agreement
from mlhw.commands.pretrained.findings import findings
from mlhw.commands.resume import resume
from mlhw.commands.settings import from_environment
from mlhw.datasets.pictures import Found
from mlhw.errors import ConfigError, DataError, DataMissing
from mlhw.runs import entropies
from mlhw.runs.classified import Classified, Rank
from tests.commands.pictures_made import OTHER, SMALL, draw_pictures, run

NAMES = tuple(f"c{index}" for index in range(20))


def made(answers: list[list[str]], truths: list[Any] | None = None, **changed: Any) -> Agreement:
    """The agreement of networks whose ``answers`` are, for each picture, a text such as "3 14567" a network: first and rest."""
    pictures, networks = len(answers), len(answers[0])

    def said(text: str) -> Classified:
        first, *rest = [int(sign, 16) for sign in text.replace(" ", "")]
        ranks = [Rank(index, NAMES[index], 0.5 if index == first else 0.1) for index in [first, *rest]]
        return Classified("x", tuple(ranks))

    given: dict[str, Any] = {
        "models": [f"net{place}" for place in range(networks)],
        "parameters": [10**6 * (place + 1) for place in range(networks)],
        "categories": [NAMES] * networks,
        "files": [f"picture{place}" for place in range(pictures)],
        "said": [[said(row[place]) for row in answers] for place in range(networks)],
        "entropies": [[1.0] * networks] * pictures,
        "truths": [None if truth is None else frozenset({truth}) for truth in truths or [None] * pictures],
    }
    return agreement(**given | changed)


# -- counts --------------------------------------------------------------------------------------------------------------


def test_agreement_near_misses_and_plain_ones_are_counted_apart() -> None:
    found = made(
        [
            ["1 2345", "1 6789", "1 abcd"],  # all agree
            ["1 2345", "2 6789", "2 1bcd"],  # 1 has 2 among its five, so both pairs that differ are near
            ["1 2345", "2 6789", "3 abcd"],  # 2 and 3 do not know of each other
            ["1 5678", "2 5678", "2 5678"],  # plain
        ]
    )
    assert found.verdicts == ("agree", "near", "plain", "plain")
    assert found.agreed == ("c1", "c2", None, "c2")
    assert found.same.tolist() == [[4, 1, 1], [1, 4, 3], [1, 3, 4]]
    assert found.near.tolist() == [[0, 2, 2], [2, 0, 0], [2, 0, 0]]
    assert found.with_others().tolist() == pytest.approx([2 / 8, 4 / 8, 4 / 8])
    # Against the class that most name, which three pictures have:
    assert (found.reference, found.known) == ("agreed", 3)
    assert [found.hits.tolist(), found.nears.tolist(), found.plains.tolist()] == [[1, 3, 3], [1, 0, 0], [1, 0, 0]]


def test_six_classes_down_is_no_near_miss() -> None:
    assert made([["1 23456", "6 789a"]]).verdicts == ("plain",)
    assert made([["1 23465", "6 789a"]]).verdicts == ("near",)


def test_with_the_truth_known_it_is_what_counts() -> None:
    found = made([["1 2345", "2 1345"], ["1 2345", "1 3456"], ["1 2345", "1 3456"]], truths=[2, 9, None])
    assert (found.reference, found.known) == ("truth", 2)
    assert [found.hits.tolist(), found.nears.tolist(), found.plains.tolist()] == [[0, 1], [1, 0], [1, 1]]
    assert found.right.tolist() == [[False, True], [False, False]]


def test_networks_with_other_classes_are_compared_by_name() -> None:
    other = tuple(name.upper() for name in reversed(NAMES))
    ours, theirs = Classified("x", (Rank(1, "c1", 0.5),)), Classified("x", (Rank(18, "C1", 0.5),))
    changed = {"categories": [NAMES, other], "said": [[ours], [theirs]]}
    assert made([["1", "1"]], **changed).verdicts == ("agree",)
    assert made([["1", "1"]], said=[[ours], [theirs]]).verdicts == ("plain",)


# -- sentences -----------------------------------------------------------------------------------------------------------


def text(found: Agreement) -> str:
    return "\n".join(findings(found))


AGREE, NEAR, PLAIN = ["1 2345", "1 2345", "1 2345"], ["1 2345", "2 1345", "2 1345"], ["1 2345", "6 789a", "6 789a"]


@pytest.mark.parametrize(
    ("answers", "words", "never"),
    [
        ([AGREE] * 3, ["the same class on each of the 3 pictures"], ["differ", "near miss"]),
        ([PLAIN] * 3, ["On none of the 3 pictures do all three", "All 3 differences are plain"], []),
        ([AGREE, NEAR], ["on 1 of 2 pictures.", "The difference is a near miss"], ["plain one"]),
        ([NEAR, NEAR], ["Each of the 2 differences is a near miss"], ["plain one"]),
        ([AGREE, NEAR, PLAIN], ["Of the 2 differences 1 is a near miss", "1 is a plain one (picture2)"], []),
        ([AGREE], ["All three networks see c1 in picture0."], ["1 pictures", "average"]),
        ([PLAIN], ["In picture0 net0 sees c1, net1 sees c6 and net2 sees c6; these are no near misses"], ["average"]),
        (
            [PLAIN, AGREE],
            ["Most alike are net1 and net2 (2 of 2), least net0 and net1, as well as net0 and net2 (1 of 2)"],
            [],
        ),
        ([["1", "2", "3"]] * 2, ["Nor do any two of them"], ["Agreement with the other networks"]),
        ([PLAIN, AGREE], ["Agreement with the other networks does not follow size"], ["rises"]),
        ([AGREE] * 2, ["is the same for all sizes", "are about equally sure"], ["Surest"]),
        ([AGREE] * 2, ["--truth"], ["right"]),
    ],
)
def test_what_is_said_follows_from_the_answers(answers: list[list[str]], words: list[str], never: list[str]) -> None:
    said = text(made(answers))
    for word in words:
        assert word in said
    for word in never:
        assert word not in said.replace("Who is right", "")


def test_pairs_that_are_all_alike_are_not_ranked() -> None:
    said = text(made([["1", "1", "2"], ["1", "2", "1"], ["2", "1", "1"]]))
    assert "Any two of them agree on 1 of 3" in said


def test_agreement_that_rises_or_falls_with_size_is_called_so() -> None:
    answers = [["1", "1", "2"]] * 3 + [["1", "2", "1"]] * 2 + [["2", "1", "1"]]
    shares = made(answers).with_others()
    assert len(set(shares.tolist())) == 3
    sizes = np.argsort(np.argsort(shares)) + 1
    assert "rises with size" in text(made(answers, parameters=(sizes * 10**6).tolist()))
    assert "falls with size" in text(made(answers, parameters=((4 - sizes) * 10**6).tolist()))


def test_sureness_is_told_by_probability_and_by_entropy() -> None:
    sure = Classified("x", (Rank(1, "c1", 0.9),))
    unsure = Classified("x", (Rank(1, "c1", 0.2),))
    said = text(made([["1", "1"]], said=[[sure], [unsure]], entropies=[[2.0, 0.5]]))
    assert "Surest is net0 (90 % for its first class, 2.00 bits of entropy), least sure net1 (20 %" in said
    assert "By entropy it is another: net1" in said


def test_a_network_that_prefers_no_class_is_told_so() -> None:
    said = text(made([["1", "1"]], entropies=[[np.log2(20), 1.0]]))
    assert "net0 hardly prefers any class (20 equal ones would have 4.32 bits)" in said
    assert "never trained" not in text(made([["1", "1"]]))


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (
            [["2", "1"]] * 9,
            ["Larger is better here: net1", "(9; next net0 with 0)", "0.0039", "more than chance"],
        ),
        ([["1", "2"]] * 9, ["Larger is not better here: net1", "is right 0 times, net0", "9 times"]),
        ([["1", "1"]] * 9, ["as often as net0", "Both are right on the same pictures"]),
        ([["1", "2"], ["2", "1"]], ["as often as net0", "no evidence of a difference"]),
    ],
)
def test_whether_larger_is_better_is_decided_by_the_truth(answers: list[list[str]], words: list[str]) -> None:
    said = text(made(answers, truths=[1] * len(answers)))
    for word in words:
        assert word in said
    assert "--truth" not in said


def test_chance_is_that_of_fair_coins() -> None:
    assert by_chance(0, 1) == 1
    assert by_chance(0, 5) == pytest.approx(2 / 32)
    assert by_chance(3, 3) == 1
    rng = np.random.default_rng(0)
    heads = rng.binomial(11, 0.5, 200_000)
    assert by_chance(2, 9) == pytest.approx(np.mean((heads <= 2) | (heads >= 9)), abs=0.003)


# -- truth ---------------------------------------------------------------------------------------------------------------


PICTURES = [
    Found(Path("/a/x.jpg"), "a/x.jpg"),
    Found(Path("/b/x.jpg"), "b/x.jpg"),
    Found(Path("/b/y, z.jpg"), "b/y, z.jpg"),
]
CLASSES = ("crane", "lemon", "Granny Smith", "crane", "7")


def labelled(text: str, tmp_path: Path, warnings: list[str] | None = None) -> list[frozenset[int] | None]:
    (tmp_path / "truth.csv").write_text(text, encoding="utf-8")
    return truth.read(tmp_path / "truth.csv", PICTURES, CLASSES, (warnings if warnings is not None else []).append)


def test_labels_are_names_or_indices_and_files_names_paths_or_last_parts(tmp_path: Path) -> None:
    both = frozenset({0, 3})
    assert labelled("file,label\na/x.jpg,Crane\n/b/x.jpg,1\n", tmp_path) == [both, frozenset({1}), None]
    found = labelled('\ufeffFile, Label\r\n"y, z.jpg", granny smith\r\n\r\nb/x.jpg,\r\n', tmp_path)
    assert found == [None, None, frozenset({2})]
    assert labelled("file,label\na/x.jpg,7\n", tmp_path) == [frozenset({4}), None, None]  # a name before an index


def test_files_that_are_not_there_are_counted(tmp_path: Path) -> None:
    warnings: list[str] = []
    labelled("file,label\na/x.jpg,lemon\nq.jpg,lemon\nr.jpg,lemon\n", tmp_path, warnings)
    assert "2 of its files are not among the pictures" in warnings[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,label\na/x.jpg,lemmon\nb/x.jpg,nine\n", ["line 2: no class 'lemmon' (did you mean lemon?)", "line 3"]),
        ("file,label\nx.jpg,lemon\n", ["2 pictures are called x.jpg"]),
        ("file,label\na/x.jpg,lemon\na/x.jpg,crane\n", ["line 3: a/x.jpg has another label"]),
        ("file,label\na/x.jpg,lemon,crane\n", [":2: expected file,label, got 3"]),
        ("a/x.jpg,lemon\n", [":1: should be 'file,label'"]),
        ("", ["got 'nothing'"]),
        ("file,label\nq.jpg,lemon\n", ["labels none of the 3 pictures", "a/x.jpg"]),
    ],
)
def test_a_bad_label_is_refused_by_line(text: str, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        labelled(text, tmp_path)
    for word in words:
        assert word in str(caught.value)


def test_no_such_file_of_labels(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"no\.csv"):
        truth.read(tmp_path / "no.csv", PICTURES, CLASSES, print)


# -- a run ---------------------------------------------------------------------------------------------------------------


def test_a_comparison_writes_what_it_found_and_resumes(
    small_weights: Path, other_weights: Path, tmp_path: Path
) -> None:
    paths = draw_pictures(tmp_path / "pictures", 4)
    paths[1].write_bytes(b"")
    (tmp_path / "truth.csv").write_text(f"file,label\n{paths[0].name},3\n", encoding="utf-8")
    weights = [f"{SMALL}={small_weights}", f"{OTHER}={other_weights}"]
    found, summary = run(
        "compare", [tmp_path / "pictures"], weights, models=[SMALL, OTHER], top=1, truth=str(tmp_path / "truth.csv")
    )
    numbers = summary["agreement"]
    assert numbers["pictures"] == 3
    assert numbers["all_agree"] + numbers["near_misses"] + numbers["plain_differences"] == 3
    assert numbers["networks"][0]["top1_accuracy"] in (0.0, 1.0)
    assert summary["pictures"] == {"found": 4, "classified": 3, "skipped": 1}
    assert (found.path / "findings.txt").read_text(encoding="utf-8").splitlines() == summary["findings"]
    bits = entropies.read(found.path / "entropy.csv")
    assert bits[1] is None
    assert all(0 < value <= np.log2(1000) for row in bits if row for value in row)
    assert {path.name for path in found.plots.iterdir()} == {"agreement.png", "agreement.svg", "side-by-side.png"}
    record = json.loads((found.path / "predictions.json").read_text(encoding="utf-8"))
    assert [each.get("verdict") is None for each in record["predictions"]] == [False, True, False, False]
    assert len(record["predictions"][0]["predictions"][SMALL]) == 5  # near misses need them, however few are asked for

    whole = (found.path / "entropy.csv").read_bytes()
    (found.path / "entropy.csv").write_bytes(whole[:-30])
    found.summary_file.unlink()
    _, again, _ = resume(found.id, from_environment(os.environ), Silent())
    assert again["agreement"]["same_class"] == numbers["same_class"]
    assert [line.split(",")[0] for line in (found.path / "entropy.csv").read_text(encoding="utf-8").splitlines()] == [
        line.split(",")[0] for line in whole.decode().splitlines()
    ]


def test_all_pictures_bad_is_a_run_without_findings(small_weights: Path, other_weights: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"")
    weights = [f"{SMALL}={small_weights}", f"{OTHER}={other_weights}"]
    found, summary = run("compare", [tmp_path / "bad.jpg"], weights, models=[SMALL, OTHER])
    assert summary["pictures"] == {"found": 1, "classified": 0, "skipped": 1}
    assert "agreement" not in summary
    assert found.status() == "done"


def test_one_network_is_no_comparison(small_weights: Path, tmp_path: Path) -> None:
    draw_pictures(tmp_path, 1)
    with pytest.raises(ConfigError, match="two models or more"):
        run("compare", [tmp_path], [], models=[SMALL, SMALL])
