"""What filters, responses and Grad-CAM show, in words: only as far as their numbers say so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from jaxtyping import Float

from mlhw.commands.filter_study import Study
from mlhw.models.filter_facts import FilterFacts, Waves

READING: Final = "In the pictures of filters grey is 0, lighter is positive, darker negative."
READING_MAPS: Final = (
    "In the maps of responses brighter is higher: white is where the filter answers most, black where it answers least."
)
CANCELS: Final = 0.05  # sums below this share of the magnitudes: an even area hardly counts
ONE_PATTERN: Final = 0.7  # of the squared weights: from there on the pattern is spoken of
COUNTS: Final = 0.3  # a colour's weight over the largest: from there on it is named
_COLOURS: Final = ("red", "green", "blue")
_TOWARDS: Final = ("right", "lower right", "bottom", "lower left", "left", "upper left", "top", "upper right")
_STRIPES: Final = (
    "vertical stripes",
    "stripes that rise to the right",
    "horizontal stripes",
    "stripes that fall to the right",
)


def findings(found: Study) -> list[str]:
    """What is to be said of ``found``, a paragraph each."""
    count, channels, height, width = found.count, *found.weights.shape[1:]
    on = "red, green and blue" if found.colour else f"{channels} channels" if channels > 1 else "one channel"
    filters = f"{count:,} filters" if count > 1 else "one filter"
    seen, about = found.seen, f"{found.place} has {filters} of {height}×{width} weights on {on}."
    said = [about, READING if seen is None else f"{READING} {READING_MAPS}"]
    for place, (index, facts) in enumerate(zip(found.indices, found.facts, strict=True)):
        answers = "" if seen is None else f" {response_words(seen.maps[place])}"
        said.append(f"{filter_words(index, facts, found.colour)}{answers}")
    if seen is not None:
        said.append(class_words(found.network.name, seen.class_name, seen.probability))
        if seen.heat is not None:
            said.append(heat_words(seen.heat.place, seen.heat.values))
    return said


def filter_words(index: int, facts: FilterFacts, colour: bool) -> str:
    """What filter ``index`` weighs; ``colour``: its three channels are red, green and blue."""
    if not facts.absolute:
        return f"Filter {index}: all its weights are 0."
    said = []
    if not (colour or len(facts.mix) == 1):
        said.append(_spread(facts.squares))
    elif facts.shared >= ONE_PATTERN:
        plus, minus = (_named(sign * weight for weight in facts.mix) for sign in (1, -1))
        said += [_pattern(facts.waves, _gain(plus, minus) if colour else "the values grow")] if facts.waves else []
        said += [_mix(plus, minus)] if colour else []
    else:
        said.append(f"its channels hold different patterns: no one pattern is more than {_percent(facts.shared)} of it")
    said.append(_sums(facts, colour))
    sentences = [sentence[0].upper() + sentence[1:] for sentence in said[1:]]
    return f"Filter {index}: {'. '.join([said[0], *sentences])}."


def _named(weights: Iterable[float]) -> list[str]:
    """The colours whose weight is positive and counts. The largest magnitude among the weights may be a negative one."""
    values = list(weights)
    largest = max(abs(value) for value in values)
    return [name for name, value in zip(_COLOURS, values, strict=False) if value >= COUNTS * largest]


def _gain(plus: Sequence[str], minus: Sequence[str]) -> str:
    """What happens to the colours in the direction in which a pattern grows."""
    if minus:
        return f"{' and '.join(plus)} {'gains' if len(plus) == 1 else 'gain'} on {' and '.join(minus)}"
    if len(plus) == len(_COLOURS):
        return "the picture gets lighter"
    return f"{' and '.join(plus)} {'grows' if len(plus) == 1 else 'grow'}"


def _mix(plus: Sequence[str], minus: Sequence[str]) -> str:
    if minus:
        return f"it sets {' and '.join(plus)} against {' and '.join(minus)}"
    if len(plus) == len(_COLOURS):
        return "much the same in all three colours: it looks at light and dark"
    return f"it looks at {' and '.join(plus)} almost alone"


def _pattern(waves: Waves, grows: str) -> str:
    """Which shape a pattern answers: what its Fourier transform and its symmetry show. ``grows`` says what an edge does."""
    if waves.even >= 0.95:
        return "a local mean: no stripes are answered more than an even area"
    if waves.even > 0.25:
        return (
            f"a mean and change together: an even area is answered {_percent(waves.even)} as much as the best stripes"
        )
    if waves.across > 0.5:
        turned = f"stripes turned by 90° are answered {_percent(waves.across)} as much as the best ones"
        return f"a detector of spots: {turned}" if waves.odd <= 0.3 else f"change without one direction: {turned}"
    stripes = (
        f"{_STRIPES[round(waves.degrees % 180 / 45) % 4]} about {waves.wavelength:.2g} pixels apart are answered most"
    )
    if waves.odd >= 0.7 and waves.parted >= 0.8:
        towards = _TOWARDS[round(waves.degrees / 45) % 8]
        return f"an edge detector, highest where {grows} towards the {towards} ({stripes})"
    return f"a detector of lines: {stripes}" if waves.odd <= 0.3 else stripes


def _sums(facts: FilterFacts, colour: bool) -> str:
    share = facts.total / facts.absolute
    if not colour:
        return f"its weights sum to {_signed(share)} of their magnitudes"
    shares = [total / facts.absolute for total in facts.totals]
    sums = ", ".join(f"{name} {_signed(part)}" for name, part in zip(_COLOURS, shares, strict=True))
    if max(map(abs, shares)) <= CANCELS:
        return "its weights cancel in each colour: an even area leaves little but the bias"
    if abs(share) <= CANCELS:
        return f"its weights cancel over the colours together, not in each: {sums} of all magnitudes"
    return f"its weights sum to {_signed(share)} of their magnitudes ({sums}): even areas count"


def _spread(squares: Sequence[float]) -> str:
    """In how many channels half of the squared weights lie, and the strongest of them."""
    order = np.argsort(-np.asarray(squares), kind="stable")
    sums = np.cumsum(np.asarray(squares)[order]) / np.sum(squares)
    half = int(np.searchsorted(sums, 0.5)) + 1
    strongest = ", ".join(str(channel) for channel in order[:3].tolist())
    return f"half of its squared weights lie in {half} of {len(order)} channels, most in {strongest}"


def response_words(values: Float[np.ndarray, "height width"]) -> str:
    """What a filter answers to the picture."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return f"Its answer to the picture is {_number(low)} everywhere."
    height, width = values.shape
    above = f"above 0 in {_percent(float((values > 0).mean()))} of {height}×{width} places"
    return f"Its answers to the picture go from {_number(low)} to {_number(high)}, {above}; highest {_place(values)}."


