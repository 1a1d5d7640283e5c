"""Returns, rulings on them, and what becomes of those that nobody rules on."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from libs.common.contracts.dispatch import ReturnGround
from libs.common.messaging.transaction import Tx
from libs.common.runtime.notify import Notice, enqueue
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal
from libs.common.runtime.timers import Due
from services.dispatch import store
from services.dispatch.domain import (
    Claim,
    Matter,
    NotPossibleError,
    Order,
    Return,
    Verdict,
    hand_back,
    helpers,
    lapse,
    overturned,
    rule,
)
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.following import MEMORY
from services.dispatch.handlers.holding import chosen, held, keep, known, stands
from services.dispatch.handlers.seeing import viewer
from services.dispatch.handlers.settling import RULING, end_looks
from services.dispatch.routing import matter_at


@dataclass(frozen=True, slots=True)
class Ruled:
    """What a ruler says: whether the return is right, and if so whose the order is, or which question it is about."""

    upheld: bool
    note: str
    unit: str | None = None
    right_code: str | None = None
    verification: UUID | None = None


async def give_back(
    tx: Tx, here: Here, who: Principal, ticket_id: UUID, ground: ReturnGround, note: str
) -> Order:  # fmt: skip
    """Return an order for its lead. Raises NotPossibleError, EvidenceError, and Problem 403 to all others."""
    order, judged = await known(tx, here, ticket_id)
    if not stands("unit", viewer(here, who), order):
        raise await _not_its_own(tx, here, who, order)
    past = (await store.returns_of(tx.connection, [ticket_id])).get(ticket_id, [])
    files = await store.files_of(tx.connection, ticket_id)
    claim = Claim(ground, note, sum(file.unit_code == order.unit_code for file in files))
    returned, made, events = hand_back(
        order, claim, past, here.engine.returns, here.engine.returns_before_centre, here.clock.new_id(),
        judged.matter.place, tx.now,
    )  # fmt: skip
    await save(tx, ticket_id, [made])
    tx.schedule(RULING, str(ticket_id), made.due_at)
    return await keep(tx, here, (returned, events))


async def _not_its_own(tx: Tx, here: Here, who: Principal, order: Order) -> Problem:
    tasks = (await store.tasks_of(tx.connection, [order.ticket_id])).get(order.ticket_id, ())
    asking = viewer(here, who)
    if any(asking.acts_for(unit) for unit in helpers(tasks)):
        return Problem(403, "who helps cannot return an order; ask to be relieved of the part: tasks/{task_id}/relief")
    return Problem(403, "this order is another unit's")


async def save(tx: Tx, ticket_id: UUID, returns: Sequence[Return]) -> None:
    """Store returns, without words if those of the ticket were deleted."""
    wordless = MEMORY.of(tx, str(ticket_id)).wordless
    await store.save_returns(tx, [one.without_words if wordless else one for one in returns])


async def pending_of(
    tx: Tx, here: Here, who: Principal, ticket_id: UUID
) -> tuple[Order, Matter, Return, Sequence[Return]]:
    """Hold an order whose return this key may rule on, and those before it. Raises NotPossibleError, Problem 403.

    Who supervises the unit alone is that unit, and does not rule on its own return.
    """
    order, matter = await held(tx, here, who, ticket_id, "rule")
    past = (await store.returns_of(tx.connection, [ticket_id])).get(ticket_id, [])
    pending = next((one for one in past if one.state == "open"), None)
    if pending is None:
        raise NotPossibleError(f"the order is {order.state}; no return of it waits for a ruling")
    if pending.for_centre and who.units:
        why = f"after {order.returns} returns" if pending.centre else "as the time for a ruling is over"
        raise Problem(403, f"{why} the centre rules: a supervisor of all units")
    if order.unit_code in who.units:
        raise Problem(403, "nobody rules on a return of their own unit: who stands above it does, or the centre")
    return order, matter, pending, past


async def rule_on(tx: Tx, here: Here, who: Principal, ticket_id: UUID, said: Ruled) -> Order:
    """Rule on a return. Upheld without a unit, the order goes to the router's next, by the right question if told."""
    order, matter, pending, past = await pending_of(tx, here, who, ticket_id)
    matter = _corrected(here, matter, said.right_code)
    await _check_cited(tx, pending, said.verification)
    to = None
    if said.upheld:
        to = chosen(here, said.unit or _next(tx, here, order, matter, pending), "ruled", said.note, matter)
    verdict = Verdict(said.note, who.name, said.right_code, said.verification)
    wrong = overturned(past, to)
    ruled, ended, events = rule(order, pending, to, verdict, tx.now, wrong)
    await save(tx, ticket_id, [ended, *wrong])
    await end_looks(tx, [ended])
    tx.unschedule(RULING, str(ticket_id))
    return await keep(tx, here, (ruled, events))


def centre_of(here: Here) -> str:
    """Return the code of the city's centre."""
    return next(code for code, unit in here.engine.units.items() if unit.kind == "centre")


def _next(tx: Tx, here: Here, order: Order, matter: Matter, pending: Return) -> str:
    """Return whose an order is after its unit rightly returned it, if nobody says: the centre's on some grounds."""
    ground = here.engine.returns.ground(pending.ground)
    if ground and ground.centre:
        return centre_of(here)
    router = here.engine.router
    called = router.called(matter, order.title, order.text, order.address)
    return router.next_unit(called, {*order.tried, order.unit_code}, tx.now)


async def _check_cited(tx: Tx, pending: Return, verification: UUID | None) -> None:
    looks = await store.verifications_of(tx.connection, [pending.ticket_id]) if verification else ()
    cited = [one for one in looks if one.verification_id == verification and one.return_id == pending.return_id]
    if verification and not any(one.state == "done" for one in cited):
        raise wrong_field("verification", "must be a look on the spot for this return, and someone has been there")


def _corrected(here: Here, matter: Matter, right_code: str | None) -> Matter:
    """Return the matter as it would be under the question a ruling says is the right one."""
    if right_code is None:
        return matter
    question = here.engine.router.question(right_code)
    if question is None:
        raise wrong_field("right_code", "must be the code of a question in the city's catalogue, such as heating-01-01")
    return matter_at(question, matter.place, outside=matter.outside)


async def on_ruling_late(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """Returns that nobody ruled on in time go to the centre, which is told; their orders stay where they are."""
    tickets = [UUID(due.subject) for due in timers]
    orders, returns = await store.orders_of(tx, tickets), await store.returns_of(tx.connection, tickets)
    late, notices = [], []
    for one in (one for past in returns.values() for one in past if one.state == "open" and not one.escalated_at):
        order = orders[one.ticket_id]
        escalated, events = lapse(order, one, tx.now)
        late.append(escalated)
        notices.append(_escalation(here, order, escalated))
        for event in events:
            tx.emit(str(one.ticket_id), event)
    await store.save_returns(tx, late)
    await enqueue(tx.connection, notices, tx.now)


def _escalation(here: Here, order: Order, late: Return) -> Notice:
    language = here.engine.router.city.default_language
    text = here.engine.messages.say(language, "escalated", number=order.number, unit=order.unit_name)
    return Notice(f"escalated/{late.return_id}", f"unit:{centre_of(here)}", text)
