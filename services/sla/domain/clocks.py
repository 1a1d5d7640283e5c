"""One clock: how it starts, stands still, follows the class, warns, breaches and ends."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
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
    Moved,
)
from libs.common.contracts.vocabulary import ClockName
from services.sla.calendar import Calendar
from services.sla.domain.facts import Facts, Stop
from services.sla.domain.policy import Book, Mark, Policy, Terms
from services.sla.domain.times import Clock, NotPossibleError

CLOCKS: tuple[ClockName, ...] = ("response", "completion")
LATE = timedelta(seconds=5)
"""A threshold that takes effect later than this after its time is marked late."""


Step = tuple[Clock, list[Event]]


def next_due(clocks: Iterable[Clock], book: Book) -> datetime | None:
    """Return when `decide` must be asked again if no fact comes: the next mark, or the end of a pause."""
    times = [time for clock in clocks if (time := _next(clock, book))]
    return min(times, default=None)


def _next(clock: Clock, book: Book) -> datetime | None:
    marks = book.marks[clock.name]
    if clock.state == "paused":
        return clock.paused_until
    if clock.state != "running" or clock.fired == len(marks):
        return None
    return clock.reaches(marks[clock.fired], book.calendar)


def pause(clock: Clock, ground: str, until: datetime | None, book: Book, now: datetime) -> Step:
    """Stand a running clock still on a listed ground, so long and so often at the most as the ground has it."""
    if clock.state != "running":
        raise NotPossibleError(f"the {clock.name} clock is {clock.state}, only a running one can be paused")
    allowed = book.at(now).grounds[ground]
    if sum(stood.ground == ground for stood in clock.pauses) >= allowed.times:
        raise NotPossibleError(f"the {clock.name} clock stood still on this ground {allowed.times} times already")
    latest = now + allowed.longest
    until = min(until, latest) if until else latest
    if until <= now:
        raise NotPossibleError("until: must lie in the future")
    clock = replace(clock, state="paused", paused_at=now, paused_until=until, ground=ground)
    return clock, [ClockPaused(**told(clock), ground=ground, until=until)]


def resume(clock: Clock, book: Book, now: datetime) -> Step:
    """Let a paused clock run on; what it had left when it was paused, it still has."""
    if clock.state != "paused":
        raise NotPossibleError(f"the {clock.name} clock is {clock.state}, only a paused one can be resumed")
    running = clock.stood_still(now, book.calendar)
    return running, [ClockResumed(**told(running), previous_due_at=clock.due_at)]


def missing(ticket_id: UUID, facts: Facts, clocks: Sequence[Clock], book: Book) -> list[Step]:
    """Start the clocks that should exist: the first round at receipt, a later one when feedback reopened the ticket.

    A first round that ended in a link or an answer left no work to time, unless it was timed already. What was reopened
    for our own error goes on where the clocks of the round before were cut short.
    """
    receipt, again = facts.receipt, facts.reopened
    if receipt is None or facts.end or facts.in_doubt:
        return []
    starts = {} if again and facts.broken_off else {1: facts.start}
    if again:
        starts[again.round] = again.at or facts.start
    cut_short = [clock for clock in clocks if clock.state != "met"] if again and not again.at else []
    return [
        _start(_last(cut_short, name) or _new(ticket_id, name, round_, at, facts, book), round_)
        for round_, at in starts.items()
        if at and not any(clock.round == round_ for clock in clocks)
        for name in CLOCKS
    ]


def _last(clocks: Sequence[Clock], name: ClockName) -> Clock | None:
    return next((clock for clock in reversed(clocks) if clock.name == name), None)


def _new(ticket_id: UUID, name: ClockName, round_: int, at: datetime, facts: Facts, book: Book) -> Clock:
    policy = book.at(at)
    terms, hangs_on = _held_to(name, round_, at, facts, policy, book)
    clock = Clock(
        ticket_id, round_, name, "running", facts.urgency, policy.version, at, int(terms.limit.total_seconds()),
        due_at=at, count=terms.kind, calendar=hangs_on,
    )  # fmt: skip
    return clock.timed(book.calendar)


def _held_to(
    name: ClockName, round_: int, start: datetime, facts: Facts, policy: Policy, book: Book
) -> tuple[Terms, str]:
    """Return what a clock is held to (of a limit and its caps what is due first), and the calendar that hangs on."""
    terms = policy.terms(name, facts.matter)
    if facts.reopened and round_ == facts.reopened.round:
        share = policy.share(facts.reopened.reason)
        terms = tuple(Terms(share * limit, count) for limit, count in terms) if share != 1 else terms
    hangs_on = book.calendar.version if any(count == "working" for _, count in terms) else ""
    return min(terms, key=lambda one: book.calendar.due(start, *one)) if len(terms) > 1 else terms[0], hangs_on


def _start(clock: Clock, round_: int) -> Step:
    state = "running" if clock.state == "stopped" else clock.state
    if (clock.round, clock.state) != (round_, state):
        clock = replace(clock, round=round_, state=state)
    return clock, [ClockStarted(**told(clock))]


def walk(clock: Clock, facts: Facts, book: Book, now: datetime) -> Step:
    """Bring a clock to where the facts and the time say it must be."""
    events: list[Event] = []
    for step in (_run_on, _hold_unit, _reclass, _wake, _end, _fire):
        clock, said = step(clock, facts, book, now)
        events += said
    return clock, events


def _run_on(clock: Clock, facts: Facts, _: Book, __: datetime) -> Step:
    """Let a stopped clock run on as if it never stood, once what stopped it is void: it was not the citizen's error."""
    if clock.state != "stopped" or facts.in_doubt or _fallen(clock, facts):
        return clock, []
    clock = replace(clock, state="running")
    return clock, [ClockStarted(**told(clock))]


