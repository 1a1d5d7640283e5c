"""Weights of the index: a logistic regression on what was answered, shrunk, and tried on answers it did not see.

Ridge: each weight of a standardised feature is normal around 0 with variance 1 / STRENGTH beforehand, so that what few
answers tell stays small; the same curvature gives the weights' covariance (Laplace). Newton's method, as the problem is
convex and small. Tried by FOLDS-fold cross-validation, in which the rounds of one ticket stay together.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

import numpy as np
import numpy.typing as npt

from libs.common.contracts.dispatch import ReplyFault
from services.feedback.domain.quality import NORMAL, Metrics, Model

STRENGTH = 4.0
FOLDS = 5
FIFTHS = 5
LEAST = 200
"""Of fewer answers nothing is fitted."""
LEAST_OF_EACH = 30
"""Nor where fewer than these say yes, or no."""
STEPS = 50
SETTLED = 1e-8
MOST_WORTH = 1000.0
"""Where units differ from what the index says by chance alone, it is worth so many answers, not endless ones."""
SIGNS = {
    **dict.fromkeys(("contacted", "response_in_time", "completion_in_time", "evidence", "concrete"), 1),
    **dict.fromkeys(("sign_hours", "contact_hours", "done_hours", "returned", "again", "empty", "officialese"), -1),
    **{f"reply_{fault}": -1 for fault in get_args(ReplyFault)}, "sentence": -1,
}  # fmt: skip
"""What is good work and what is not. A weight of the other sign, which few answers make by chance, is set to 0: no
unit gains by being late."""
Array = npt.NDArray[np.float64]
Groups = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Answers:
    """What is fitted on: a row for each answer, NaN where a feature is not known; yes or no, its ticket, its unit."""

    features: tuple[str, ...]
    values: Array
    solved: Array
    tickets: Groups
    units: Groups


def fitted(answers: Answers, version: int, now: datetime) -> Model | None:
    """Return a model of these answers; None where they are too few to tell."""
    count, yes = len(answers.solved), float(answers.solved.sum())
    if count < LEAST or min(yes, count - yes) < LEAST_OF_EACH:
        return None
    centers, scales = _measures(answers.values)
    rows = _rows(answers.values, centers, scales)
    kept = _sensible(rows, answers)
    weights, covariance = np.zeros(rows.shape[1]), np.zeros((rows.shape[1], rows.shape[1]))
    weights[kept], covariance[np.ix_(kept, kept)] = fit(rows[:, kept], answers.solved)
    unseen = _unseen(rows[:, kept], answers)
    return Model(
        version=version, made_at=now, until=now, answers=count, solved=yes / count, features=answers.features,
        centers=tuple(centers.tolist()), scales=tuple(scales.tolist()), weights=tuple(weights.tolist()),
        covariance=tuple(tuple(row) for row in covariance.tolist()),
        worth=worth(unseen, answers.solved, answers.units), metrics=metrics(unseen, answers.solved),
    )  # fmt: skip


def fit(rows: Array, solved: Array) -> tuple[Array, Array]:
    """Return the weights, the constant's first, and their covariance. The constant is not shrunk."""
    penalty = np.full(rows.shape[1], STRENGTH)
    penalty[0] = 0.0
    weights: Array = np.zeros(rows.shape[1])
    share = float(solved.mean())
    weights[0] = np.log(share / (1 - share))
    for _ in range(STEPS):
        chance = chances(rows, weights)
        slope = rows.T @ (solved - chance) - penalty * weights
        curve = (rows * (chance * (1 - chance))[:, None]).T @ rows + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        # A full step may overshoot where the chances are near 0 or 1.
        weights = weights + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < SETTLED:
            break
    return weights, np.linalg.inv(curve).astype(np.float64)


def chances(rows: Array, weights: Array) -> Array:
    """Return the chance of a yes of each row."""
    odds: Array = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
    return odds


def metrics(chance: Array, solved: Array) -> Metrics:
    """Return how well chances tell solved from not. The interval of the AUC is Hanley and McNeil's (1982)."""
    auc, yes, no = _auc(chance, solved), float(solved.sum()), float((1 - solved).sum())
    once, twice = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = (auc * (1 - auc) + (yes - 1) * (once - auc**2) + (no - 1) * (twice - auc**2)) / (yes * no)
    reach = NORMAL * float(np.sqrt(max(0.0, spread)))
    fifths = np.array_split(np.argsort(chance, kind="stable"), FIFTHS)
    return Metrics(
        auc=round(auc, 4), low=round(max(0.0, auc - reach), 4), high=round(min(1.0, auc + reach), 4),
        expected=tuple(round(float(chance[part].mean()), 4) for part in fifths),
        found=tuple(round(float(solved[part].mean()), 4) for part in fifths),
    )  # fmt: skip


def _auc(chance: Array, solved: Array) -> float:
    """Return how often a solved one has the higher chance, ties counting half: the rank sum of Mann and Whitney."""
    _, places, counts = np.unique(chance, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    yes, no = solved.sum(), (1 - solved).sum()
    return float((ranks[solved == 1].sum() - yes * (yes + 1) / 2) / (yes * no))


def worth(chance: Array, solved: Array, units: Groups) -> float:
    """Return how many answers of a unit say as much of it as the index: p (1 - p) / t², t how far off units truly are.

    t² is what the mean answers of units differ from their mean chances, less what chance alone makes (moments).
    """
    _, mine = np.unique(units, return_inverse=True)
    counts = np.bincount(mine)
    gaps = (np.bincount(mine, solved) - np.bincount(mine, chance)) / counts
    luck = np.bincount(mine, chance * (1 - chance)) / counts**2
    true = float(np.average(gaps**2 - luck, weights=counts))
    within = float((chance * (1 - chance)).mean())
    return round(min(MOST_WORTH, within / true), 1) if true > 0 else MOST_WORTH


def _measures(values: Array) -> tuple[Array, Array]:
    """Return the mean and spread of each feature where it is known; one that never differs takes no part."""
    known = np.isfinite(values)
    counts = np.maximum(known.sum(0), 1)
    centers: Array = np.where(known, values, 0.0).sum(0) / counts
    spread: Array = np.sqrt((np.where(known, values - centers, 0.0) ** 2).sum(0) / counts)
    return centers, np.where(spread > SETTLED, spread, 1.0)


def _rows(values: Array, centers: Array, scales: Array) -> Array:
    standard = np.where(np.isfinite(values), (values - centers) / scales, 0.0)
    return np.hstack([np.ones((len(values), 1)), standard])


def _sensible(rows: Array, answers: Answers) -> Groups:
    """Return the columns that stay: without those whose weight has the wrong sign, taken out until none has."""
    signs = np.array([0, *(SIGNS.get(name, 0) for name in answers.features)])
    kept = np.arange(rows.shape[1])
    while True:
        weights, _ = fit(rows[:, kept], answers.solved)
        right = weights * signs[kept] >= 0
        if right.all():
            return kept
        kept = kept[right]


def _unseen(rows: Array, answers: Answers) -> Array:
    """Return each answer's chance by weights that were fitted on other tickets."""
    _, ticket = np.unique(answers.tickets, return_inverse=True)
    fold = ticket % FOLDS
    chance = np.empty(len(rows))
    for part in range(FOLDS):
        weights, _ = fit(rows[fold != part], answers.solved[fold != part])
        chance[fold == part] = chances(rows[fold == part], weights)
    return chance
