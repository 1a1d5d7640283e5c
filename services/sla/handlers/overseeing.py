"""What people do on supervision cases: put something under supervision, and every step until it ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from libs.common.city.units import acting
from libs.common.contracts.sla import SupervisionAbout, SupervisionGround, SupervisionOutcome
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, unknown_ticket, wrong_field
from libs.common.runtime.security import Principal
from services.sla.domain import NotPossibleError
from services.sla.domain.cases import Case, CaseStep, Ground, Proposal, kept
from services.sla.domain.overseeing import (
    TRANSITIONS,
    CaseActor,
    CaseCommand,
    accept,
    answered,
    close,
    handed_over,
    hold,
    notice,
    propose,
    raise_by_hand,
    refuse,
)
from services.sla.domain.supervision import Seen, closed, seen_of_hotspot, settled, taken_up
from services.sla.handlers.around import Here
from services.sla.handlers.memory import MEMORY
from services.sla.handlers.seeing import seen_units, viewer
from services.sla.handlers.supervision import HOT, keep_cases
from services.sla.store import supervision as store


@dataclass(frozen=True, slots=True)
class Charge:
    """What somebody puts under supervision, on which ground and why. Without `level` the city's for the ground."""

    subject: UUID
    about: SupervisionAbout
    person_of_rank: bool
    level: int | None
    note: str


async def put_under(tx: Tx, here: Here, who: Principal, charge: Charge) -> Case:
    """Put a ticket or a hot event under supervision. Raises Problem 404 or 409 for one that is not known, or over.

    Where there is a case, that is a step of who supervises its owner: what it asks anew nobody may ask of themselves.
    """
    await tx.lock([str(charge.subject)])
    seen, gone = _seen(tx, here, charge)
    if seen.void:
        raise NotPossibleError("the ticket ended; there is nothing left to supervise")
    code: SupervisionGround = "rank" if charge.person_of_rank else "hand"
    level = charge.level or here.engine.rules.terms.ground(code).level
    ground = Ground(code, level, tx.now, note=charge.note, by=who.name)
    before = (await store.cases_of(tx.connection, [charge.subject])).get(charge.subject)
    if before and before.open:
        if not _acts("supervisor", here, who, kept(before, here.engine.rules, tx.now)[0], None):
            raise Problem(403, "this is under supervision already: who supervises the owner of the case adds to it")
    elif not viewer(here, who).oversees(seen.unit.code if seen.unit else seen.place or ""):
        raise Problem(403, "this key supervises neither the unit that leads nor the place of the matter")
    case, events = taken_up(before, ground, seen, here.engine.rules, tx.now)
    (stored,) = await keep_cases(tx, here, [(before, case, events)], {charge.subject} if gone else ())
    return stored


def _seen(tx: Tx, here: Here, charge: Charge) -> tuple[Seen, bool]:
    """Return what is known of a subject, and whether its words were deleted."""
    if charge.about == "hotspot":
        hot = HOT.of(tx, str(charge.subject))
        if hot.hot is None:
            raise Problem(404, "no such hot event")
        return seen_of_hotspot(charge.subject, hot, here.engine.rules, tx.now), False
    facts = MEMORY.of(tx, str(charge.subject))
    if facts.receipt is None:
        raise unknown_ticket(charge.subject, here.clock)
    seen = Seen(charge.subject, "ticket", facts.receipt.number, unit=facts.unit, void=facts.end is not None)
    return seen, facts.wordless


async def show_case(here: Here, who: Principal, subject: UUID) -> list[Case]:
    """Return the cases of a subject, the last one first. Raises Problem 403 or 404."""
    cases = await store.turns_of(here.database.pool, subject)
    if not cases:
        raise Problem(404, "nothing of this id was ever under supervision")
    _look(here, who, cases[0])
    return [owned_now(here, case) for case in cases]


def owned_now(here: Here, case: Case) -> Case:
    """Return a case with the owner it has this moment, though nobody may have noted yet that a unit ended."""
    return kept(case, here.engine.rules, here.clock.now())[0]


async def case_command(
    tx: Tx, here: Here, who: Principal, subject: UUID, name: CaseCommand,
    act: Callable[[Case, datetime], CaseStep], helper: Callable[[Case], str | None] = lambda _: None,
) -> Case:  # fmt: skip
    """Do on a case what the table allows; `helper` names the unit that a step is for, where one was sent or called.

    Raises NotPossibleError, and Problem 403 or 404 to who may not.
    """
    await tx.lock([str(subject)])
    before = (await store.cases_of(tx.connection, [subject])).get(subject)
    if before is None:
        raise Problem(404, "nothing of this id was ever under supervision")
    case, handed = kept(before, here.engine.rules, tx.now)
    _look(here, who, case)
    actors = TRANSITIONS[name].by
    if not any(_acts(actor, here, who, case, helper(case)) for actor in actors):
        raise Problem(403, f"to {name} is for the {' or '.join(actors)} of the case")
    case, said = act(case, tx.now)
    case, ended = closed(case, "done", "", tx.now) if settled(case) else (case, [])
    events = [*handed, *said, *ended]
    gone = before.about == "ticket" and MEMORY.of(tx, str(subject)).wordless
    (stored,) = await keep_cases(tx, here, [(before, case, events)], {subject} if gone else ())
    return stored


