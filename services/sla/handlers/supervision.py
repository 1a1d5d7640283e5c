"""Supervision by rule: cases follow tickets and hot events, and what nobody did in time takes effect by a timer."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from libs.common.city.units import attended
from libs.common.contracts import classify
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.sla import (
    SupervisionClosed,
    SupervisionOpened,
    SupervisionRaised,
    SupervisionStepped,
)
from libs.common.messaging.facts import Memory
from libs.common.messaging.transaction import Tx
from libs.common.runtime.notify import Notice, enqueue
from libs.common.runtime.timers import Due
from services.sla.domain import Clock, Facts
from services.sla.domain.cases import TOP, Case, kept, wordless
from services.sla.domain.supervision import Hot, HotFacts, follow, lapse, minded, seen_of_hotspot, seen_of_ticket
from services.sla.handlers.around import Here
from services.sla.handlers.memory import MEMORY
from services.sla.store import supervision as store

CASE = "case"
"""Fires when something on a case was to be done by now."""
LOOK_SECONDS = 30.0
LIMIT = 500


def _hot(event: classify.HotspotRaised | classify.HotspotUpdated) -> Hot:
    return Hot(
        event.title, event.risk, event.round, event.raised_at or event.first_at, event.street, event.district,
        event.first_ticket,
    )  # fmt: skip


HOT = Memory(
    HotFacts,
    {
        classify.HotspotRaised: ("hot", _hot),
        classify.HotspotUpdated: ("hot", _hot),
        classify.HotspotCooled: ("cooled", lambda event: event.round),
    },
)


async def on_hotspot(events: Sequence[Envelope[Event]], tx: Tx, here: Here) -> None:
    """Learn what is told of hot events, and bring their cases up to it."""
    learned = HOT.learn(tx, events)
    cases = await store.cases_of(tx.connection, [UUID(subject) for subject in learned])
    steps = []
    for subject, facts in learned.items():
        before = cases.get(UUID(subject))
        seen = seen_of_hotspot(UUID(subject), facts, here.engine.rules, tx.now)
        case, said = follow(before, seen, here.engine.rules, tx.now)
        steps.append((before, case, said))
    await keep_cases(tx, here, steps)


async def follow_cases(tx: Tx, here: Here, tickets: Mapping[UUID, tuple[Facts, Sequence[Clock]]]) -> None:
    """Bring the cases of tickets to where their facts and clocks say they must be."""
    cases = await store.cases_of(tx.connection, list(tickets))
    rules, steps = here.engine.rules, []
    for ticket_id, (facts, clocks) in tickets.items():
        before = cases.get(ticket_id)
        seen = seen_of_ticket(ticket_id, facts, clocks, here.engine.book, rules, tx.now)
        case, said = follow(before, seen, rules, tx.now)
        steps.append((before, case, said))
    gone = {ticket_id for ticket_id, (facts, _) in tickets.items() if facts.wordless}
    await keep_cases(tx, here, steps, gone)
    await _forget_turns(tx, gone & cases.keys())


async def _forget_turns(tx: Tx, gone: Collection[UUID]) -> None:
    """Drop the words of earlier cases as well."""
    for subject in gone:
        await store.save_cases(tx, [case.without_words for case in await store.turns_of(tx.connection, subject)])


async def keep_cases(
    tx: Tx, here: Here, steps: Iterable[tuple[Case | None, Case | None, Sequence[Event]]], gone: Collection[UUID] = ()
) -> list[Case]:
    """Store cases that changed, tell what was decided, see to it that somebody looks at them in time, and return all.

    `gone` are subjects whose words were deleted.
    """
    stored: list[Case] = []
    changed: list[Case] = []
    told: list[Notice] = []
    for before, decided, said in steps:
        if decided is None:
            continue
        case, events = minded(decided, here.engine.rules, tx.now), said
        if case.subject in gone:
            case, events = case.without_words, wordless(said)
        stored.append(case)
        if case == before:
            continue
        changed.append(case)
        _schedule(tx, before, case)
        for event in events:
            tx.emit(str(case.subject), event)
        told += _notices(tx, here, case, events)
    await store.save_cases(tx, changed)
    await enqueue(tx.connection, told, tx.now)
    return stored


def _schedule(tx: Tx, before: Case | None, case: Case) -> None:
    was = before.next_due if before else None
    if case.next_due and case.next_due != was:
        tx.schedule(CASE, str(case.subject), case.next_due)
    elif was and not case.next_due:
        tx.unschedule(CASE, str(case.subject))


async def on_case_timer(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """Somebody did not answer, look or act in time."""
    cases = await store.cases_of(tx.connection, [UUID(due.subject) for due in timers])
    steps = [(case, *lapse(case, here.engine.rules, tx.now)) for case in cases.values() if case.open]
    for case in await keep_cases(tx, here, steps):
        # The timer that fired is gone, so what is next has to be set even if it did not change.
        if case.next_due:
            tx.schedule(CASE, str(case.subject), case.next_due)


async def keep_owners(here: Here) -> float:
    """Give the cases of units that ended, or are gone from the city's list, to who owns them now."""
    units, day = here.engine.rules.units, here.clock.now().astimezone(here.engine.rules.zone).date()
    owners = await store.owners(here.database.pool)
    gone = [code for code in owners if code not in units or not units[code].exists(day)]
    found = await store.owned_by(here.database.pool, gone, LIMIT) if gone else []
    if not found:
        return LOOK_SECONDS
    async with here.database.begin() as tx:
        await tx.lock(map(str, found))
        cases = (await store.cases_of(tx.connection, found)).values()
        steps = [(case, *kept(case, here.engine.rules, tx.now)) for case in cases]
        await keep_cases(tx, here, steps)
    # What cannot be given to anybody else, for even the centre ended, is looked at again later.
    return 0 if any(before != case for before, case, _ in steps) else LOOK_SECONDS


