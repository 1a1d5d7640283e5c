"""What is usual: how often each question is raised in each place, by hour, weekday and holiday, learnt day by day.

What is expected of a question in a place is a product: how often the city raises it on a mean day, which share of that
falls on the place, and how much of a mean day the kind of day and the hour bring to its level-1 category. Each factor
is shrunk to the one above it by as much as its own past is thin (Gamma-Poisson and Dirichlet means), and what it rests
on is kept, for a guess is to surprise nobody. The past is forgotten by halves.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from io import BytesIO
from itertools import groupby
from typing import Any, Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from libs.common.city.days import DayKind
from services.classify.hotspots.grid import CITY, CODE, LEVEL1, Floats, Grid, Ints
from services.classify.hotspots.words import Past

HOUR = timedelta(hours=1)
RECENT_DAYS = 6
"""Whole days whose counts are kept as they were; with the day that runs they are the longest window."""
HOLIDAY = 7
"""The class of a day is its weekday, or this."""
_RATE_HALF, _SHARE_HALF, _SHAPE_HALF = 14, 56, 56
"""Half-lives in days, of a question's rate, of the places' shares, and of what hours and kinds of days bring."""
_RATE_SHAPE = 0.15
"""How alike the rates of questions are before any was seen: hardly, the commonest come a hundred times the mean."""
CONCENTRATION = (200.0, 400.0, 1000.0)
"""How firmly a question, a level 2 and a level 1 is believed to fall on places as all do: by so many tickets."""
_DAYS, _TICKETS = 2.0, 200.0
"""How firmly a category is believed to follow the days and the hours of all: by so many days, so many tickets."""
_SWING, _SWING_DAYS = 0.03, 5.0
"""The variance of a category's day beside chance, relative to its mean squared, before any was seen: 17 %."""
_KINDS: Mapping[DayKind, int] = {"work": 0, "rest": 1, "holiday": 2}
KindOf = Callable[[date], DayKind]


