"""One clock: how it starts, stands still, follows the class, warns, breaches and ends."""

from collections.abc import Iterable, Sequence
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
from services.sla.domain.facts import Facts, Stop
from services.sla.domain.policy import Mark, Policy

State = Literal["running", "paused", "met", "stopped"]
PauseGround = Literal["citizen_unreachable", "citizen_asked", "weather", "legal_procedure", "force_majeure"]
CLOCKS: tuple[ClockName, ...] = ("response", "completion")
LATE = timedelta(seconds=5)
"""A threshold that takes effect later than this after its time is marked late."""


class NotPossibleError(Exception):
    """A command that the state of the ticket's clocks does not allow; its text says why."""


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
    marks = policy.marks[clock.name]
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


def missing(ticket_id: UUID, facts: Facts, clocks: Sequence[Clock], policy: Policy) -> list[Step]:
    """Start the clocks that should exist: the first round at receipt, a later one when feedback reopened the ticket.

    A first round that ended in a link or an answer left no work to time, unless it was timed already. What was reopened
    for our own error goes on where the clocks of the round before were cut short.
    """
    receipt, again = facts.receipt, facts.reopened
    if receipt is None or facts.end:
        return []
    starts = {} if again and facts.broken_off else {1: receipt.at}
    if again:
        starts[again.round] = again.at or receipt.at
    cut_short = [clock for clock in clocks if clock.state != "met"] if again and not again.at else []
    return [
        _start(_last(cut_short, name) or _new(ticket_id, name, at, facts, policy), round_)
        for round_, at in starts.items()
        if not any(clock.round == round_ for clock in clocks)
        for name in CLOCKS
    ]


def _last(clocks: Sequence[Clock], name: ClockName) -> Clock | None:
    return next((clock for clock in reversed(clocks) if clock.name == name), None)


def _new(ticket_id: UUID, name: ClockName, at: datetime, facts: Facts, policy: Policy) -> Clock:
    limit = policy.limit(name, facts.urgency, facts.elderly)
    return Clock(
        ticket_id, 1, name, "running", facts.urgency, policy.version, at, int(limit.total_seconds()), at + limit
    )


def _start(clock: Clock, round_: int) -> Step:
    clock = replace(clock, round=round_, state="running" if clock.state == "stopped" else clock.state)
    return clock, [ClockStarted(**told(clock))]


def walk(clock: Clock, facts: Facts, policy: Policy, now: datetime) -> Step:
    """Bring a clock to where the facts and the time say it must be."""
    events: list[Event] = []
    for step in (_run_on, _hold_unit, _reclass, _wake, _end, _fire):
        clock, said = step(clock, facts, policy, now)
        events += said
    return clock, events


def _run_on(clock: Clock, facts: Facts, _: Policy, __: datetime) -> Step:
    """Let a stopped clock run on as if it never stood, once what stopped it is void: it was not the citizen's error."""
    if clock.state != "stopped" or _fallen(clock, facts):
        return clock, []
    clock = replace(clock, state="running")
    return clock, [ClockStarted(**told(clock))]


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
    reached = sum(changed.reaches(mark) <= used for mark in policy.marks[clock.name])
    fired = min(clock.fired, reached)
    changed = replace(changed, fired=fired, light=policy.light(clock.name, fired))
    return changed, [ClockStarted(**told(changed), previous_due_at=clock.due_at)]


def _wake(clock: Clock, _: Facts, __: Policy, now: datetime) -> Step:
    """End a pause that reached its limit, at that limit."""
    if clock.state == "paused" and clock.paused_until and clock.paused_until <= now:
        return resume(clock, clock.paused_until)
    return clock, []


def _end(clock: Clock, facts: Facts, _: Policy, now: datetime) -> Step:
    """End a clock whose purpose was met, or fell away; also one that was stopped before it was heard that it was met.

    For an open one a later round's deed counts too, should the word of its own round have been lost: no clock runs for
    work that was done.
    """
    if clock.state == "met":
        return clock, []
    done = facts.contacted if clock.name == "response" else facts.resolved
    if done and (done.round == clock.round or (clock.open and done.round > clock.round)):
        return _meet(clock, done.at)
    reason = _fallen(clock, facts)
    return _stop(clock, reason, now) if clock.open and reason else (clock, [])


def _fallen(clock: Clock, facts: Facts) -> Stop | None:
    """Return why there is nothing left to time: the ticket ended, or this round of it did without a unit's word.

    A unit that resolves without contact leaves the response unmet.
    """
    if facts.end:
        return facts.end
    if facts.broken_off and clock.round < facts.round:
        return facts.broken_off
    unmet = clock.name == "response" and facts.resolved is not None and facts.resolved.round >= clock.round
    return "uncontacted" if unmet else None


def _meet(clock: Clock, at: datetime) -> Step:
    stood = max(at - clock.paused_at, timedelta()) if clock.paused_at else timedelta()
    clock = replace(clock, state="met", met_at=at, due_at=clock.due_at + stood, paused_at=None, paused_until=None)
    return clock, [ClockMet(**told(clock), met_at=at, in_time=at <= clock.due_at, unit=clock.unit)]


def _stop(clock: Clock, reason: Stop, now: datetime) -> Step:
    if clock.state == "paused":
        clock, _ = resume(clock, now)
    clock = replace(clock, state="stopped")
    return clock, [ClockStopped(**told(clock), reason=reason)]


def _fire(clock: Clock, _: Facts, policy: Policy, now: datetime) -> Step:
    """Let every mark that was reached take effect, once."""
    marks = policy.marks[clock.name]
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
