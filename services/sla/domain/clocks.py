"""One clock: how it starts, stands still, follows the class, warns, breaches and ends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from libs.common.contracts.envelope import Event
from libs.common.contracts.sla import (
    ClockBreached,
    ClockMet,
    ClockPaused,
    ClockResumed,
    ClockStarted,
    ClockStopped,
    ClockWarned,
)
from libs.common.contracts.vocabulary import ClockName, Light, UnitRef, Urgency
from services.sla.domain.facts import Facts

State = Literal["running", "paused", "met", "stopped"]
PauseGround = Literal["citizen_unreachable", "citizen_asked", "weather", "legal_procedure", "force_majeure"]
CLOCKS: tuple[ClockName, ...] = ("response", "completion")
LATE = timedelta(seconds=5)
"""A threshold that takes effect later than this after its time is marked late."""


class NotPossibleError(Exception):
    """A command that the state of the ticket's clocks does not allow; its text says why."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What happens when this fraction of a clock's time is used up."""

    at: float
    kind: Literal["warn", "light", "supervise"]
    grade: int = 0
    light: Light = "green"


@dataclass(frozen=True, slots=True)
class Policy:
    """One dated set of limits. Response is the first contact with the citizen, completion the unit's word.

    Source of the defaults: Beijing's draft local standard of 2021 for completion; see the city pack.
    """

    version: str
    response: Mapping[Urgency, timedelta]
    completion: Mapping[Urgency, timedelta]
    elderly_response: timedelta
    marks: tuple[Mark, ...]
    longest_pause: timedelta

    def limit(self, name: ClockName, urgency: Urgency, elderly: bool) -> timedelta:
        """Return how long a clock of this kind may run."""
        if name == "completion":
            return self.completion[urgency]
        return min(self.response[urgency], self.elderly_response) if elderly else self.response[urgency]

    def marks_of(self, name: ClockName) -> tuple[Mark, ...]:
        """Return a clock's marks in order of time. Only overdue completion comes under supervision."""
        return tuple(mark for mark in self.marks if name == "completion" or mark.kind != "supervise")

    def light(self, name: ClockName, fired: int) -> Light:
        """Return the light after this many marks took effect."""
        return next((mark.light for mark in self.marks_of(name)[:fired][::-1] if mark.kind == "light"), "green")


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of one round. `fired` counts the marks that took effect."""

    ticket_id: UUID
    round: int
    name: ClockName
    state: State
    urgency: Urgency
    policy: str
    started_at: datetime
    limit_seconds: int
    due_at: datetime
    paused_seconds: int = 0
    paused_at: datetime | None = None
    paused_until: datetime | None = None
    ground: str | None = None
    fired: int = 0
    light: Light = "green"
    met_at: datetime | None = None
    unit_code: str | None = None
    unit_name: str | None = None

    @property
    def open(self) -> bool:
        """Whether the clock can still be missed."""
        return self.state in {"running", "paused"}

    @property
    def unit(self) -> UnitRef | None:
        """Who is held to it."""
        return UnitRef(code=self.unit_code, name=self.unit_name or "") if self.unit_code else None

    def reaches(self, mark: Mark) -> datetime:
        """Return when a mark takes effect, if no pause comes between."""
        used = timedelta(seconds=mark.at * self.limit_seconds)
        return self.started_at + timedelta(seconds=self.paused_seconds) + used


Step = tuple[Clock, list[Event]]


def next_due(clocks: Iterable[Clock], policy: Policy) -> datetime | None:
    """Return when `decide` must be asked again if no fact comes: the next mark, or the end of a pause."""
    times = [time for clock in clocks if (time := _next(clock, policy))]
    return min(times, default=None)


def _next(clock: Clock, policy: Policy) -> datetime | None:
    marks = policy.marks_of(clock.name)
    if clock.state == "paused":
        return clock.paused_until
    return clock.reaches(marks[clock.fired]) if clock.state == "running" and clock.fired < len(marks) else None


def pause(clock: Clock, ground: PauseGround, until: datetime | None, policy: Policy, now: datetime) -> Step:
    """Stand a running clock still on a listed ground, at most for the policy's longest pause."""
    if clock.state != "running":
        raise NotPossibleError(f"the {clock.name} clock is {clock.state}, only a running one can be paused")
    latest = now + policy.longest_pause
    until = min(until, latest) if until else latest
    if until <= now:
        raise NotPossibleError("until: must lie in the future")
    clock = replace(clock, state="paused", paused_at=now, paused_until=until, ground=ground)
    return clock, [ClockPaused(**told(clock), ground=ground, until=until)]


def resume(clock: Clock, now: datetime) -> Step:
    """Let a paused clock run on; the pause is added to its due time."""
    if clock.state != "paused" or clock.paused_at is None:
        raise NotPossibleError(f"the {clock.name} clock is {clock.state}, only a paused one can be resumed")
    stood = now - clock.paused_at
    before = clock.due_at
    clock = replace(
        clock, state="running", due_at=before + stood, paused_at=None, paused_until=None, ground=None,
        paused_seconds=clock.paused_seconds + round(stood.total_seconds()),
    )  # fmt: skip
    return clock, [ClockResumed(**told(clock), previous_due_at=before)]


