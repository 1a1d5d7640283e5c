"""Supervision by rule 督办: cases open, rise, move and end with the facts, and with what nobody did in time.

`follow` may be asked at any time and in any order of facts; it changes only what is not yet as it should be. A level is
never lowered, and a case survives a reopening, for it stands as long as one of its grounds does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from libs.common.contracts.classify import Risk
from libs.common.contracts.envelope import Event
from libs.common.contracts.sla import (
    Evidence,
    SupervisionAbout,
    SupervisionClosed,
    SupervisionGround,
    SupervisionOpened,
    SupervisionOutcome,
    SupervisionRaised,
)
from libs.common.contracts.vocabulary import UnitRef
from services.sla.domain.cases import TOP, Case, CaseStep, Ground, asked, owned, stepped, told
from services.sla.domain.deductions import proposed
from services.sla.domain.facts import Facts
from services.sla.domain.owners import Rules
from services.sla.domain.policy import Book
from services.sla.domain.times import Clock

RISKS: tuple[Risk, ...] = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Hot:
    """A hot event as it was told last. `at` is the unit of the street or district it is in; `round` its flare-up."""

    title: str
    risk: Risk
    round: int
    since: datetime
    place: str | None = None
    district: str | None = None
    first_ticket: UUID | None = None


@dataclass(frozen=True, slots=True)
class HotFacts:
    """What is known of a hot event."""

    hot: Hot | None = None
    cooled: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What calls for supervision of one subject now. `void`: there is nothing left to supervise."""

    subject: UUID
    about: SupervisionAbout
    number: str
    grounds: tuple[Ground, ...] = ()
    unit: UnitRef | None = None
    place: str | None = None
    void: bool = False
    tickets: tuple[UUID, ...] = ()


def seen_of_ticket(
    ticket_id: UUID, facts: Facts, clocks: Sequence[Clock], book: Book, rules: Rules, now: datetime
) -> Seen:
    """Return what the facts and the clocks of a ticket call for."""
    late = [(level, clock) for clock in clocks if clock.open and (level := overdue_level(clock, book))]
    level, clock = max(late, key=lambda pair: (pair[0], pair[1].round), default=(0, None))
    grounds = [*_overdue(level, clock, now), *_reopened(facts, rules, now), *_dispute(facts, rules, now)]
    unit = (clock.unit if clock else None) or facts.unit
    number = facts.receipt.number if facts.receipt else ""
    return Seen(ticket_id, "ticket", number, tuple(grounds), unit, void=facts.end is not None)


def overdue_level(clock: Clock, book: Book) -> int:
    """Return the level of supervision that an open clock's reached marks call for; 0 for none."""
    passed = book.marks[clock.name][: clock.fired]
    return max((mark.grade for mark in passed if mark.kind == "supervise"), default=0)


def _overdue(level: int, clock: Clock | None, now: datetime) -> Iterable[Ground]:
    if clock:
        said = f"clock={clock.name} round={clock.round} limit_seconds={clock.limit_seconds} policy={clock.policy}"
        yield Ground("overdue", level, now, 0, (Evidence(what="clock_due", at=clock.due_at, detail=said),))


def _reopened(facts: Facts, rules: Rules, now: datetime) -> Iterable[Ground]:
    ground = rules.terms.ground("reopened")
    if facts.unsolved and facts.unsolved.round >= facts.round:
        # It is reopened no more, and nobody works on it: only the owner of the case puts an end to this.
        said = Evidence(what="ticket_unsolved", at=facts.unsolved.at, detail=f"round={facts.unsolved.round}")
        yield Ground("reopened", ground.level, now, facts.unsolved.round + 1, (said,))
        return
    closed = facts.closed is not None and facts.closed >= facts.round
    if facts.reopened and ground.round and facts.round >= ground.round and not closed:
        at, detail = facts.reopened.at, f"round={facts.round}"
        fact = (Evidence(what="ticket_reopened", at=at, detail=detail),) if at else ()
        yield Ground("reopened", ground.level, now, facts.round, fact)


def _dispute(facts: Facts, rules: Rules, now: datetime) -> Iterable[Ground]:
    ground, returned = rules.terms.ground("dispute"), facts.returned
    if returned is None or ground.returns is None or returned.returns < ground.returns:
        return
    if facts.ruled is None or facts.ruled < returned.at:
        fact = Evidence(what="ticket_returned", at=returned.at, detail=f"returns={returned.returns}")
        yield Ground("dispute", ground.level, now, returned.returns, (fact,))


