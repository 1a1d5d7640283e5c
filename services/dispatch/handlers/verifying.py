"""Having a third unit look on the spot, and taking what it found."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.transaction import Tx
from libs.common.runtime.notify import Notice, enqueue
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal
from services.dispatch import store
from services.dispatch.domain import (
    Finding,
    Matter,
    NotPossibleError,
    Order,
    Verification,
    VerificationStep,
    find,
    order_look,
    waits_for,
    without_words,
)
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.following import MEMORY
from services.dispatch.handlers.holding import known
from services.dispatch.handlers.returning import pending_of, save
from services.dispatch.handlers.seeing import show, viewer
from services.dispatch.handlers.settling import RULING


@dataclass(frozen=True, slots=True)
class Sent:
    """What is to be looked at: by the street where it happens if no unit is named, in the city's time if none is."""

    task: str
    unit: str | None = None
    due_at: datetime | None = None


async def send_to_look(tx: Tx, here: Here, who: Principal, ticket_id: UUID, sent: Sent) -> Verification:
    """Have a third unit look before a return is ruled on. Raises NotPossibleError, Problem 403 and 422."""
    order, matter, pending, _ = await pending_of(tx, here, who, ticket_id)
    unit = _looker(here, order, matter, sent.unit)
    due_at = _until(sent, tx.now, here.engine.returns.look[order.urgency])
    past = await store.verifications_of(tx.connection, [ticket_id])
    look = Verification(
        verification_id=here.clock.new_id(), return_id=pending.return_id, ticket_id=ticket_id, round=order.round,
        state="open", unit_code=unit.code, unit_name=unit.name, task=sent.task, by=who.name, at=tx.now, due_at=due_at,
    )  # fmt: skip
    step = order_look(order, pending, past, look)
    waiting = waits_for(pending, look, past)
    if waiting != pending:
        await save(tx, ticket_id, [waiting])
        tx.schedule(RULING, str(ticket_id), waiting.due_at)
    await enqueue(tx.connection, [_asking(here, order, look)], tx.now)
    return await _keep(tx, step)


def _until(sent: Sent, now: datetime, longest: timedelta) -> datetime:
    """Return until when someone looks. The return waits so long, so nobody puts its ruling off further."""
    due_at = sent.due_at or now + longest
    if not now < due_at <= now + longest:
        raise wrong_field("due_at", f"must lie in the future, by at most {longest / timedelta(minutes=1):.0f} minutes")
    return due_at.astimezone(UTC)


def _looker(here: Here, order: Order, matter: Matter, named: str | None) -> UnitRef:
    """Return who looks: the named unit, else the street or district where it happens unless that leads."""
    place = matter.place
    local = [place.street or "", f"d-{place.district}"] if place and named is None else []
    for code in [named] if named else local:
        unit = here.engine.router.acting(code, here.clock.now())
        if unit and unit.kind != "centre" and unit.code != order.unit_code:
            return UnitRef(code=unit.code, name=unit.name.zh)
    raise wrong_field(
        "unit", "must be the code of a unit other than the lead and the centre, such as the street where it happens"
    )


def _asking(here: Here, order: Order, look: Verification) -> Notice:
    city = here.engine.router.city
    due = f"{look.due_at.astimezone(ZoneInfo(city.timezone)):%Y-%m-%d %H:%M}"
    text = here.engine.messages.say(city.default_language, "look", number=order.number, due=due)
    return Notice(f"look/{look.verification_id}", f"unit:{look.unit_code}", text)


async def verify(
    tx: Tx, here: Here, who: Principal, ticket_id: UUID, *, done: bool, duty: str | None, note: str
) -> Verification:  # fmt: skip
    """Say what was seen, for the unit that was sent. Raises NotPossibleError, Problem 403 and 422."""
    await known(tx, here, ticket_id)
    looks = await store.verifications_of(tx.connection, [ticket_id])
    asking = viewer(here, who)
    mine = [one for one in looks if asking.acts_for(one.unit_code) or asking.oversees(one.unit_code)]
    if not mine:
        await show(tx, here, who, ticket_id)
        if not looks:
            raise NotPossibleError("nobody was asked to look on the spot of this order")
        raise Problem(403, "another unit was asked to look on the spot")
    look = next((one for one in mine if one.state == "open"), mine[-1])
    whose = here.engine.router.unit(duty) if duty else None
    if duty and whose is None:
        raise wrong_field("duty", "must be the code of a unit of the city, such as d-110105 or dept-water")
    files = await store.files_of(tx.connection, ticket_id)
    evidence = sum(file.unit_code == look.unit_code for file in files)
    return await _keep(tx, find(look, Finding(done, note, whose, evidence), tx.now))


async def _keep(tx: Tx, step: VerificationStep) -> Verification:
    look, events = step
    wordless = MEMORY.of(tx, str(look.ticket_id)).wordless
    await store.save_verifications(tx, [look.without_words if wordless else look])
    for event in without_words(events) if wordless else events:
        tx.emit(str(look.ticket_id), event)
    return look
