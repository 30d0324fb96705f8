"""What ``expect:`` may say."""

from __future__ import annotations

import pytest

from mlhw.config.load import dump, load, parse
from mlhw.errors import ConfigError
from mlhw.runs.signature import signature

YAML = """\
name: mine
data: {kind: digits}
model: {kind: digits-cnn}
train: {epochs: 1, batch_size: 50, lr: 0.1}
expect:
  test_accuracy: ">= 0.9"
  seconds_ratio: {to: digits-cnn, limit: "<= 2"}
  gradients: true
  files: [plots/curves.png, log.txt]
  points: {test_accuracy: 2, gradients: 1.5}
"""


def test_every_kind_of_line_is_read_and_written_back() -> None:
    found = parse(YAML.encode(), "mine.yaml")
    assert found.expect.lines() == ("test_accuracy", "seconds_ratio", "gradients", "files")
    assert parse(dump(found).encode(), "again") == found


def test_what_is_expected_changes_no_signature() -> None:
    plain = parse(YAML.partition("expect:")[0].encode(), "mine.yaml")
    one, other = (signature(each.model_dump(mode="json")) for each in (plain, parse(YAML.encode(), "mine.yaml")))
    assert one == other


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("expect.points={val_accuracy: 1}", "val_accuracy, of which nothing is expected; given: test_accuracy"),
        ("expect.points={test_accuracy: -1}", "expect.points.test_accuracy"),
        ("expect.gradients=false", "expect.gradients"),
        ("expect.files=[../secret]", "expect.files.0"),
        ("expect.files=[/etc/passwd]", "expect.files.0"),
        ("expect.files=['a/../b']", "expect.files.0"),
        ("expect.files=['a\\\\b']", "expect.files.0"),
        ("expect.seconds_ratio.limit=2", "expect.seconds_ratio.limit"),
        ("expect.second_ratio=2", "seconds_ratio"),
    ],
)
def test_a_fault_is_named(key: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words.replace(".", r"\.")):
        parse(YAML.encode(), "mine.yaml", [key])


def test_presets_with_layers_by_hand_expect_their_gradients() -> None:
    assert all(load(f"{name}-net").expect.gradients for name in ("gmm", "peaks", "swissroll"))