def seen_of_hotspot(hotspot_id: UUID, facts: HotFacts, rules: Rules, now: datetime) -> Seen:
    """Return what a hot event calls for. Once it cooled it calls for nothing more."""
    hot, ground = facts.hot, rules.terms.ground("hot_event")
    if hot is None:
        return Seen(hotspot_id, "hotspot", "")
    cooled = facts.cooled is not None and facts.cooled >= hot.round
    grave = ground.risk is not None and RISKS.index(hot.risk) >= RISKS.index(ground.risk)
    fact = Evidence(what="hot_event", at=hot.since, detail=f"risk={hot.risk} round={hot.round}")
    grounds = (Ground("hot_event", ground.level, now, hot.round, (fact,)),) if grave and not cooled else ()
    place = hot.place if hot.place in rules.units else _district(hot.district, rules)
    held = (hot.first_ticket,) if hot.first_ticket else ()
    return Seen(hotspot_id, "hotspot", hot.title, grounds, place=place, tickets=held)


def _district(code: str | None, rules: Rules) -> str | None:
    units = (unit.code for unit in rules.units.values() if unit.kind == "district" and unit.district == code)
    return next(units, None) if code else None


def follow(case: Case | None, seen: Seen, rules: Rules, now: datetime) -> tuple[Case | None, list[Event]]:
    """Bring the case of a subject to where the facts say it must be; None if there never was one."""
    if case is None or not case.open:
        fresh = tuple(ground for ground in seen.grounds if _is_new(ground, case))
        return (case, []) if seen.void or not fresh else opened(case, replace(seen, grounds=fresh), rules, now)
    if seen.void:
        return closed(case, "void", "", now)
    return _brought_up(case, seen, rules, now)


def _is_new(ground: Ground, before: Case | None) -> bool:
    """Whether a ground was never ruled on in a case that ended: what is overdue again always is."""
    return before is None or ground.code == "overdue" or ground.mark > _marks(before).get(ground.code, -1)


def _marks(case: Case) -> dict[SupervisionGround, int]:
    marks = dict(case.past or {})
    for ground in case.grounds:
        marks[ground.code] = max(marks.get(ground.code, -1), ground.mark)
    return marks


def opened(before: Case | None, seen: Seen, rules: Rules, now: datetime) -> CaseStep:
    """Open a case on the grounds seen, with an owner and a limit for the answer from its first moment."""
    level = max(ground.level for ground in seen.grounds)
    owner = rules.owner(level, seen.unit.code if seen.unit else None, seen.place, now)
    case = Case(
        seen.subject, before.turn + 1 if before else 1, seen.about, seen.number, "open", level, seen.grounds,
        seen.unit.code if seen.unit else None, seen.unit.name if seen.unit else None, owner.code, owner.name,
        opened_at=now, raised_at=now, place=seen.place, tickets=seen.tickets, past=_marks(before) if before else None,
    )  # fmt: skip
    case = asked(case, rules, now)
    events: list[Event] = [SupervisionOpened(**told(case, now), answer_due_at=case.answer_due_at)]
    return _levelled(case, events, rules, now)


def taken_up(case: Case | None, ground: Ground, seen: Seen, rules: Rules, now: datetime) -> CaseStep:
    """Put a subject under supervision on a ground that a person gave. Where there is a case, it has a ground more."""
    ground = replace(ground, mark=_marks(case).get(ground.code, 0) + 1 if case else 1)
    if case is None or not case.open:
        return opened(case, replace(seen, grounds=(ground,)), rules, now)
    case = replace(case, grounds=(*case.grounds, ground))
    if ground.level > case.level:
        return raised(case, ground.level, rules, now)
    case = asked(case, rules, now)
    return case, [stepped(case, "noticed", now, note=ground.note, answer_due_at=case.answer_due_at)]


def _levelled(case: Case, events: list[Event], rules: Rules, now: datetime) -> CaseStep:
    """Propose what overdue work at this level costs. What only a person or a hot event raised costs nobody anything."""
    if not any(ground.code == "overdue" for ground in case.standing):
        return case, events
    case, more = proposed(case, "level", rules, now)
    return case, [*events, *more]


def _brought_up(case: Case, seen: Seen, rules: Rules, now: datetime) -> CaseStep:
    grounds, fresh = _stood(case, seen, rules, now)
    case = replace(case, grounds=grounds, number=seen.number or case.number)
    if settled(case):
        return closed(case, "done", "", now)
    case, events = _moved(case, seen.unit, rules, now)
    level = max([case.level, *(ground.level for ground in seen.grounds)])
    if level > case.level:
        case, more = raised(case, level, rules, now)
        return case, [*events, *more]
    if fresh:
        case = asked(case, rules, now)
        events = [*events, stepped(case, "noticed", now, answer_due_at=case.answer_due_at)]
    return case, events


def settled(case: Case) -> bool:
    """Whether a case ends by itself: nothing that it stands on stands any more, and nobody owes anything on it."""
    return case.open and not case.standing and not case.owed


def _stood(case: Case, seen: Seen, rules: Rules, now: datetime) -> tuple[tuple[Ground, ...], bool]:
    """Return the grounds as they stand now, and whether one of them is of a kind that did not stand before."""
    calls = {(ground.code, ground.mark): ground for ground in seen.grounds}
    kept = [_kept(ground, calls.get((ground.code, ground.mark)), rules, now) for ground in case.grounds]
    # What was over once stays so under the same mark, but work may be overdue, in time and overdue again.
    known = {(g.code, g.mark) for g in case.grounds if g.over_at is None or g.code != "overdue"}
    fresh = [ground for key, ground in calls.items() if key not in known]
    before = {ground.code for ground in case.standing}
    return (*kept, *fresh), any(ground.code not in before for ground in fresh)