def _notices(tx: Tx, here: Here, case: Case, events: Iterable[Event]) -> Iterator[Notice]:
    """Tell those whom a step concerns: whoever has to act next, and the owner of what was opened, raised or missed."""
    wakes = _wakes(tx, here, case)
    for event in events:
        if isinstance(event, SupervisionClosed):
            told, kind = {case.unit_code}, "closed"
        elif isinstance(event, SupervisionOpened | SupervisionRaised):
            told, kind = {case.unit_code, case.owner_code}, event.name.partition(".")[2]
        elif isinstance(event, SupervisionStepped):
            unminded = event.step == "missed" and event.item is None
            told, kind = _concerned(case, event), "unminded" if unminded else event.step
        else:
            continue
        for code in sorted(code for code in told if code):
            key = f"case/{case.subject}/{case.turn}/{kind}/{tx.now.isoformat()}/{code}"
            yield _notice(here, key, code, _text(here, case, kind, event), tx.now, wakes=wakes)


def _wakes(tx: Tx, here: Here, case: Case) -> bool:
    """Whether a case wakes who is on duty at night: the city's own, and a matter of a class that may."""
    of_class = case.about == "ticket" and MEMORY.of(tx, str(case.subject)).urgency in here.engine.telling.rules.wakes
    return case.level == TOP or of_class


def _notice(here: Here, key: str, unit: str, text: str, now: datetime, *, wakes: bool) -> Notice:
    """Tell a unit: what wakes goes to an office that is open, all else waits for the morning."""
    telling, local = here.engine.telling, now.astimezone(here.engine.rules.zone)
    if not wakes:
        return Notice(key, f"unit:{unit}", text, at=telling.night.over(now))
    return Notice(key, f"unit:{attended(telling.units, unit, local, telling.works_on(local.date()))}", text)


def _concerned(case: Case, event: SupervisionStepped) -> set[str | None]:
    if event.step in {"answered", "checked", "unanswered", "fulfilled", "handed_over", "missed"}:
        return {case.owner_code, event.by.code if event.by and event.step == "missed" else None}
    if event.step == "check_ordered":
        return {event.by.code if event.by else None}
    if event.step == "meeting_called":
        return {unit.code for unit in event.units}
    if event.step == "concluded":
        return {one.unit.code for one in event.bound}
    return {case.unit_code} if event.step in {"noticed", "refused", "moved", "accepted"} else set()


def _text(here: Here, case: Case, kind: str, event: Event) -> str:
    engine, due = here.engine, getattr(event, "due_at", None) or case.answer_due_at
    told = {
        "number": case.number or str(case.subject)[:8],
        "level": engine.messages.say(engine.language, "supervision", "level", str(case.level)),
        "unit": case.unit_name or "",
        "owner": case.owner_name,
        "due": f"{due.astimezone(engine.rules.zone):%Y-%m-%d %H:%M}" if due else "",
    }
    whose = ("unled",) if case.unit_code is None else () if case.awaited else ("unasked",)
    said = (*whose, kind) if kind in {"opened", "raised"} else (kind,)
    return engine.messages.say(engine.language, "supervision", *said, **told)
