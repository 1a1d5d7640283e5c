"""Learn what words mean from the catalogue, and fit the weights of evidence; to be run when the catalogue has changed.

    python -m tests.bench.repeats_fit [--weights]

Writes `services/intake/repeats/senses.npz` (some minutes; with `--weights` it stays as it is) and the weights in the
pack's repeats.toml: maximum likelihood of two logistic judgements multiplied, with a normal prior around what is known
beforehand (`PRIOR`) and with signs that cannot turn: no evidence for a repeat may come to speak against one.

Two kinds of pairs are learned from: the labelled ones, and for the matter phrases of the catalogue, alike if they are
of one question. What an appeal will say is not known beforehand, but the groups of repeats.toml know the words of the
labelled pairs by now and the prototypes all phrases. So the labelled pairs are read without half the words of the
groups, and phrases by a reader that knows neither them nor, for a third of them, their question.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from libs.common.city.catalogue import Question
from libs.common.city.pack import City, load_city
from libs.common.city.settings import Repeats as Rules
from services.intake.repeats import evidence
from services.intake.repeats.judging import OWN
from services.intake.repeats.knowledge import Knowledge, load_knowledge
from services.intake.repeats.matters import Matters
from services.intake.repeats.reader import MEANT, Reader
from services.intake.repeats.sketches import SKETCH
from tests.bench.repeats_pairs import PACK, Pairs, read_pairs
from tests.bench.repeats_senses import Heard, distil, hear

FITTED = ("training", "blind")
STRENGTH = 0.9
CATALOGUE_PAIRS, OF_ONE, COUNTS = 6_000, 0.4, 0.2
"""How many pairs of phrases, the share of them that are alike, and what one counts against a labelled pair."""
NEIGHBOURS = 0.3
UNHEARD, READERS = 0.5, 3
"""The share of the groups' words that is left out, and how often that is drawn."""
PRIOR = {
    "sense": 4.0, "question": 3.0, "level1": 0.5, "troubles": 2.0, "trouble": 2.0, "other_trouble": -2.0,
    "things": 0.5, "words": 2.0, "same_reporter": 2.0, "again": 1.0, "name": 4.0, "names": 1.0, "other_venue": -5.0,
    "other_estate": -5.0, "other_road": -5.0, "other_wing": -3.0, "one_wing": -2.0, "other_street": -0.5,
    "other_district": -5.0, "number": 1.0, "other_number": -5.0, "near": 4.0, "far": -3.0, "line": -3.0,
    "building": -0.5, "everyone": 2.0,
}  # fmt: skip
FACTS = frozenset(("other_venue", "other_estate", "other_road", "other_number", "other_district"))
FACTS_WEIGH = -5.0
"""At least so much speaks against a repeat where two appeals name different things of one kind."""
Numbers = NDArray[np.float64]


def fit(
    matter: Numbers, place: Numbers, same: NDArray[np.bool_], phrases: Numbers, alike: NDArray[np.bool_]
) -> Numbers:
    """Return the weights of matter and place, one after the other.

    Of `phrases` the matter alone is known, and how many are alike is made up: they have a base of their own.
    """
    names = (*evidence.MATTER, *evidence.PLACE, "base")
    prior = np.array([PRIOR.get(name, 0.0) for name in names])
    free = np.array([name == "base" for name in names])
    width = matter.shape[1]

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        a, b = _logistic(matter @ weights[:width]), _logistic(place @ weights[width:-1])
        c = _logistic(phrases[:, 1:] @ weights[1:width] + weights[-1])
        sure = np.clip(a * b, 1e-9, 1 - 1e-9)
        slope = np.where(same, 1, -sure / (1 - sure))
        away = np.where(free, 0, weights - prior)
        of_matter = (slope * (1 - a)) @ matter
        of_matter[1:] += COUNTS * (alike - c) @ phrases[:, 1:]
        gradient = -np.concatenate([of_matter, (slope * (1 - b)) @ place, [COUNTS * (alike - c).sum()]])
        likelihood = np.log(np.where(same, sure, 1 - sure)).sum()
        likelihood += COUNTS * np.log(np.clip(np.where(alike, c, 1 - c), 1e-9, 1)).sum()
        return float(STRENGTH * away @ away - likelihood), gradient + 2 * STRENGTH * away

    found = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=[_bounds(name) for name in names])
    return np.asarray(found.x[:-1])