def _kept(ground: Ground, again: Ground | None, rules: Rules, now: datetime) -> Ground:
    """Return a ground of a case as it stands now: over once what it stands on is, if it ends by itself."""
    if ground.over_at:
        return ground
    if again:
        evidence = tuple(dict.fromkeys((*ground.evidence, *again.evidence)))
        return replace(ground, level=max(ground.level, again.level), evidence=evidence)
    return replace(ground, over_at=now) if rules.terms.ground(ground.code).by_itself else ground


def _moved(case: Case, unit: UnitRef | None, rules: Rules, now: datetime) -> CaseStep:
    """Follow the lead: another unit is supervised now, and asked to answer."""
    if unit is None or unit.code == case.unit_code:
        return case, []
    case = replace(case, unit_code=unit.code, unit_name=unit.name)
    case = asked(owned(case, rules, now), rules, now)
    return case, [stepped(case, "moved", now, answer_due_at=case.answer_due_at)]


def raised(case: Case, level: int, rules: Rules, now: datetime) -> CaseStep:
    """Raise a case to a level: its owner changes with it, and the unit is asked anew."""
    case = owned(replace(case, level=level, raised_at=now, chosen=False), rules, now)
    case = asked(case, rules, now)
    events: list[Event] = [SupervisionRaised(**told(case, now), answer_due_at=case.answer_due_at)]
    return _levelled(case, events, rules, now)


def closed(case: Case, outcome: SupervisionOutcome, note: str, now: datetime) -> CaseStep:
    """End a case with how it ended."""
    case = replace(
        case, state="closed", closed_at=now, outcome=outcome, note=note, answer_due_at=None, owner_due_at=None,
        grounds=tuple(replace(ground, over_at=ground.over_at or now) for ground in case.grounds),
    )  # fmt: skip
    return case, [SupervisionClosed(**told(case, now), outcome=outcome, note=note or None)]


def minded(case: Case, rules: Rules, now: datetime) -> Case:
    """Have the owner act within its level's time where nobody else is due: judge an answer, or bring a case to its end.

    It cannot end what is overdue and was answered for: that rises by marks of its own.
    """
    overdue = any(ground.code == "overdue" for ground in case.standing)
    if not case.open or case.next_due or (overdue and case.state != "answered"):
        return case
    since = max([now, *(meeting.at for meeting in case.meetings if not meeting.concluded_at)])
    return replace(case, owner_due_at=since + rules.terms.judging[case.level - 1])


def lapse(case: Case, rules: Rules, now: datetime) -> CaseStep:
    """Let what was not done in time take effect: silence raises the case, a check or a duty is told as missed."""
    case, events = _missed(case, rules, now)
    if case.awaited and case.answer_due_at and case.answer_due_at <= now:
        case, more = _unanswered(case, rules, now)
        events += more
    elif not case.awaited and case.owner_due_at and case.owner_due_at <= now:
        case, more = _unminded(case, rules, now)
        events += more
    return case, events


def _missed(case: Case, rules: Rules, now: datetime) -> CaseStep:
    checks = [one for one in case.checks if not one.found_at and not one.missed_at and one.due_at <= now]
    duties = [one for one in case.duties if not one.done_at and not one.missed_at and one.due_at <= now]
    case = replace(
        case,
        checks=tuple(replace(one, missed_at=now) if one in checks else one for one in case.checks),
        duties=tuple(replace(one, missed_at=now) if one in duties else one for one in case.duties),
    )
    events: list[Event] = [stepped(case, "missed", now, by=one.unit, item=one.check_id) for one in checks]
    for duty in duties:
        events.append(stepped(case, "missed", now, by=duty.unit, item=duty.duty_id))
        case, more = proposed(case, "missed", rules, now, duty.unit, duty.duty_id)
        events += more
    return case, events


def _unanswered(case: Case, rules: Rules, now: datetime) -> CaseStep:
    case, events = proposed(case, "unanswered", rules, now)
    events = [stepped(case, "unanswered", now, by=case.unit), *events]
    if case.level == TOP:
        return replace(case, unanswered_at=now), events
    case, more = raised(case, case.level + 1, rules, now)
    return case, [*events, *more]


def _unminded(case: Case, rules: Rules, now: datetime) -> CaseStep:
    """Give a case whose owner did not act to the level above, as it stands; at the highest the owner is told again."""
    events: list[Event] = [stepped(case, "missed", now, by=case.owner)]
    case = replace(case, owner_due_at=None)
    if case.level == TOP:
        return case, events
    case = owned(replace(case, level=case.level + 1, raised_at=now, chosen=False), rules, now)
    return case, [*events, SupervisionRaised(**told(case, now))]