def _hold_unit(clock: Clock, facts: Facts, _: Book, __: datetime) -> Step:
    """Keep with the clock whom to remind, and of what; both may change while it runs."""
    if clock.open and (clock.category, clock.code) != (facts.category, facts.code):
        clock = replace(clock, category=facts.category, code=facts.code)
    if clock.open and facts.unit and facts.unit.code != clock.unit_code:
        clock = replace(clock, unit_code=facts.unit.code, unit_name=facts.unit.name)
    return clock, []


def _reclass(clock: Clock, facts: Facts, book: Book, now: datetime) -> Step:
    """Follow the class, the links and the calendar: what was paused and what was granted is kept."""
    if not clock.open:
        return clock, []
    start = (facts.start if clock.round == 1 else None) or clock.started_at
    policy = book.named(clock.policy, clock.started_at)
    terms, hangs_on = _held_to(clock.name, clock.round, start, facts, policy, book)
    limit = int(terms.limit.total_seconds())
    wanted = (facts.urgency, limit, terms.kind, start, hangs_on)
    if (clock.urgency, clock.limit_seconds, clock.count, clock.started_at, clock.calendar) == wanted:
        return clock, []
    extended = clock.extended_seconds
    if terms.kind != clock.count:
        extended = round(extended * _worth(policy, clock.count, terms.kind))
    changed = replace(
        clock, urgency=facts.urgency, limit_seconds=limit, count=terms.kind, started_at=start, calendar=hangs_on,
        policy=policy.version, extended_seconds=extended,
    )  # fmt: skip
    changed = _refired(changed.timed(book.calendar), book, now)
    if told(changed) == told(clock):
        return changed, []
    return changed, [ClockStarted(**told(changed), previous_due_at=clock.due_at, moved_by=_why(clock, changed))]


def _why(before: Clock, after: Clock) -> Moved:
    if before.started_at != after.started_at:
        return "link"
    recounted = before.calendar and after.calendar and before.calendar != after.calendar
    return "calendar" if recounted and before.urgency == after.urgency else "class"