def unit_of(here: Here, code: str, field: str) -> UnitRef:
    """Return a unit of the city that is there today. Raises Problem 422 naming the field."""
    unit = here.engine.rules.units.get(code)
    if unit is None or not unit.exists(_today(here)):
        raise wrong_field(field, "must be the code of a unit of the city that exists today, such as dept-water")
    return UnitRef(code=unit.code, name=unit.name.zh)


def _look(here: Here, who: Principal, case: Case) -> None:
    seen = seen_units(here, who, None)
    heirs = {heir.code for code in case.involved if (heir := acting(here.engine.rules.units, code, _today(here)))}
    if seen is not None and (case.involved | heirs).isdisjoint(seen):
        raise Problem(403, "this case is other units': a unit sees those it is supervised on, owns, or has a part in")


def _acts(actor: CaseActor, here: Here, who: Principal, case: Case, helper: str | None) -> bool:
    asking = viewer(here, who)
    if actor == "supervisor":
        return case.unit_code not in who.units and asking.oversees(case.owner_code)
    code = {"unit": case.unit_code, "helper": helper, "owner": case.owner_code}[actor]
    unit = acting(here.engine.rules.units, code, _today(here)) if code else None
    return unit is not None and asking.acts_for(unit.code)


def _today(here: Here) -> date:
    return here.clock.now().astimezone(here.engine.rules.zone).date()


async def send_notice(tx: Tx, here: Here, who: Principal, subject: UUID, note: str, until: datetime | None) -> Case:
    """Ask the supervised unit for an answer."""
    rules, by = here.engine.rules, until.astimezone(UTC) if until else None
    return await case_command(tx, here, who, subject, "notice", lambda c, now: notice(c, note, by, rules, now))


async def answer(tx: Tx, here: Here, who: Principal, subject: UUID, note: str) -> Case:
    """Answer as the supervised unit."""
    return await case_command(tx, here, who, subject, "answer", lambda c, now: answered(c, note, now))


async def judge(tx: Tx, here: Here, who: Principal, subject: UUID, note: str, *, accepted: bool) -> Case:
    """Accept or refuse an answer; what a refusal costs by the city's terms is proposed with it."""
    if accepted:
        return await case_command(tx, here, who, subject, "accept", lambda c, now: accept(c, note, now))
    rules = here.engine.rules
    return await case_command(tx, here, who, subject, "refuse", lambda c, now: refuse(c, note, rules, now))


async def raise_level(tx: Tx, here: Here, who: Principal, subject: UUID) -> Case:
    """Raise a case by one level."""
    rules = here.engine.rules
    return await case_command(tx, here, who, subject, "raise", lambda c, now: raise_by_hand(c, rules, now))


async def hand_over(tx: Tx, here: Here, who: Principal, subject: UUID, owner: str, note: str) -> Case:
    """Give a case another owner."""
    unit = unit_of(here, owner, "owner")
    return await case_command(tx, here, who, subject, "hand_over", lambda c, now: handed_over(c, unit, note, now))


async def hold_tickets(tx: Tx, here: Here, who: Principal, subject: UUID, tickets: Sequence[UUID]) -> Case:
    """Have a hot event's case hold tickets."""
    return await case_command(tx, here, who, subject, "hold", lambda c, now: hold(c, tickets, now))


async def propose_deduction(
    tx: Tx, here: Here, who: Principal, subject: UUID, points: float, note: str, code: str | None
) -> Case:
    """Propose points to take off a unit, the supervised one if none is named."""
    named = unit_of(here, code, "unit") if code else None

    def act(case: Case, now: datetime) -> CaseStep:
        unit = named or case.unit
        if unit is None:
            raise NotPossibleError("no unit is supervised yet; name one")
        return propose(case, Proposal(here.clock.new_id(), unit, "hand", points, now, case.level, note))

    return await case_command(tx, here, who, subject, "propose", act)


async def close_case(tx: Tx, here: Here, who: Principal, subject: UUID, outcome: SupervisionOutcome, note: str) -> Case:
    """End a case with how it ended."""
    return await case_command(tx, here, who, subject, "close", lambda c, now: close(c, outcome, note, now))
