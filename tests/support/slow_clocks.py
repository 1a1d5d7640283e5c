"""Clocks the slow way, from what happened to a ticket alone: to hold the real ones against.

Working time is a tally of every minute of the years in question, each looked up on the wall. Days of rest and made-up
days of work are written down here, as the State Council named them; nothing of sla or of a calendar library is used.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")
DAY_OF_WORK = 9 * 3600
FIRST, LAST = datetime(2024, 12, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)
OFF = (
    ("2025-01-01", 1), ("2025-01-28", 8), ("2025-04-04", 3), ("2025-05-01", 5), ("2025-05-31", 3), ("2025-10-01", 8),
    ("2026-01-01", 3), ("2026-02-15", 9), ("2026-04-04", 3), ("2026-05-01", 5), ("2026-06-19", 3), ("2026-09-25", 3),
    ("2026-10-01", 7),
    # Not named yet: the festivals by the calendar, as far as this reaches.
    ("2027-01-01", 1), ("2027-02-05", 4),
)  # fmt: skip
"""The first day of each holiday, and how many days it is."""
MADE_UP = {
    date.fromisoformat(day)
    for day in (
        "2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11",
        "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
    )
}  # fmt: skip
HOLIDAYS = {date.fromisoformat(first) + timedelta(days=n) for first, days in OFF for n in range(days)}
MARKS = ((0.5, "warned 1"), (0.8, "warned 2"), (0.95, "warned 3"), (1.0, "yellow"), (1.5, "red"))


def office(closed: frozenset[date] = frozenset()) -> Callable[[datetime], bool]:
    """Return what says by a clock on the wall whether Beijing's offices are open: from 9 to 18, on days of work."""

    def is_open(wall: datetime) -> bool:
        day = wall.date()
        works = day in MADE_UP or (day.isoweekday() < 6 and day not in HOLIDAYS)
        return works and day not in closed and 9 <= wall.hour < 18

    return is_open


class SlowTime:
    """Whole seconds of natural or working time between two moments, and when so many have passed."""

    def __init__(self, is_open: Callable[[datetime], bool]) -> None:
        minutes = int((LAST - FIRST) / timedelta(minutes=1))
        walls = (datetime.fromtimestamp(FIRST.timestamp() + 60 * minute, BEIJING) for minute in range(minutes))
        self._worked = [0, *accumulate(60 * is_open(wall) for wall in walls)]

    def passed(self, start: datetime, end: datetime, kind: str) -> int:
        """Return the seconds from a moment to a later one."""
        if kind == "natural":
            return int((end - start).total_seconds())
        return self._until(end) - self._until(start)

    def reached(self, start: datetime, seconds: int, kind: str) -> datetime:
        """Return the first moment at which so many seconds have passed."""
        if kind == "natural" or not seconds:
            return start + timedelta(seconds=seconds)
        wanted = self._until(start) + seconds
        minute = bisect_left(self._worked, wanted)
        return FIRST + timedelta(minutes=minute, seconds=wanted - self._worked[minute])

    def _until(self, moment: datetime) -> int:
        minute, seconds = divmod(int((moment - FIRST).total_seconds()), 60)
        worked = self._worked[minute + 1] - self._worked[minute]
        return self._worked[minute] + min(seconds, worked)


@dataclass(slots=True)
class SlowClock:
    """One clock: when it began, what it may take, when it stood still; `fired` marks have taken effect."""

    name: str
    round: int
    start: datetime
    urgency: str
    seconds: int
    kind: str
    more: list[int] = field(default_factory=list)
    pauses: list[tuple[datetime, datetime]] = field(default_factory=list)
    paused: tuple[datetime, datetime] | None = None
    fired: int = 0
    ended: str = ""

    @property
    def total(self) -> int:
        """The seconds it may run, with those that were granted."""
        return self.seconds + sum(seconds * DAY_OF_WORK // 86_400 if self.kind == "working" else seconds
                                  for seconds in self.more)  # fmt: skip

    def at(self, share: float, time: SlowTime) -> datetime:
        """Return when this share of its time is used up."""
        left, since = round(share * self.total), self.start
        for begins, ends in self.pauses:
            ran = time.passed(since, begins, self.kind)
            if left <= ran:
                break
            left, since = left - ran, ends
        return time.reached(since, left, self.kind)

    def due(self, time: SlowTime) -> datetime:
        """Return when it is due."""
        return self.at(1.0, time)

    def marks(self, since: datetime, until: datetime, time: SlowTime) -> Iterator[tuple[datetime, str]]:
        """Yield the marks that take effect now or until a time: those that lie in the past at once."""
        while not (self.ended or self.paused) and self.fired < len(MARKS):
            share, name = MARKS[self.fired]
            reached = max(since, self.at(share, time))
            if reached > until:
                return
            self.fired += 1
            yield reached, name

    def forget(self, now: datetime, time: SlowTime) -> None:
        """Let marks take effect again that lie in the future once more."""
        used = self.paused[0] if self.paused else now
        self.fired = min(self.fired, sum(self.at(share, time) <= used for share, _ in MARKS))
