"""Learns the routing of a city from its history, so that what changed lately counts more than what was.

Softmax regression by AdaGrad in small batches over sparse rows. The newest cases are held out once, to measure it and
to fit how sure it may be; then it learns of all of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize_scalar

from services.dispatch.routing.learned import Learned, Seen, rows_of, signs, softmax

HALF_LIFE_DAYS = 60.0
"""A case this old counts half. Measured between 20 and no end on three later periods of one city: best or near it."""
RECENT_DAYS = 30.0
CHANGED, OLD_LEFT, ENOUGH = 0.5, 0.1, 10
"""Where the units of the last 30 days and those of before differ by half (total variation), what was before hardly
counts: work was given to another unit for good. Each side must have as many cases."""
HELD_OUT = 0.15
PASSES, RATE, PULL, BATCH, AMPLE = 6, 0.15, 1e-4, 256, 16.0
"""Passes over the cases, the step, the pull of each weight to nothing, cases in a step, the scale of a gradient."""
MEAN_OF = 4
"""The weights are the mean of those after the last passes: where one ends is chance, by half a point of a hundred."""
BARE = 0.35
"""The share of steps on a case as if nobody had said what it is about, so that words and place tell something alone."""
SEEN_TWICE = 2
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Lesson:
    """An appeal as it was known when it came, when that was, and the unit that had it in the end."""

    seen: Seen
    at: datetime
    unit: str


@dataclass(frozen=True, slots=True)
class Quality:
    """How often the first unit, one of the first three, and the department above were right.

    `above` is None where nobody told who stands above whom. `error` is the mean difference between confidence and
    share right over 15 bins of confidence (expected calibration error).
    """

    cases: int
    first: float
    three: float
    error: float
    above: float | None = None


def learn(lessons: Sequence[Lesson]) -> tuple[Learned, Quality]:
    """Return a model of all lessons, and how one of the earlier ones did on the newest. Raises ValueError for few."""
    lessons = sorted(lessons, key=lambda lesson: lesson.at)
    held = int(len(lessons) * HELD_OUT)
    if len({lesson.unit for lesson in lessons}) < 2 or not held:
        raise ValueError("needs cases of at least two units")
    earlier = _fit(lessons[:-held], 1.0)
    scale = _scale(earlier, lessons[-held:])
    sharp = Learned({**earlier.arrays, "scale": np.array(scale)})
    return _fit(lessons, scale), judge(sharp, lessons[-held:])


def judge(model: Learned, lessons: Sequence[Lesson], above: Mapping[str, str] | None = None) -> Quality:
    """Return how well a model does on cases it did not learn from. `above` names who stands above each unit."""
    shares = model.shares([lesson.seen for lesson in lessons])
    wanted = _wanted(model, lessons)
    best = np.argsort(-shares, axis=1, kind="stable")[:, :3]
    right = best[:, 0] == wanted
    return Quality(
        cases=len(lessons),
        first=float(right.mean()),
        three=float((best == wanted[:, None]).any(axis=1).mean()),
        error=_calibration_error(shares.max(axis=1), right),
        above=_right_above(model, shares, lessons, above) if above else None,
    )


def _right_above(
    model: Learned, shares: NDArray[np.float64], lessons: Sequence[Lesson], above: Mapping[str, str]
) -> float:
    """Return how often those that stand above the units are right whose units are likeliest together."""
    names = sorted({above.get(unit, unit) for unit in model.units})
    number = {name: i for i, name in enumerate(names)}
    of = [number[above.get(unit, unit)] for unit in model.units]
    together = np.zeros((len(shares), len(names)))
    np.add.at(together.T, of, shares.T)
    wanted = np.array([number.get(above.get(lesson.unit, lesson.unit), -1) for lesson in lessons])
    return float((together.argmax(axis=1) == wanted).mean())


def _calibration_error(sure: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 15) -> float:
    which = np.minimum((sure * bins).astype(np.intp), bins - 1)
    gaps = np.bincount(which, weights=sure - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(sure))


def _wanted(model: Learned, lessons: Sequence[Lesson]) -> NDArray[np.intp]:
    """Return the number of each lesson's unit; -1 for one the model never saw."""
    number = {unit: i for i, unit in enumerate(model.units)}
    return np.array([number.get(lesson.unit, -1) for lesson in lessons], dtype=np.intp)


