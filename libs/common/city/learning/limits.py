"""How long a city gives itself for each kind of matter, found in the targets that its records name."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count, islice
from typing import Literal
from zoneinfo import ZoneInfo

from libs.common.city.days import kinds_of
from libs.common.city.learning.history import Case
from libs.common.city.settings import Calendar

ENOUGH = 5
"""Targets from which a limit is told."""
LONGEST_WORKING = 60
"""Working days beyond which a limit is not a count of working days: half a year, a year."""
REST_SHARE = 0.05
"""Of targets that count natural time two in seven fall on days of rest; of those that count working days hardly any."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A limit: so many days of natural or working time. `share` of `targets` are exactly that."""

    days: float
    count: Literal["natural", "working"]
    share: float
    targets: int

    @property
    def natural(self) -> timedelta:
        """About how long it is: five working days are a week."""
        return timedelta(days=self.days * (7 / 5 if self.count == "working" else 1))


def find_limits(cases: Iterable[Case], office: Calendar, zone: ZoneInfo) -> dict[tuple[str, str, str], Span]:
    """Return the usual limit of each question whose records name targets."""
    spans: dict[tuple[str, str, str], list[tuple[datetime, datetime]]] = defaultdict(list)
    for case in cases:
        if case.due and case.due > case.opened:
            spans[case.category].append((case.opened.astimezone(zone), case.due.astimezone(zone)))
    return {question: _usual(found, office) for question, found in spans.items() if len(found) >= ENOUGH}


def _usual(spans: Sequence[tuple[datetime, datetime]], office: Calendar) -> Span:
    rest = sum(not _is_worked(due.date(), office) for _, due in spans) / len(spans)
    natural, times = Counter(_natural(*span) for span in spans).most_common(1)[0]
    if rest <= REST_SHARE:
        working, often = Counter(working_days(*span, office) for span in spans).most_common(1)[0]
        if 0 < working <= LONGEST_WORKING:
            return Span(float(working), "working", round(often / len(spans), 2), len(spans))
    return Span(natural, "natural", round(times / len(spans), 2), len(spans))


def _natural(opened: datetime, due: datetime) -> float:
    """Return the days between, to the hour below a day and to the day above it."""
    hours = (due - opened) / timedelta(hours=1)
    return max(1, round(hours)) / 24 if hours < 20 else float(round(hours / 24))


def working_days(opened: datetime, due: datetime, office: Calendar) -> int:
    """Return the working days between. What comes outside of hours begins when the next working day opens."""
    start = opened.date()
    if opened.time() >= office.closes or not _is_worked(start, office):
        start = next(day for day in _days_after(start) if _is_worked(day, office))
    return sum(_is_worked(day, office) for day in islice(_days_after(start), max(0, (due.date() - start).days)))


def _days_after(day: date) -> Iterator[date]:
    return (day + _DAY * number for number in count(1))


def _is_worked(day: date, office: Calendar) -> bool:
    kind, _ = kinds_of(office.holidays)
    return day.isoweekday() in office.weekdays and kind(day) != "holiday"


def class_limits(spans: Mapping[tuple[str, str, str], Span]) -> dict[str, timedelta]:
    """Return the usual limit of each class of urgency that questions of such limits fall in."""
    found: dict[str, Counter[timedelta]] = defaultdict(Counter)
    for span in spans.values():
        found[class_of(span)][timedelta(days=max(1, round(span.natural / _DAY)))] += span.targets
    return {name: counts.most_common(1)[0][0] for name, counts in found.items()}


def class_of(span: Span | None) -> Literal["livelihood", "general", "complex"]:
    """Return the class of urgency a limit speaks for; whether there is danger no limit says."""
    if span is None or timedelta(days=2) < span.natural <= timedelta(days=15):
        return "general"
    return "livelihood" if span.natural <= timedelta(days=2) else "complex"