@dataclass(frozen=True, slots=True)
class Day:
    """What one day brought, by the city's time.

    `counts` are questions by places without the members of events, `inside` those members; `hours` are questions by
    hours; `words` how many tickets used each gram, of those that more than one did.
    """

    on: date
    counts: Floats
    inside: Floats
    hours: Floats
    words: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Baseline:
    """What was learnt up to a day. `days` is how many were, each less than one for being past.

    `kind_of` tells the kind of a day in the city, by its own holidays.
    """

    grid: Grid
    kind_of: KindOf
    until: date | None
    rates: Floats
    exposures: Floats
    shares: Floats
    volumes: Floats
    class_days: Floats
    hours: Floats
    swings: Floats
    recent: NDArray[np.uint16]
    words: dict[str, float]
    days: float

    @classmethod
    def blank(cls, grid: Grid, kind_of: KindOf) -> Self:
        """Return a baseline that knows nothing."""
        codes, places = grid.shape
        tops = grid.sizes(LEVEL1, CITY)[0]
        return cls(
            grid,
            kind_of,
            until=None,
            rates=np.zeros(codes),
            exposures=np.zeros(tops),
            shares=np.zeros((codes, places)),
            volumes=np.zeros((tops, 8)),
            class_days=np.zeros(8),
            hours=np.zeros((tops, 3, 24)),
            swings=np.zeros((2, tops)),
            recent=np.zeros((RECENT_DAYS, codes, places), dtype=np.uint16),
            words={},
            days=0.0,
        )

    def learn(self, day: Day) -> None:
        """Learn a day; days come in order.

        Of what belongs to an event no more is learnt than was expected: an event must not become usual while it lasts.
        """
        top = self.grid.matters[LEVEL1]
        kind = self._class_of(day.on)
        brought = self.brought_by_day(day.on)
        expected = self.means() * brought[top][:, None]
        learnt = day.counts + np.minimum(day.inside, expected)
        self._learn_swings(learnt.sum(axis=1), expected.sum(axis=1))
        rate, share, shape = (0.5 ** (1 / half) for half in (_RATE_HALF, _SHARE_HALF, _SHAPE_HALF))
        self.exposures = self.exposures * rate + brought
        self.rates = self.rates * rate + learnt.sum(axis=1)
        self.shares = self.shares * share + learnt
        self.volumes, self.class_days = self.volumes * shape, self.class_days * shape
        self.volumes[:, kind] += np.bincount(top, learnt.sum(axis=1), len(self.volumes))
        self.class_days[kind] += 1
        self.hours = self.hours * shape
        np.add.at(self.hours[:, _KINDS[self.kind_of(day.on)]], top, day.hours)
        self._learn_words(day.words, rate)
        self.recent = np.concatenate([self.recent[1:], np.minimum(day.counts, 65_535)[None].astype(np.uint16)])
        self.days, self.until = self.days * rate + 1, day.on

    def _learn_swings(self, counts: Floats, expected: Floats) -> None:
        """Learn how far whole categories stray from what was expected, weather and all, once something is expected."""
        if self.days < _SWING_DAYS:
            return
        top = self.grid.matters[LEVEL1]
        came, mean = (np.bincount(top, values, len(self.volumes)) for values in (counts, expected))
        strayed = np.clip(((came - mean) ** 2 - mean) / np.maximum(mean, 1) ** 2, 0, 1)
        self.swings = self.swings * 0.5 ** (1 / _SHAPE_HALF) + np.array([strayed, np.ones_like(strayed)])

    def _learn_words(self, words: Mapping[str, int], keep: float) -> None:
        rates = {word: rate * keep for word, rate in self.words.items() if rate * keep > 0.3}
        for word, count in words.items():
            rates[word] = rates.get(word, 0.0) + count
        self.words = rates

    def without_recent(self) -> "Baseline":
        """Return what was known before the recent days: an event that goes on for days must not be its own excuse."""
        if self.until is None:
            return self
        ages = np.arange(RECENT_DAYS)[::-1]
        rate, share = (0.5 ** (ages / half) for half in (_RATE_HALF, _SHARE_HALF))
        days = [self.until - timedelta(days=int(age)) for age in ages]
        brought = sum((w * self.brought_by_day(day) for w, day in zip(rate, days, strict=True)), np.zeros(1))
        return replace(
            self,
            rates=np.maximum(self.rates - np.tensordot(rate, self.recent.sum(axis=2), 1), 0),
            exposures=np.maximum(self.exposures - brought, 0),
            shares=np.maximum(self.shares - np.tensordot(share, self.recent, 1), 0),
            days=max(self.days - rate.sum(), 0.0),
        )

    def means(self) -> Floats:
        """Return how many tickets of each question each place has on a mean day."""
        spread = self.shares.sum(axis=1, keepdims=True)
        firm = CONCENTRATION[CODE]
        means: Floats = self._rate()[:, None] * (firm * self._prior_shares() + self.shares) / (firm + spread)
        return means

    def knowledge(self) -> tuple[Floats, Floats, Floats]:
        """Return what the means rest on: tickets of the questions, those of each one's places, and its prior shares."""
        return self.rates + _RATE_SHAPE, self.shares, self._prior_shares()

    def _rate(self) -> Floats:
        exposure = self.exposures[self.grid.matters[LEVEL1]]
        usual = max(self.rates.sum(), 1.0) / max(self.days, 1.0) / len(self.rates)
        rate: Floats = (self.rates + _RATE_SHAPE) / (exposure + _RATE_SHAPE / usual)
        return rate

    def _prior_shares(self) -> Floats:
        """Return which share of each question is believed to fall on each place: as of its category, that as of all."""
        all_ = self.shares.sum(axis=0) + 1
        by_top = np.zeros((len(self.volumes), self.shares.shape[1]))
        np.add.at(by_top, self.grid.matters[LEVEL1], self.shares)
        by_top += CONCENTRATION[LEVEL1] * all_ / all_.sum()
        shares: Floats = by_top / by_top.sum(axis=1, keepdims=True)
        return shares[self.grid.matters[LEVEL1]]

    def brought_by_day(self, day: date) -> Floats:
        """Return how many mean days of each level-1 category a day brings: as many as days of its class do."""
        kind = self._class_of(day)
        mean = max(self.volumes.sum(), 1.0) / max(self.class_days.sum(), 1.0)
        all_ = (self.volumes[:, kind].sum() + mean) / (self.class_days[kind] + 1) / mean
        own = np.maximum(self.volumes.sum(axis=1), 1e-9) / max(self.class_days.sum(), 1.0)
        return np.asarray((self.volumes[:, kind] + _DAYS * own * all_) / (self.class_days[kind] + _DAYS) / own)

    def brought(self, since: datetime, until: datetime, zone: ZoneInfo) -> Floats:
        """Return how many mean days of each level-1 category a span of time brings."""
        brought = np.zeros(len(self.volumes))
        by_hour = [self._by_hour(kind) for kind in _KINDS.values()]
        for day, hours in groupby(_hours(since.astimezone(zone), until.astimezone(zone)), lambda one: one[0].date()):
            of_day = by_hour[_KINDS[self.kind_of(day)]]
            brought += self.brought_by_day(day) * sum(share * of_day[:, hour.hour] for hour, share in hours)
        return brought

    def _class_of(self, day: date) -> int:
        """Return the class of a day: its weekday; a worked weekend counts as a Wednesday, a holiday by itself."""
        kind = self.kind_of(day)
        if kind == "holiday":
            return HOLIDAY
        return 2 if kind == "work" and day.weekday() >= 5 else day.weekday()

    def _by_hour(self, kind: int) -> Floats:
        every = self.hours.sum(axis=(0, 1)) + 1
        like = self.hours[:, kind].sum(axis=0) + _TICKETS * every / every.sum()
        own = self.hours[:, kind] + _TICKETS * like / like.sum()
        shares: Floats = own / own.sum(axis=1, keepdims=True)
        return shares

    def swing(self) -> Floats:
        """Return, for each level-1 category, its variance beside chance, relative to its mean squared."""
        return np.asarray((self.swings[0] + _SWING * _SWING_DAYS) / (self.swings[1] + _SWING_DAYS))

    @property
    def past(self) -> Past:
        """What is usual of grams."""
        return Past(self.words, self.days, float(self.volumes.sum() / max(self.class_days.sum(), 1.0)))

    def packed(self) -> bytes:
        """Return the baseline as arrays in a file; never a pickle. Rare fractions are dropped with half the digits."""
        arrays: dict[str, NDArray[Any]] = {name: getattr(self, name).astype(np.float32) for name in _ARRAYS}
        arrays["recent"] = self.recent
        words = sorted(self.words)
        arrays |= {
            "codes": np.array(self.grid.codes),
            "places": np.array(self.grid.places),
            "tops": np.array(self.grid.tops),
            "words_named": np.array(words, dtype=np.str_),
            "words_rated": np.array([self.words[word] for word in words], dtype=np.float32),
            "until": np.array(self.until.toordinal() if self.until else 0),
            "days": np.array(self.days),
        }
        file = BytesIO()
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # the stub takes names for options
        return file.getvalue()

    @classmethod
    def unpacked(cls, packed: bytes, grid: Grid, kind_of: KindOf) -> Self:
        """Return a baseline that was packed; what the catalogue or the pack holds no more is forgotten."""
        with np.load(BytesIO(packed), allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
        blank = cls.blank(grid, kind_of)
        codes, places = _common(arrays["codes"], grid.codes), _common(arrays["places"], grid.places)
        blank.rates[codes[1]] = arrays["rates"][codes[0]]
        blank.shares[np.ix_(codes[1], places[1])] = arrays["shares"][np.ix_(codes[0], places[0])]
        blank.recent[:, codes[1][:, None], places[1]] = arrays["recent"][:, codes[0][:, None], places[0]]
        tops = _common(arrays["tops"], grid.tops)
        for name in ("exposures", "volumes", "hours"):
            getattr(blank, name)[tops[1]] = arrays[name][tops[0]]
        blank.swings[:, tops[1]] = arrays["swings"][:, tops[0]]
        blank.class_days[:] = arrays["class_days"]
        until = int(arrays["until"])
        words = dict(zip(arrays["words_named"].tolist(), arrays["words_rated"].tolist(), strict=True))
        return replace(
            blank, words=words, days=float(arrays["days"]), until=date.fromordinal(until) if until else None
        )  # fmt: skip


_ARRAYS = ("rates", "exposures", "shares", "volumes", "class_days", "hours", "swings")


def _hours(since: datetime, until: datetime) -> Iterator[tuple[datetime, float]]:
    """Yield each hour that a span touches, and how much of it."""
    hour = since.replace(minute=0, second=0, microsecond=0)
    while hour < until:
        yield hour, (min(hour + HOUR, until) - max(hour, since)) / HOUR
        hour += HOUR


def _common(were: NDArray[Any], are: Sequence[str]) -> tuple[Ints, Ints]:
    """Return the positions of the names that both have, in each."""
    _, before, now = np.intersect1d(were, np.array(are), assume_unique=True, return_indices=True)
    return before, now
