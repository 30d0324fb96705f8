"""The parser: precedence as in Python's own, errors that point at the place, and limits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings

from mlhw.errors import ConfigError
from mlhw.graphs.expression import MOST_DEEP, parse
from mlhw.graphs.nodes import build
from mlhw.graphs.tokens import MOST_CHARACTERS, is_name
from mlhw.graphs.values import read_values
from tests.graphs.strategies import VARIABLES, arithmetic, in_python


def value(text: str, **values: float) -> float:
    expression = parse(text)
    return build(expression, {name: values[name] for name in expression.names if name in values}).result.value


@settings(deadline=None)
@given(arithmetic)
def test_arithmetic_is_read_as_python_reads_it(text: str) -> None:
    expected = in_python(text)
    if expected is not None:
        got, error = value_or_error(text)
        if got is None:  # a gradient that does not exist, or a step between that is too large
            assert "not finite" in error or "too large" in error
        else:
            assert got == pytest.approx(expected, rel=1e-12, abs=1e-300)


def value_or_error(text: str) -> tuple[float | None, str]:
    try:
        return value(text, **VARIABLES), ""
    except ConfigError as error:
        return None, str(error)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-x^2", -9),
        ("(-x)^2", 9),
        ("2^3^2", 512),
        ("2^-1", 0.5),
        ("2^-x^2", 2**-9),
        ("8/4/2", 1),
        ("8-4-2", 2),
        ("2+3*4", 14),
        ("-2^2", -4),
        ("--x", 3),
        ("+x", 3),
        ("x*-2", -6),
        ("2·x×2÷x−1", 3),
        ("x**2", 9),
        ("max(1, x, 2)", 3),
        ("min(1, x)", 1),
        ("relu(-x) + abs(-x)", 3),
        ("sin(pi/2) + log(e)", 2),
        ("1e2+1.5E-1+.5+1.", 101.65),
        ("5", 5),
        ("2+3", 5),
        ("\tx +\n1 ", 4),
    ],
)
def test_values_by_hand(text: str, expected: float) -> None:
    assert value(text, x=3.0) == pytest.approx(expected, rel=1e-15)


def test_a_variable_may_have_the_name_of_a_constant() -> None:
    assert value("e*pi", e=2.0) == 2 * math.pi


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("x +", 3, "expression ends here"),
        ("x + * y", 4, "got '*'"),
        ("2x", 1, "operator is missing"),
        ("x y", 2, "operator is missing"),
        ("x(y)", 0, "no function 'x'"),
        ("3(x)", 1, "operator is missing"),
        ("(x + 1", 0, "never closed"),
        ("exp(x", 3, "never closed"),
        ("x)", 1, "No bracket is open"),
        ("(x, y)", 2, "Only functions"),
        ("x, y", 1, "unexpected ','"),
        ("()", 1, "got ')'"),
        ("exp()", 4, "got ')'"),
        ("exp(x, y)", 0, "takes one operand, got 2"),
        ("max(x)", 0, "2 operands or more"),
        ("exp", 0, "write exp("),
        ("tahn(x)", 0, "Did you mean tanh?"),
        ("__import__('os')", 11, "unexpected '''"),
        ("__import__(os)", 0, "no function '__import__'"),
        ("x.real", 1, "unexpected '.'"),
        ("x²", 1, "Write ^2"),
        ("1..2", 2, "operator is missing"),
        ("x = 3", 2, "unexpected '='"),
        ("lambda: x", 6, "unexpected ':'"),
        ("x[0]", 1, "round brackets"),
        ("x\x00", 1, "unexpected"),
        ("1e999", 0, "too large"),
        ("½", 0, "unexpected '½'"),
    ],
)
def test_a_fault_is_shown_by_a_caret_below_it(text: str, where: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    message, shown, carets = str(caught.value).rsplit("\n", 2)
    assert words in message
    assert shown == f"  {text}".rstrip() or shown.strip() == text.strip()
    assert carets.index("^") - 2 == where


def test_the_place_in_a_long_expression_stays_in_sight() -> None:
    text = "+".join(["variable"] * 500) + " ? " + "+".join(["x"] * 500)
    with pytest.raises(ConfigError) as caught:
        parse(text)
    _, shown, carets = str(caught.value).split("\n")
    assert len(shown) < 80
    assert shown[carets.index("^")] == "?"
    assert shown.strip().startswith("…")
    assert shown.endswith("…")


def test_a_caret_stands_below_signs_of_two_columns() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("变量 ? 1")
    assert str(caught.value).split("\n")[2].index("^") == 2 + 5


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_nothing(text: str) -> None:
    with pytest.raises(ConfigError, match="empty"):
        parse(text)


@pytest.mark.parametrize(
    ("left", "right"), [("(", ")"), ("-", ""), ("exp(", ")"), ("2^", ""), ("max(1,", ")"), ("1+(", ")")]
)
def test_nesting_has_a_limit_and_no_recursion_error(left: str, right: str) -> None:
    deepest = MOST_DEEP - 2
    parse(left * (deepest // (2 if left == "1+(" else 1)) + "x" + right * (deepest // (2 if left == "1+(" else 1)))
    many = 9_000 // len(left + right)
    with pytest.raises(ConfigError, match="nested more than 200 deep"):
        parse(left * many + "x" + right * many)


def test_length_has_a_limit_and_a_long_sum_is_no_deep_one() -> None:
    terms = MOST_CHARACTERS // 2
    expression = parse("+".join("x" for _ in range(terms)))
    graph = build(expression, {"x": 1.0})
    assert graph.result.value == terms
    assert graph.variables[0].gradient == terms
    with pytest.raises(ConfigError, match=r"10,001 characters; allowed: 10,000"):
        parse("x" * (MOST_CHARACTERS + 1))


def test_names_are_told_from_other_things() -> None:
    for name in ("w1", "x_2", "λ", "β₁", "_", "Größe", "变量"):
        assert is_name(name)
    for text in ("", "1w", "₁", "x²", "a b", "a.b", "a-b", "½"):
        assert not is_name(text)


def test_a_name_is_the_same_however_its_accent_was_typed() -> None:
    expression = parse("o\u0308 + ö")
    assert read_values(expression, ["o\u0308=2"]) == {"ö": 2.0}


# --- values -------------------------------------------------------------------------------------------------------------


def test_values_may_be_negative_and_in_any_notation() -> None:
    expression = parse("a+b+c+d")
    assert read_values(expression, ["d=.5", "a=-0.2", "b=1e-3", "c=−2"]) == {"a": -0.2, "b": 1e-3, "c": -2.0, "d": 0.5}


def test_constants_need_no_value_but_may_have_one() -> None:
    assert read_values(parse("pi*e*a"), ["a=1"]) == {"a": 1.0}
    assert read_values(parse("pi*e*a"), ["a=1", "e=2"]) == {"e": 2.0, "a": 1.0}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["a=1"], ["no value for b, c", "b=… c=…"]),
        (["a=1", "b=2", "c=3", "cc=4"], ["nothing in the expression is named 'cc'", "Did you mean c?"]),
        (["a=1", "a=2"], ["a has two values"]),
        (["a=one"], ["the value of a", "got 'one'"]),
        (["a="], ["the value of a", "got ''"]),
        (["a=nan"], ["the value of a"]),
        (["a=1_0"], ["the value of a"]),
        (["a=0x1"], ["the value of a"]),
        (["a=1e999"], ["the value of a", "largest"]),
        (["a"], ["'a' is no value", "w1=0.1"]),
        (["=1"], ["'=1' is no value"]),
        (["a b=1"], ["is no value"]),
    ],
)
def test_bad_values(given: list[str], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read_values(parse("a+b*c"), given)
    for word in words:
        assert word in str(caught.value)


def test_all_missing_values_are_marked_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_values(parse("ab + c + ab"), [])
    assert str(caught.value).endswith("\n  ab + c + ab\n  ^^   ^")