def _scale(model: Learned, lessons: Sequence[Lesson]) -> float:
    """Fit how sharply scores become probabilities, so that of the cases given 0.7 some 7 in 10 are right."""
    scores = np.log(np.maximum(model.shares([lesson.seen for lesson in lessons]), 1e-30))
    wanted = _wanted(model, lessons)
    known = np.flatnonzero(wanted >= 0)

    def loss(scale: float) -> float:
        shares = softmax(scores[known], scale)[np.arange(len(known)), wanted[known]]
        return float(-np.log(np.maximum(shares, 1e-9)).mean())

    return float(minimize_scalar(loss, bounds=(0.2, 5), method="bounded").x)


def _fit(lessons: Sequence[Lesson], scale: float) -> Learned:
    """Return a model of lessons that stand in the order of their time."""
    units = sorted({lesson.unit for lesson in lessons})
    number = {unit: i for i, unit in enumerate(units)}
    wanted = np.array([number[lesson.unit] for lesson in lessons])
    seen = [lesson.seen for lesson in lessons]
    counts = Counter(sign for one in seen for sign in set(signs(one)))
    known = sorted(sign for sign, count in counts.items() if count >= SEEN_TWICE)
    columns = {sign: i for i, sign in enumerate(known)}
    bare = [replace(one, category=("", "", "")) for one in seen]
    rows = sparse.vstack([rows_of(seen, columns), rows_of(bare, columns)], format="csr")
    weights = _descend(rows, wanted, _weights(lessons, wanted), len(units))
    return Learned(
        {
            "units": np.array(units),
            "signs": np.array(known, dtype=np.int64),
            "weights": weights.astype(np.float16),
            "scale": np.array(scale),
        }
    )


def _weights(lessons: Sequence[Lesson], wanted: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return how much each case counts: less with age, hardly if its work has gone to another unit since."""
    age = np.array([(lessons[-1].at - lesson.at).total_seconds() / _DAY for lesson in lessons])
    weights = np.power(0.5, age / HALF_LIFE_DAYS)
    for mine in _alike(lessons):
        recent, before = mine[age[mine] <= RECENT_DAYS], mine[age[mine] > RECENT_DAYS]
        if min(len(recent), len(before)) >= ENOUGH and _apart(wanted[recent], wanted[before]) > CHANGED:
            weights[before] *= OLD_LEFT
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def _alike(lessons: Sequence[Lesson]) -> Iterator[NDArray[np.intp]]:
    """Yield the cases of one question in one district, for each of both."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, lesson in enumerate(lessons):
        groups[lesson.seen.category[2], lesson.seen.district].append(i)
    yield from (np.array(group) for group in groups.values())


def _apart(some: NDArray[np.intp], others: NDArray[np.intp]) -> float:
    """Return by how much the units of two groups of cases differ: 0 the same shares, 1 no unit in common."""
    size = int(max(some.max(), others.max())) + 1
    shares = [np.bincount(group, minlength=size) / len(group) for group in (some, others)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _descend(rows: Any, wanted: NDArray[np.intp], counted: NDArray[np.float32], units: int) -> NDArray[np.float32]:
    """Return the weight of each sign for each unit. Half of the rows are whole, the others lack categories."""
    random = np.random.default_rng(0)
    weights = np.zeros((rows.shape[1], units), dtype=np.float32)
    steps = np.full((rows.shape[1], 1), 1e-2, dtype=np.float32)
    mean = np.zeros_like(weights)
    for number in range(PASSES):
        order = random.permutation(len(wanted))
        for start in range(0, len(order), BATCH):
            some = order[start : start + BATCH]
            read = rows[some + len(order) * (random.random(len(some)) < BARE)]
            # Only the columns that the batch has are touched: a hundred times fewer than there are.
            columns, inside = np.unique(read.indices, return_inverse=True)
            batch = sparse.csr_matrix(
                (read.data, inside.astype(np.int32), read.indptr), shape=(len(some), len(columns))
            )
            mine = weights[columns]
            errors = softmax(batch @ mine, 1.0).astype(np.float32)
            errors[np.arange(len(some)), wanted[some]] -= 1
            slope = AMPLE * (batch.T @ (errors * counted[some][:, None])) / len(some) + PULL * len(some) * mine
            steps[columns] += (slope * slope).sum(axis=1, keepdims=True)
            weights[columns] = mine - RATE * slope / np.sqrt(steps[columns])
        if number >= PASSES - MEAN_OF:
            mean += weights / MEAN_OF
    return mean