def class_words(model: str, class_name: str, probability: float) -> str:
    """What ``model`` takes the picture for."""
    return f"{model} takes the picture for '{class_name}' ({100 * probability:.1f} %)."


def heat_words(place: str, heat: Float[np.ndarray, "height width"]) -> str:
    """Where the heat of Grad-CAM lies; ``place`` is the layer in words."""
    begin = f"Grad-CAM at {place}: "
    if not heat.max() > 0:
        return f"{begin}no place speaks for that class, the heat is 0 everywhere."
    if heat.size == 1:
        return f"{begin}its map is a single place, which cannot tell where."
    falling = np.sort(heat.ravel().astype(np.float64))[::-1]
    half = int(np.searchsorted(np.cumsum(falling), falling.sum() / 2)) + 1
    places = f"{half} of its {heat.shape[0]}×{heat.shape[1]} places"
    return f"{begin}half of the heat lies in {places}; hottest {_place(heat)}."


def _place(values: Float[np.ndarray, "height width"]) -> str:
    """Where the largest of ``values`` is, in shares of the picture."""
    down, right = np.unravel_index(int(values.argmax()), values.shape)
    across, below = (right + 0.5) / values.shape[1], (down + 0.5) / values.shape[0]
    return f"{_percent(across)} from the left and {_percent(below)} from the top"


def _number(value: float) -> str:
    return f"{value + 0.0:.3g}".replace("-", "\N{MINUS SIGN}")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _signed(share: float) -> str:
    return f"{100 * share:+.0f} %".replace("-", "\N{MINUS SIGN}") if round(share, 2) else "0 %"
