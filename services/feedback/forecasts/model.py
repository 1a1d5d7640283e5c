"""The model: counts are a level times a factor for the kind of day times one for the season, whatever they are of.

Of one series the level is an average that forgets: three of them, of about a month, ten days and three days, weigh the
same. The factors of its days are shrunk towards those of the series it leans on, as if KAPPA of its own appeals had
said what that one says. A day far above what was expected, a hot event, counts as no more than CAP deviations above.
The season is the course of the year before, where there was one, as far as it stands out of chance. The interval comes
from how far the same level would have been off in the last MEMORY days, by how many weeks ahead.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.feedback.forecasts.kinds import KINDS, LIKE

MODEL = "levels-1"
DAYS, WEEKS = 14, 8
LEAST_DAYS = 56
"""Below eight weeks of a record there is no forecast."""
FORGETS = (0.03, 0.1, 0.3)
KAPPA = 40.0
CAP = 2.0
AROUND = 14
"""So many days before and behind make a day's surroundings, while factors are being found."""
ROUNDS = 3
MEMORY = 112
TAIL = 0.1
"""Below and above an interval of 80 %."""
LEAST_FACTOR = 0.02
YEAR = 364
"""A whole number of weeks, so that a day of last year is compared with the same day of the week."""
SEASON_AROUND = 3
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of each series: by day for DAYS days from the end of the record, by stretches of seven days."""

    days: Array
    days_low: Array
    days_high: Array
    weeks: Array
    weeks_low: Array
    weeks_high: Array


def outlook(counts: Array, parents: npt.NDArray[np.int64], kinds: npt.NDArray[np.int64]) -> Outlook:
    """Forecast series of at least LEAST_DAYS days; `kinds` are those of their days and of the 7 * WEEKS behind them."""
    past = counts.shape[1]
    ahead = 7 * WEEKS
    calm, factors = _calmed(counts, parents, kinds[:past])
    shape = factors[:, kinds[: past + ahead]] * _season(calm, factors[:, kinds[:past]], parents, ahead)
    levels = _levels(calm, shape[:, :past])
    expected = levels[:, -1:] * shape[:, past:]
    weeks = expected.reshape(len(counts), WEEKS, 7).sum(2)
    days_off = [_bounds(counts, levels, shape, week, 1) for week in range(1, DAYS // 7 + 1)]
    weeks_off = [_bounds(counts, levels, shape, week, 7) for week in range(1, WEEKS + 1)]
    days_low, days_high = _within(expected[:, :DAYS], np.repeat(np.array(days_off), 7, axis=0))
    weeks_low, weeks_high = _within(weeks, np.array(weeks_off))
    return Outlook(expected[:, :DAYS], days_low, days_high, weeks, weeks_low, weeks_high)


def _calmed(counts: Array, parents: npt.NDArray[np.int64], kinds: npt.NDArray[np.int64]) -> tuple[Array, Array]:
    """Return the counts with what stands out cut down, and the factor of each kind of day."""
    calm, factors = counts, np.ones((len(counts), KINDS))
    typical = _typical(counts)
    for _ in range(ROUNDS):
        by_day = factors[:, kinds]
        around = _moving(calm / by_day, AROUND)
        expected = around * by_day
        root = np.sqrt(np.maximum(expected, 0.3))
        # A quarter more than the mean deviation is the standard one of a normal; no count spreads less than Poisson's.
        spread = np.maximum(1.25 * np.abs(calm - expected).mean(1) / root.mean(1), 1.0)
        # Of a season that begins on a day, the week around it knows; of an event of three days it does not.
        usual = np.maximum(expected, typical * by_day)
        calm = np.minimum(counts, usual + CAP * spread[:, None] * np.sqrt(np.maximum(usual, 0.3)))
        factors = np.maximum(_factors(calm, around, parents, kinds), LEAST_FACTOR)
    return calm, factors


def _factors(counts: Array, around: Array, parents: npt.NDArray[np.int64], kinds: npt.NDArray[np.int64]) -> Array:
    of_kind = np.eye(KINDS)[kinds]
    came, usual = counts @ of_kind, around @ of_kind
    # A kind that no record has had yet is taken to be like the weekday it is most like.
    whole = np.ones(KINDS)
    for kind, like in LIKE.items():
        whole[kind] = (came[0, like] + KAPPA) / (usual[0, like] + KAPPA)
    return _shrunk(came, usual, parents, whole)


def _shrunk(came: Array, usual: Array, parents: npt.NDArray[np.int64], whole: Array | float = 1.0) -> Array:
    """Return each series' ratios, drawn to those of the one it leans on the more, the fewer appeals it has."""
    ratios = np.ones_like(came)
    for row, parent in enumerate(parents):
        prior = ratios[parent] if parent >= 0 else whole
        ratios[row] = (came[row] + KAPPA * prior) / (usual[row] + KAPPA)
    return ratios