def missing(ticket_id: UUID, facts: Facts, clocks: list[Clock], policy: Policy) -> list[Step]:
    """Start the clocks that should exist: the first round at receipt, a later one when feedback reopened the ticket."""
    if facts.receipt is None or facts.ended:
        return []
    starts = {1: facts.receipt.at}
    if facts.reopened:
        starts[facts.reopened.round] = facts.reopened.at
    return [
        _start(ticket_id, round_, name, at, facts, policy)
        for round_, at in starts.items()
        if not any(clock.round == round_ for clock in clocks)
        for name in CLOCKS
    ]


def _start(ticket_id: UUID, round_: int, name: ClockName, at: datetime, facts: Facts, policy: Policy) -> Step:
    limit = policy.limit(name, facts.urgency, facts.elderly)
    clock = Clock(
        ticket_id, round_, name, "running", facts.urgency, policy.version, at, int(limit.total_seconds()), at + limit
    )
    return clock, [ClockStarted(**told(clock))]


def walk(clock: Clock, facts: Facts, policy: Policy, now: datetime) -> Step:
    """Bring a clock to where the facts and the time say it must be."""
    events: list[Event] = []
    for step in (_hold_unit, _reclass, _wake, _end, _fire):
        clock, said = step(clock, facts, policy, now)
        events += said
    return clock, events


def _hold_unit(clock: Clock, facts: Facts, _: Policy, __: datetime) -> Step:
    """Keep with the clock whom to remind; the lead may change while it runs."""
    if clock.open and facts.unit and facts.unit.code != clock.unit_code:
        clock = replace(clock, unit_code=facts.unit.code, unit_name=facts.unit.name)
    return clock, []


def _reclass(clock: Clock, facts: Facts, policy: Policy, now: datetime) -> Step:
    """Follow the classification: another limit from the same start, with paused time kept.

    Marks that the new limit puts in the future again will fire again; those it puts in the past fire now.
    """
    limit = int(policy.limit(clock.name, facts.urgency, facts.elderly).total_seconds())
    if not clock.open or (clock.urgency, clock.limit_seconds) == (facts.urgency, limit):
        return clock, []
    due = clock.due_at + timedelta(seconds=limit - clock.limit_seconds)
    changed = replace(clock, urgency=facts.urgency, limit_seconds=limit, due_at=due, policy=policy.version)
    used = clock.paused_at or now
    reached = sum(changed.reaches(mark) <= used for mark in policy.marks_of(clock.name))
    fired = min(clock.fired, reached)
    changed = replace(changed, fired=fired, light=policy.light(clock.name, fired))
    return changed, [ClockStarted(**told(changed), previous_due_at=clock.due_at)]


def _wake(clock: Clock, _: Facts, __: Policy, now: datetime) -> Step:
    """End a pause that reached its limit, at that limit."""
    if clock.state == "paused" and clock.paused_until and clock.paused_until <= now:
        return resume(clock, clock.paused_until)
    return clock, []


def _end(clock: Clock, facts: Facts, _: Policy, __: datetime) -> Step:
    """End a clock whose purpose was met, or fell away. A unit that resolves without contact leaves response unmet."""
    if not clock.open:
        return clock, []
    if facts.ended:
        return _stop(clock, facts.ended)
    done = facts.contacted if clock.name == "response" else facts.resolved
    # A later round's deed too, should the word of this round have been lost: no clock runs for work that was done.
    if done and done.round >= clock.round:
        return _meet(clock, done.at)
    if clock.name == "response" and facts.resolved and facts.resolved.round >= clock.round:
        return _stop(clock, "uncontacted")
    return clock, []


def _meet(clock: Clock, at: datetime) -> Step:
    stood = max(at - clock.paused_at, timedelta()) if clock.paused_at else timedelta()
    clock = replace(clock, state="met", met_at=at, due_at=clock.due_at + stood, paused_at=None, paused_until=None)
    return clock, [ClockMet(**told(clock), met_at=at, in_time=at <= clock.due_at, unit=clock.unit)]


def _stop(clock: Clock, reason: Literal["withdrawn", "linked", "answered", "uncontacted"]) -> Step:
    clock = replace(clock, state="stopped", paused_at=None, paused_until=None)
    return clock, [ClockStopped(**told(clock), reason=reason)]


def _fire(clock: Clock, _: Facts, policy: Policy, now: datetime) -> Step:
    """Let every mark that was reached take effect, once."""
    marks = policy.marks_of(clock.name)
    if clock.state != "running":
        return clock, []
    reached = clock.fired
    while reached < len(marks) and clock.reaches(marks[reached]) <= now:
        reached += 1
    events = [event for mark in marks[clock.fired : reached] for event in _effect(clock, mark, now)]
    return replace(clock, fired=reached, light=policy.light(clock.name, reached)), events


def _effect(clock: Clock, mark: Mark, now: datetime) -> list[Event]:
    late = now - clock.reaches(mark) > LATE
    if mark.kind == "warn":
        return [ClockWarned(**told(clock), grade=mark.grade, unit=clock.unit, late=late)]
    if mark.kind == "light":
        return [ClockBreached(**told(clock), light=mark.light, unit=clock.unit, late=late)]
    return []


def told(clock: Clock) -> dict[str, Any]:
    """Return what every clock event says."""
    return {
        "clock": clock.name,
        "round": clock.round,
        "urgency": clock.urgency,
        "started_at": clock.started_at,
        "due_at": clock.due_at,
        "limit_seconds": clock.limit_seconds,
        "policy": clock.policy,
    }
