"""A clock and its time: when it began, when it stood still, and when it reaches a mark."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from libs.common.contracts.vocabulary import ClockName, Light, UnitRef, Urgency
from services.sla.calendar import Calendar, Kind
from services.sla.domain.policy import Mark

State = Literal["running", "paused", "met", "stopped"]


class NotPossibleError(Exception):
    """A command that the state of the ticket's clocks does not allow; its text says why."""


@dataclass(frozen=True, slots=True)
class Stood:
    """A pause that is over. Of one by a listed ground `ground` names it."""

    from_at: datetime
    until: datetime
    ground: str | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of one round. `fired` counts the marks that took effect.

    `limit_seconds` and `extended_seconds` are of the time it counts, natural or working. `pauses` are those that are
    over, in order. `calendar` is the version of the calendar that its due time was worked out by, if it hangs on one;
    `provisional`: it hangs on the days of a year that are not named yet. `category` is of level 1, `code` the question.
    """

    ticket_id: UUID
    round: int
    name: ClockName
    state: State
    urgency: Urgency
    policy: str
    started_at: datetime
    limit_seconds: int
    due_at: datetime
    count: Kind = "natural"
    extended_seconds: int = 0
    pauses: tuple[Stood, ...] = ()
    calendar: str = ""
    provisional: bool = False
    paused_at: datetime | None = None
    paused_until: datetime | None = None
    ground: str | None = None
    fired: int = 0
    light: Light = "green"
    met_at: datetime | None = None
    unit_code: str | None = None
    unit_name: str | None = None
    category: str = ""
    code: str = ""

    @property
    def open(self) -> bool:
        """Whether the clock can still be missed."""
        return self.state in {"running", "paused"}

    @property
    def unit(self) -> UnitRef | None:
        """Who is held to it."""
        return UnitRef(code=self.unit_code, name=self.unit_name or "") if self.unit_code else None

    @property
    def total(self) -> timedelta:
        """How long it may run."""
        return timedelta(seconds=self.limit_seconds + self.extended_seconds)

    def reaches(self, mark: Mark, calendar: Calendar) -> datetime:
        """Return when a mark takes effect, if no pause comes between."""
        return self.moment(mark.at * self.total, calendar)

    def moment(self, ran: timedelta, calendar: Calendar) -> datetime:
        """Return when the clock has run for so long, if no further pause comes between."""
        since = self.started_at
        for pause in self.pauses:
            reached = calendar.due(since, ran, self.count)
            if reached <= pause.from_at:
                return reached
            ran -= calendar.elapsed(since, pause.from_at, self.count)
            since = pause.until
        return calendar.due(since, ran, self.count)

    def timed(self, calendar: Calendar) -> "Clock":
        """Return it with the due time that all of this comes to."""
        due = self.moment(self.total, calendar)
        return replace(self, due_at=due, provisional=calendar.is_provisional(due, self.count))

    def stood_still(self, until: datetime, calendar: Calendar) -> "Clock":
        """Return it as it runs on after a pause."""
        pause = Stood(self.paused_at or until, until, self.ground)
        running = replace(
            self, state="running", paused_at=None, paused_until=None, ground=None, pauses=(*self.pauses, pause)
        )
        return running.timed(calendar)