def _season(calm: Array, by_day: Array, parents: npt.NDArray[np.int64], ahead: int) -> Array:
    """Return how each day of the record and `ahead` stands to its year, by a year before; 1 where none is known.

    It is used once the days from which the level and the interval come have all a year before them.
    """
    past = calm.shape[1]
    if past < YEAR + MEMORY + 7 * WEEKS:
        return np.ones((len(calm), past + ahead))
    span = 2 * SEASON_AROUND + 1
    came = span * _moving(calm, SEASON_AROUND)
    usual = span * _moving(by_day, SEASON_AROUND) * _moving(calm / by_day, YEAR // 2)
    known = np.ones((len(calm), past + ahead))
    known[:, YEAR:] = _believed(came, np.maximum(usual, 1e-6), parents)[:, : past + ahead - YEAR]
    return np.maximum(known, LEAST_FACTOR)


def _believed(came: Array, usual: Array, parents: npt.NDArray[np.int64]) -> Array:
    """Return the course of each series' season, believed as far as it stands out of chance.

    What is its own is how it differs from the one it leans on: drawn in by the share of that which chance makes, as
    neighbouring weeks differ by (James and Stein 1961).
    """
    weeks = came[:, SEASON_AROUND :: 2 * SEASON_AROUND + 1]
    chance = (np.diff(weeks, axis=1) ** 2).mean(1) / 2 / usual.mean(1) ** 2
    ratios = np.ones_like(came)
    for row, parent in enumerate(parents):
        wider = ratios[parent] if parent >= 0 else 1.0
        own = came[row] / usual[row] - wider
        ratios[row] = wider + own * max(0.0, 1 - chance[row] / max(float((own**2).mean()), 1e-9))
    return ratios


def _levels(calm: Array, shape: Array) -> Array:
    """Return the level of each series as it stood at the end of each day."""
    forgets = np.array(FORGETS)[:, None]
    came = np.repeat(calm[None, :, :AROUND].mean(2), len(FORGETS), axis=0)
    usual = np.repeat(shape[None, :, :AROUND].mean(2), len(FORGETS), axis=0)
    levels = np.empty_like(calm)
    for day in range(calm.shape[1]):
        came += forgets * (calm[:, day] - came)
        usual += forgets * (shape[:, day] - usual)
        levels[:, day] = (came / usual).mean(0)
    return levels


def _bounds(counts: Array, levels: Array, shape: Array, week: int, span: int) -> Array:
    """Return the two quantiles by which counts of `span` days were off, that many weeks ahead, in deviations."""
    past = counts.shape[1]
    # A short record has not seen itself so far ahead: what is furthest that it has stands for what is beyond.
    week = min(week, (past - AROUND) // 7 - 2)
    came, form = (_sums(series[:, :past], span) for series in (counts, shape))
    first = max(AROUND, past - MEMORY - 7 * week)
    off = []
    for ahead in range(7 * (week - 1), 7 * week, span):
        at = np.arange(first, past - 7 * week)
        expected = levels[:, at] * form[:, at + 1 + ahead]
        off.append((came[:, at + 1 + ahead] - expected) / np.sqrt(expected + 0.5))
    # Of n that stand by themselves, the next lies within the k-th lowest and highest with a chance of k / (n + 1).
    alone = max(1, (past - 7 * week - first) // span)
    tail = max(0.0, TAIL - (1 - TAIL) / alone)
    return np.asarray(np.quantile(np.concatenate(off, axis=1), (tail, 1 - tail), axis=1))


def _within(expected: Array, bounds: Array) -> tuple[Array, Array]:
    """Return the ends of the intervals; `bounds` has the two quantiles of each series for each step."""
    root = np.sqrt(expected + 0.5)
    low, high = (expected + bounds[:, end].T * root for end in (0, 1))
    return np.clip(low, 0.0, expected), np.maximum(high, expected)


def _sums(series: Array, span: int) -> Array:
    """Return the sum of the `span` days from each day on, for as many as have them."""
    total = np.cumsum(np.pad(series, ((0, 0), (1, 0))), axis=1)
    return np.asarray(total[:, span:] - total[:, :-span])


def _typical(counts: Array) -> Array:
    """Return the median of the seven days around each day."""
    padded = np.pad(counts, ((0, 0), (3, 3)), mode="reflect")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 7, axis=1), axis=2))


def _moving(series: Array, around: int) -> Array:
    """Return the mean of each day and `around` days before and behind it, of those there are."""
    total = np.cumsum(np.pad(series, ((0, 0), (1, 0))), axis=1)
    days = np.arange(series.shape[1])
    first, end = np.maximum(days - around, 0), np.minimum(days + around + 1, series.shape[1])
    return np.asarray((total[:, end] - total[:, first]) / (end - first))
