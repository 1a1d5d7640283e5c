"""Reports: of which period and part of the city they are, what they are compared with, and what is counted for them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from libs.common.city.days import DayKind
from libs.common.city.reports import ReportKind
from services.feedback.domain.kpis import Dimension, Figure
from services.feedback.domain.periods import Period, before, period_of

KINDS: tuple[ReportKind, ...] = get_args(ReportKind)
ScopeKind = Literal["city", "district", "unit"]
Kinds = Callable[[date], DayKind]
"""What kind of day a date is, where the city is."""
_LENGTHS = {"daily": 10, "weekly": 8, "monthly": 7, "yearly": 4, "holiday": 10}
YEAR_OF_WEEKS = timedelta(days=364)
"""A year later is the same weekday."""
NOISE_DAYS = 56
"""How many days before a period tell how much days differ."""
FURTHEST_DAYS = 45
"""How far from its date of this year a holiday may lie in the year before; the lunar ones move by less."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What part of the city a report is of: all of it, a district by its six digits, a unit by its code."""

    kind: ScopeKind = "city"
    code: str = ""

    @property
    def name(self) -> str:
        """How it is kept."""
        return f"{self.kind}:{self.code}" if self.code else self.kind

    def where(self) -> dict[Dimension, list[str]]:
        """What keeps the rows of this part."""
        if self.kind == "city":
            return {}
        dimension: Dimension = "district" if self.kind == "district" else "unit"
        return {dimension: [self.code]}


@dataclass(frozen=True, slots=True)
class Spans:
    """The period of a report, the one it is compared with, the same a year before, and what followed that one."""

    now: Period
    before: Period
    ago: Period | None = None
    following: Period | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """Figures of some KPIs by some dimensions in some of the spans, for reports of some parts of the city."""

    name: str
    kpis: tuple[str, ...]
    by: tuple[Dimension, ...] = ()
    of: tuple[Literal["now", "before", "ago", "following"], ...] = ("now", "before")
    scopes: tuple[ScopeKind, ...] = ("city", "district", "unit")


COUNTS = ("received", "resolved", "reviewed", "closed")
SHARES = (
    "responded", "solved", "satisfied", "response_in_time", "signing_in_time", "completion_in_time", "reopened",
    "repeats", "answered_share", "explained", "closed_solved",
)  # fmt: skip
DECIDED_LATER: Mapping[str, str] = {
    "response_in_time": "received", "completion_in_time": "received", "reopened": "resolved", "answered_share": "asked",
}  # fmt: skip
"""Shares of what is decided, by what it is decided of. What is quick is decided first: until all is, they flatter."""
TIMES = ("contact_p50", "contact_p90", "resolve_p50", "resolve_p90")
UNIT_SHARES = ("responded", "solved", "satisfied", "completion_in_time", "return_rate")
CUTS = (
    Cut("totals", (*COUNTS, "asked", *SHARES, *TIMES)),
    Cut("ago", ("received", "solved", "satisfied"), of=("ago",)),
    Cut("days", ("received",), ("day",)),
    Cut("category1", ("received", "solved", "closed_solved"), ("category1",)),
    Cut("code", ("received",), ("code",)),
    Cut("channel", ("received",), ("channel",)),
    Cut("district", ("received", "solved", "satisfied", "completion_in_time"), ("district",), scopes=("city",)),
    Cut("street", ("received", "solved"), ("street",), scopes=("district",)),
    Cut("unit", UNIT_SHARES, ("unit",), of=("now",), scopes=("city", "district")),
    Cut("ahead", ("received",), ("category1",), of=("ago", "following")),
)
"""All that is counted for a report."""
PLACES: Mapping[ScopeKind, Dimension] = {"city": "district", "district": "street"}
"""Where something is, seen from each part of the city."""


@dataclass(frozen=True, slots=True)
class Rising:
    """A question that rose beyond chance: in how many places it came up, and how it was judged."""

    code: str
    places: tuple[Figure, ...]
    solved: Figure | None
    repeats: Figure | None


@dataclass(frozen=True, slots=True)
class LineDay:
    """The quality of a line on one day (YYYY-MM-DD), as intake measured it. Rates are fractions, None without calls.

    `tests` are calls that tried the line, and count apart; `explained_rate` is of those of them that were judged.
    """

    line: str
    day: str
    offered: int
    answered: int
    abandoned: int
    in_time_rate: float | None
    mean_wait: float | None
    longest_wait: float | None
    dead: bool
    cold: bool
    tests: int
    explained_rate: float | None


