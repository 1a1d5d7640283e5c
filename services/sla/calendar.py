"""Time as a city counts it: day and night, or only while its offices are open.

Working time is one function that never falls: how much has been worked up to a moment. What passed between two moments
is its difference; a limit is due when it has grown by that limit. So the two are each other's inverse, and no second is
lost or counted twice, whatever lies between: nights, holidays, a change of the clocks, the turn of a year.

While offices are closed the function stands still. A limit that runs out just as they close is reached during all of
that: cities say whether it is due at its beginning, the closing, or at its end, when they open again.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, count
from typing import Literal
from zoneinfo import ZoneInfo

Kind = Literal["natural", "working"]
RunsOut = Literal["closing", "opening"]
"""When a limit is due that runs out just as offices close."""
Hours = tuple[tuple[time, time], ...]
"""When a day is worked, in order and in local time; none on a day of rest. A span that ends at 00:00 ends the day."""
MIDNIGHT = time(0)
NOTHING = timedelta()
A_DAY = timedelta(days=1)
A_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Year:
    """The spans that are worked in one year, and how much of the year was worked by the end of each."""

    number: int
    opens: Sequence[datetime]
    closes: Sequence[datetime]
    worked_by: Sequence[timedelta]

    @property
    def whole(self) -> timedelta:
        """How much is worked in all of the year."""
        return self.worked_by[-1] if self.worked_by else NOTHING

    def worked(self, moment: datetime) -> timedelta:
        """Return how much of the year was worked up to a moment."""
        span = bisect_right(self.opens, moment) - 1
        return self.worked_by[span] - max(self.closes[span] - moment, NOTHING) if span >= 0 else NOTHING

    def moment(self, worked: timedelta, runs_out: RunsOut) -> datetime | None:
        """Return when so much of the year, more than nothing, was worked; None if that is in a later year."""
        find = bisect_left if runs_out == "closing" else bisect_right
        span = find(self.worked_by, worked)
        return self.closes[span] - (self.worked_by[span] - worked) if span < len(self.closes) else None


class Calendar:
    """The time of one city. `hours` says when a day is worked, `is_known` whether a year's days are more than a guess.

    Holds no state but the years it has laid out; safe to share between threads. `version` changes with what it says.
    """

    def __init__(
        self, zone: ZoneInfo, hours: Callable[[date], Hours], is_known: Callable[[int], bool], version: str,
        runs_out: RunsOut = "closing",
    ) -> None:  # fmt: skip
        self.zone = zone
        self.version = version
        self.hours = hours
        self.is_known = is_known
        self.runs_out = runs_out
        self._years: dict[int, Year] = {}

    def works_on(self, day: date) -> bool:
        """Whether a day is worked at all."""
        return bool(self.hours(day))

    def due(self, start: datetime, limit: timedelta, kind: Kind) -> datetime:
        """Return when the limit has passed since the start."""
        if kind == "natural" or not limit:
            return start + limit
        year = self._year_of(start)
        wanted = year.worked(start) + limit
        while (due := year.moment(wanted, self.runs_out)) is None:
            wanted -= year.whole
            year = self._year(year.number + 1)
        return due

    def elapsed(self, start: datetime, end: datetime, kind: Kind) -> timedelta:
        """Return how much time passed from the start to an end that is not before it."""
        if kind == "natural":
            return end - start
        first, last = self._year_of(start), self._year_of(end)
        between = sum((self._year(number).whole for number in range(first.number, last.number)), NOTHING)
        return between + last.worked(end) - first.worked(start)

    def is_provisional(self, due: datetime, kind: Kind) -> bool:
        """Whether a due time hangs on the days of a year that nobody has named yet."""
        return kind == "working" and not self.is_known(self._local_year(due))

    def _year_of(self, moment: datetime) -> Year:
        return self._year(self._local_year(moment))

    def _local_year(self, moment: datetime) -> int:
        return moment.astimezone(self.zone).year

    def _year(self, number: int) -> Year:
        if number not in self._years:
            self._years[number] = self._laid_out(number)
        return self._years[number]

    def _laid_out(self, number: int) -> Year:
        spans = list(self._spans(number))
        worked_by = list(accumulate(closes - opens for opens, closes in spans))
        return Year(number, [opens for opens, _ in spans], [closes for _, closes in spans], worked_by)

    def _spans(self, number: int) -> Iterator[tuple[datetime, datetime]]:
        day = date(number, 1, 1)
        while day.year == number:
            for opens, closes in self.hours(day):
                until = day + A_DAY if closes == MIDNIGHT else day
                yield self._instant(day, opens), self._instant(until, closes)
            day += A_DAY

    def _instant(self, day: date, at: time) -> datetime:
        """Return when a clock on the wall shows this: in UTC, where an hour is an hour also when clocks are changed.

        The first time, where it shows it twice; where it never does, the moment at which clocks go forward over it.
        """
        wall = datetime.combine(day, at, self.zone)
        shown = (instant := wall.astimezone(UTC)).astimezone(self.zone)
        skipped = shown.replace(tzinfo=None) - wall.replace(tzinfo=None)
        if not skipped:
            return instant
        minutes = (instant - skipped + number * A_MINUTE for number in count())
        return next(minute for minute in minutes if minute.astimezone(self.zone).utcoffset() == shown.utcoffset())
