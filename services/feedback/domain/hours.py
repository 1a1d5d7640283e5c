"""When a reporter is phoned: by day, at another part of it each time, and the elderly not while they rest."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from typing import Literal
from zoneinfo import ZoneInfo

from libs.common.city.callbacks import Callbacks, PartOfDay

TryOutcome = Literal["no_answer", "busy", "refused", "wrong_number", "reached", "call_back"]
"""How a call ended that brought no answer. `reached`: they had no time; `call_back`: they said when they have."""


@dataclass(frozen=True, slots=True)
class Try:
    """One call of a seat. `again_at` is when the citizen asked to be called back."""

    at: datetime
    outcome: TryOutcome
    by: str | None = None
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a city in which people are phoned."""

    callbacks: Callbacks
    timezone: ZoneInfo

    def part(self, at: datetime) -> str | None:
        """Return the part of the day a moment lies in, None when it is quiet."""
        local = at.astimezone(self.timezone).time()
        return next((part.code for part in self.callbacks.parts if part.begins <= local < part.ends), None)

    def due(self, asked: datetime, tries: Sequence[Try], *, elderly: bool) -> datetime:
        """Return when to phone next: when they asked for, else in a part of the day that was not tried yet."""
        if not tries:
            return self._next(asked, elderly, ())
        last = tries[-1]
        if last.again_at:
            return last.again_at
        if last.outcome == "busy":
            return self._next(last.at + self.callbacks.busy_again, elderly, ())
        tried = {self.part(call.at) for call in tries if call.outcome != "busy"}
        open_ = {part.code for part in self._parts(elderly)}
        if open_ - tried:
            return self._next(last.at, elderly, tried)
        # Every part was tried: any but the last one, or that one tomorrow where there is no other.
        others = self._next(last.at, elderly, {self.part(last.at)}) if len(open_) > 1 else None
        return others or self._next(self._end(last.at), elderly, ())

    def _parts(self, elderly: bool) -> tuple[PartOfDay, ...]:
        return tuple(part for part in self.callbacks.parts if part.elderly or not elderly)

    def _next(self, after: datetime, elderly: bool, but: Collection[str | None]) -> datetime:
        """Return the first moment from `after` on in one of the open parts, but these."""
        open_ = [part for part in self._parts(elderly) if part.code not in but]
        spans = ((self._at(day, p), self._at(day, p, end=True)) for day in _days(self._day(after)) for p in open_)
        return next(max(begins, after) for begins, ends in spans if ends > after)

    def _end(self, at: datetime) -> datetime:
        """Return the end of the part of the day a moment lies in, itself if it lies in none."""
        part = next((part for part in self.callbacks.parts if part.code == self.part(at)), None)
        return self._at(self._day(at), part, end=True) if part else at

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.timezone).date()

    def _at(self, day: date, part: PartOfDay, *, end: bool = False) -> datetime:
        return datetime.combine(day, part.ends if end else part.begins, self.timezone)


def _days(first: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in count())
