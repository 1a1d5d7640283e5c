"""Fit the weights of evidence to the labelled training pairs, and write them into the pack's repeats.toml.

    python -m tests.bench.repeats_fit

Maximum likelihood of two logistic judgements multiplied, with a normal prior around what is known beforehand (`PRIOR`)
and with signs that cannot turn: no evidence for a repeat may come to speak against one.
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from services.intake.repeats import evidence
from services.intake.repeats.judging import OWN
from tests.bench.repeats_pairs import PACK, city_and_repeats, read_pairs, sketches_of

STRENGTH = 0.3
PRIOR = {
    "question": 3.0, "level1": 0.5, "troubles": 2.0, "trouble": 2.0, "other_trouble": -2.0, "things": 0.5, "words": 2.0,
    "same_reporter": 2.0, "again": 1.0, "name": 4.0, "names": 1.0, "other_venue": -5.0, "other_estate": -5.0,
    "other_road": -5.0, "other_wing": -3.0, "one_wing": -2.0, "other_street": -0.5, "other_district": -5.0,
    "number": 1.0, "other_number": -5.0, "near": 4.0, "far": -3.0, "line": -3.0, "building": -0.5, "everyone": 2.0,
}  # fmt: skip
FACTS = frozenset(("other_venue", "other_estate", "other_road", "other_number", "other_district"))
FACTS_WEIGH = -5.0
"""At least so much speaks against a repeat where two appeals name different things of one kind."""
Numbers = NDArray[np.float64]


def fit(matter: Numbers, place: Numbers, same: NDArray[np.bool_]) -> Numbers:
    """Return the weights of matter and place, one after the other."""
    names = (*evidence.MATTER, *evidence.PLACE)
    prior = np.array([PRIOR.get(name, 0.0) for name in names])
    free = np.array([name == "base" for name in names])
    width = matter.shape[1]

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        a, b = _logistic(matter @ weights[:width]), _logistic(place @ weights[width:])
        sure = np.clip(a * b, 1e-9, 1 - 1e-9)
        slope = np.where(same, 1, -sure / (1 - sure))
        away = np.where(free, 0, weights - prior)
        gradient = -np.concatenate([(slope * (1 - a)) @ matter, (slope * (1 - b)) @ place])
        likelihood = np.log(np.where(same, sure, 1 - sure)).sum()
        return float(STRENGTH * away @ away - likelihood), gradient + 2 * STRENGTH * away

    found = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=[_bounds(name) for name in names])
    return np.asarray(found.x)


def _bounds(name: str) -> tuple[float | None, float | None]:
    if name == "base":
        return (None, None)
    if name in FACTS:
        return (None, FACTS_WEIGH)
    return (None, 0.0) if PRIOR[name] < 0 else (0.0, None)


def _logistic(x: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -40, 40))))


def write(path: Path, weights: Numbers) -> None:
    """Put the weights into repeats.toml, in place of those there."""
    text = path.read_text(encoding="utf-8")
    width = len(evidence.MATTER)
    for title, names, values in (
        ("matter", evidence.MATTER, weights[:width]),
        ("place", evidence.PLACE, weights[width:]),
    ):
        lines = "".join(f"{name} = {value:.2f}\n" for name, value in zip(names, values, strict=True))
        text = re.sub(
            rf"^\[weights\.{title}\]\n.*?^$",
            f"[weights.{title}]\n{lines}",
            text,
            count=1,
            flags=re.MULTILINE | re.DOTALL,
        )
    path.write_text(text, encoding="utf-8")


def main() -> None:
    """Fit and write."""
    _, repeats = city_and_repeats()
    pairs = read_pairs("training")
    a, b = sketches_of(repeats, pairs)
    # What the rules decide is nothing to learn from.
    apart = np.abs(a["received"] - b["received"]) <= repeats.rules.window.total_seconds()
    own = np.maximum(a["personal"], b["personal"]) / 255.0 > OWN
    use = apart & (~own | (evidence.same_reporter(a, b) > 0))
    matter, place = evidence.matter_of(repeats.matters, a, b), evidence.place_of(repeats.matters, a, b)
    weights = fit(matter[use], place[use], np.array(pairs.same)[use])
    write(PACK / "repeats.toml", weights)
    print(f"{use.sum()} of {len(use)} pairs, {np.array(pairs.same)[use].sum()} of one event")
    for name, weight in zip((*evidence.MATTER, *evidence.PLACE), weights, strict=True):
        print(f"{name:16} {weight:6.2f}")


if __name__ == "__main__":
    main()