@dataclass(frozen=True, slots=True)
class Expected:
    """How many appeals of a level-1 category the week after the period was forecast to bring, and what is usual."""

    category: str
    usual: float
    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Findings:
    """All that one report says, as figures: with them it can be made again, in any language and form.

    `since` is when the period began. `cuts` are by the name of the cut and the span, as `district/now`; `wobble` is how
    much days differ, by level-1 category and "" for all. `began` is when the first appeal of the record was received.
    """

    kind: ReportKind
    scope: Scope
    spans: Spans
    since: datetime
    as_of: datetime
    closed: bool
    cuts: Mapping[str, tuple[Figure, ...]]
    wobble: Mapping[str, float]
    rising: tuple[Rising, ...] = ()
    lines: tuple[LineDay, ...] = ()
    lines_before: tuple[LineDay, ...] = ()
    expected: tuple[Expected, ...] = ()
    began: datetime | None = None

    @property
    def lengths(self) -> tuple[float, float]:
        """How many days of the period are over, and how many the one compared has; 0 if that was not recorded."""
        whole = (self.spans.now.after - self.spans.now.first).days
        over = (self.as_of - self.since) / timedelta(days=1)
        return min(float(whole), max(over, 1 / 24)), self.recorded(self.spans.before)

    def recorded(self, span: Period) -> float:
        """How many days a span has; 0 if the record began within it or after it, for then nobody counted them all."""
        begin = self.since - timedelta(days=(self.spans.now.first - span.first).days)
        # Nobody need have called at midnight.
        whole = self.began is None or self.began < begin + timedelta(days=1)
        return float((span.after - span.first).days) if whole else 0.0

    def figures(self, cut: str, of: str, kpi: str) -> dict[str, Figure]:
        """The figures of a KPI in a cut by its one dimension, unknown as ""; of a cut without one, under ""."""
        mine = (figure for figure in self.cuts.get(f"{cut}/{of}", ()) if figure.kpi == kpi)
        return {(figure.group[0] or "") if figure.group else "": figure for figure in mine}


@dataclass(frozen=True, slots=True)
class Made:
    """That a report was made: of which period and part of the city, which version. 0 is one of a period under way."""

    kind: ReportKind
    period: str
    scope: str
    version: int
    made_at: datetime
    closed: bool


@dataclass(frozen=True, slots=True)
class Kept(Made):
    """A report as it was made, with its findings."""

    findings: Findings


def spans_of(kind: ReportKind, name: str, days: Kinds) -> Spans:
    """Return the spans of a report by its period's name; a holiday is named by any of its days.

    Raises ValueError, saying what would be right.
    """
    period = period_of(name)
    if len(name) != _LENGTHS[kind] or (kind == "monthly" and "Q" in name):
        raise ValueError(f"must be written like {_LIKE[kind]}")
    if kind == "holiday":
        return _holiday(period.first, days)
    if kind == "daily":
        return Spans(period, _moved(period, timedelta(days=7)), _moved(period, YEAR_OF_WEEKS))
    if kind == "weekly":
        ago = _moved(period, YEAR_OF_WEEKS)
        return Spans(period, before(period), ago, _moved(ago, timedelta(days=-7)))
    if kind == "yearly":
        return Spans(period, before(period))
    ago = period_of(f"{period.first.year - 1}-{period.first:%m}")
    return Spans(period, before(period), ago, period_of(f"{ago.after:%Y-%m}"))


def so_far(spans: Spans, now: date) -> Spans:
    """Return the spans of a period under way on a day: it is compared with as much of the one before as it has."""
    over = timedelta(days=max((now - spans.now.first).days + 1, 1))
    before = spans.before
    return replace(spans, before=Period(before.name, before.first, min(before.after, before.first + over)))


_LIKE = {
    "daily": "2026-11-03", "weekly": "2026-W45", "monthly": "2026-11", "yearly": "2026",
    "holiday": "2026-10-01, a day of the holiday",
}  # fmt: skip


def _moved(period: Period, back: timedelta) -> Period:
    first = period.first - back
    return Period(first.isoformat(), first, period.after - back)


def _holiday(day: date, days: Kinds) -> Spans:
    """The days off around a holiday; compared with the holiday nearest to it in the year before."""
    now = holiday_of(day, days)
    if now is None:
        raise ValueError("must be a day of a public holiday, or of the days off around one")
    middle = now.first - timedelta(days=365)
    near = (middle + timedelta(days=step * sign) for step in range(FURTHEST_DAYS) for sign in (1, -1))
    found = next((holiday for at in near if days(at) == "holiday" and (holiday := holiday_of(at, days))), None)
    return Spans(now, found or _moved(now, now.after - now.first))


def holiday_of(day: date, days: Kinds) -> Period | None:
    """Return the run of days off that a day lies in, if a public holiday is among them."""
    if days(day) == "work":
        return None
    one = timedelta(days=1)
    first, after = day, day + one
    while days(first - one) != "work":
        first -= one
    while days(after) != "work":
        after += one
    if all(days(first + one * n) != "holiday" for n in range((after - first).days)):
        return None
    return Period(first.isoformat(), first, after)


def last_over(kind: ReportKind, now: datetime, zone: ZoneInfo, settled: timedelta, days: Kinds) -> str:
    """Return the last period of a kind that is over, `settled` after its end."""
    last = (now - settled).astimezone(zone).date() - timedelta(days=1)
    if kind == "daily":
        return last.isoformat()
    if kind == "holiday":
        return _last_holiday(last, days)
    of_last = {
        "weekly": f"{last.isocalendar().year}-W{last.isocalendar().week:02}", "monthly": f"{last:%Y-%m}",
        "yearly": f"{last:%Y}",
    }[kind]  # fmt: skip
    period = period_of(of_last)
    return of_last if period.after <= last + timedelta(days=1) else before(period).name


def _last_holiday(last: date, days: Kinds) -> str:
    for back in _back(last):
        holiday = holiday_of(back, days)
        if holiday and holiday.after <= last + timedelta(days=1):
            return holiday.name
    return ""


def _back(day: date) -> Iterator[date]:
    return (day - timedelta(days=n) for n in range(366))