def _worth(policy: Policy, before: str, now: str) -> float:
    """Return what a second of an extension is in the other time: a day that was granted stays a day."""
    a_day = {"natural": timedelta(days=1), "working": policy.day}
    return a_day[now] / a_day[before]


def _refired(clock: Clock, book: Book, now: datetime) -> Clock:
    """Let marks that now lie in the future again fire again; those that lie in the past fire with the next look."""
    if not clock.fired:
        return clock
    used = clock.paused_at or now
    reached = sum(clock.reaches(mark, book.calendar) <= used for mark in book.marks[clock.name])
    fired = min(clock.fired, reached)
    return replace(clock, fired=fired, light=book.light(clock.name, fired))


def extend(clock: Clock, seconds: int, book: Book, now: datetime) -> Clock:
    """Return an open clock with more time; what it has been granted before stays."""
    longer = replace(clock, extended_seconds=clock.extended_seconds + seconds)
    return _refired(longer.timed(book.calendar), book, now)


def _wake(clock: Clock, _: Facts, book: Book, now: datetime) -> Step:
    """End a pause that reached its limit, at that limit."""
    if clock.state == "paused" and clock.paused_until and clock.paused_until <= now:
        return resume(clock, book, clock.paused_until)
    return clock, []


def _end(clock: Clock, facts: Facts, book: Book, now: datetime) -> Step:
    """End a clock whose purpose was met, or fell away; also one that was stopped before it was heard that it was met.

    For an open one a later round's deed counts too, should the word of its own round have been lost: no clock runs for
    work that was done.
    """
    if clock.state == "met":
        return clock, []
    done = facts.contacted if clock.name == "response" else facts.resolved
    if done and (done.round == clock.round or (clock.open and done.round > clock.round)):
        return _meet(clock, done.at, book)
    reason = _fallen(clock, facts)
    return _stop(clock, reason, book, now) if clock.open and reason else (clock, [])


def _fallen(clock: Clock, facts: Facts) -> Stop | None:
    """Return why there is nothing left to time: the ticket ended, or this round of it did without a unit's word.

    A unit that resolves without contact leaves the response unmet. What feedback closed is over though the unit's word
    never came; it is met after all if that word comes later.
    """
    if facts.end:
        return facts.end
    if facts.broken_off and clock.round < facts.round:
        return facts.broken_off
    unmet = clock.name == "response" and facts.resolved is not None and facts.resolved.round >= clock.round
    if unmet:
        return "uncontacted"
    return facts.closed_as if facts.closed is not None and facts.closed >= clock.round else None


def _meet(clock: Clock, at: datetime, book: Book) -> Step:
    if clock.paused_at and clock.paused_at < at:
        clock = clock.stood_still(at, book.calendar)
    clock = replace(clock, state="met", met_at=at, paused_at=None, paused_until=None, ground=None)
    return clock, [ClockMet(**told(clock), met_at=at, in_time=at <= clock.due_at, unit=clock.unit)]


def _stop(clock: Clock, reason: Stop, book: Book, now: datetime) -> Step:
    if clock.state == "paused":
        clock = clock.stood_still(now, book.calendar)
    clock = replace(clock, state="stopped")
    return clock, [ClockStopped(**told(clock), reason=reason)]


def _fire(clock: Clock, _: Facts, book: Book, now: datetime) -> Step:
    """Let every mark that was reached take effect, once."""
    marks, calendar = book.marks[clock.name], book.calendar
    if clock.state != "running":
        return clock, []
    reached = clock.fired
    while reached < len(marks) and clock.reaches(marks[reached], calendar) <= now:
        reached += 1
    if reached == clock.fired:
        return clock, []
    events = [event for mark in marks[clock.fired : reached] for event in _effect(clock, mark, calendar, now)]
    return replace(clock, fired=reached, light=book.light(clock.name, reached)), events


def _effect(clock: Clock, mark: Mark, calendar: Calendar, now: datetime) -> list[Event]:
    late = now - clock.reaches(mark, calendar) > LATE
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
        "provisional": clock.provisional,
    }