def kept(questions: Sequence[Question]) -> NDArray[np.bool_]:
    """Return which phrases a reader may know: of two questions in three every other one, of the others none."""
    return np.array([at % 3 != 0 and k % 2 == 0 for at, q in enumerate(questions) for k in range(len(q.phrases))])


def of_catalogue(
    questions: Sequence[Question], knowledge: Knowledge, heard: Heard
) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return the evidence on the matter for pairs of phrases, and whether they are of one question."""
    known = [replace(q, phrases=q.phrases[::2]) for at, q in enumerate(questions) if at % 3]
    use = kept(questions)
    matters = Matters(known, knowledge, distil(heard, use))
    at = np.flatnonzero(~use)
    meanings = matters.read([heard.phrases[k] for k in at.tolist()])
    sketches: Any = np.zeros(len(at), dtype=SKETCH)
    for field in MEANT:
        sketches[field] = getattr(meanings, field)
    owner = heard.owner[at]
    random = Random(1)
    alike = [pair for q in set(owner.tolist()) for pair in combinations(np.flatnonzero(owner == q).tolist(), 2)]
    pairs = random.sample(alike, min(len(alike), round(CATALOGUE_PAIRS * OF_ONE)))
    one = len(pairs)
    while len(pairs) < one / OF_ONE:
        first = random.randrange(len(at))
        # Of neighbours in the catalogue there are at one place more than chance would have.
        second = random.randrange(len(at)) if random.random() > NEIGHBOURS else first + random.randint(-20, 20)
        if 0 <= second < len(at) and owner[first] != owner[second]:
            pairs.append((first, second))
    left, right = np.array(pairs).T
    return evidence.matter_of(matters, sketches[left], sketches[right]), np.arange(len(pairs)) < one


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


def thinned(knowledge: Knowledge, share: float, seed: int) -> Knowledge:
    """Return what is known without a share of the words of troubles and things."""
    random = Random(seed)

    def some(groups: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {name: tuple(w for w in words if random.random() >= share) for name, words in groups.items()}

    return replace(knowledge, troubles=some(knowledge.troubles), things=some(knowledge.things))


def fitted(city: City, knowledge: Knowledge, phrases: Numbers, alike: NDArray[np.bool_]) -> Numbers:
    """Return the weights by the labelled training pairs and those of phrases."""
    files = [read_pairs(name) for name in FITTED]
    readers = [Reader(city, thinned(knowledge, UNHEARD, seed)) for seed in range(READERS)]
    parts = [_labelled(reader, pairs, city.repeats) for pairs in files for reader in readers]
    matter, place, use = (np.concatenate(some) for some in zip(*parts, strict=True))
    same = np.concatenate([np.tile(pairs.same, READERS) for pairs in files])
    print(f"{use.sum() // READERS} of {len(same) // READERS} labelled pairs, {len(alike)} of phrases")
    return fit(matter[use], place[use], same[use], phrases, alike)


def _labelled(reader: Reader, pairs: Pairs, rules: Rules) -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
    sketches = reader.read([appeal.said for appeal in pairs.appeals]).sketches
    a, b = sketches[pairs.first], sketches[pairs.second]
    # What the rules decide is nothing to learn from.
    apart = np.abs(a["received"] - b["received"]) <= rules.window.total_seconds()
    own = np.maximum(a["personal"], b["personal"]) / 255.0 > OWN
    use = apart & (~own | (evidence.same_reporter(a, b) > 0)) & ~evidence.other_facility(a, b)
    return evidence.matter_of(reader.matters, a, b), evidence.place_of(reader.matters, a, b), use


def main(arguments: Sequence[str]) -> None:
    """Learn, fit and write."""
    city, knowledge = load_city(PACK), load_knowledge(PACK / "repeats.toml")
    questions = list(city.catalogue)
    heard = hear(questions, knowledge)
    phrases, alike = of_catalogue(questions, knowledge, heard)
    if "--weights" not in arguments:
        distil(heard, np.ones(len(heard.phrases), dtype=bool)).save()
    weights = fitted(city, knowledge, phrases, alike)
    write(PACK / "repeats.toml", weights)
    for name, weight in zip((*evidence.MATTER, *evidence.PLACE), weights, strict=True):
        print(f"{name:16} {weight:6.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
