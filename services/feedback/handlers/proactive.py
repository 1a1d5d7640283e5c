"""Work before the appeal as units and supervisors handle it: listed, added by hand, done, declined."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.common.contracts.feedback import DeclineGround
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal
from services.feedback.domain import proactive as domain
from services.feedback.domain.proactive import Order
from services.feedback.handlers.around import Here
from services.feedback.handlers.proposing import told
from services.feedback.handlers.seeing import may_rule, seen_units, viewer
from services.feedback.store import proactive as store


@dataclass(frozen=True, slots=True)
class Wanted:
    """Work that a supervisor adds: for a unit, to keep these questions from being asked."""

    unit: str
    codes: Sequence[str]
    district: str | None
    street: str | None
    what: str
    by_date: datetime


async def add(tx: Tx, here: Here, who: Principal, wanted: Wanted) -> Order:
    """Add work by hand. Raises Problem 422 for what the city does not have, 403 for a unit out of reach."""
    _check(here, wanted, tx.now)
    may_rule(here, who, wanted.unit)
    order = Order(
        order_id=here.clock.new_id(), rule="hand", theme="hand", unit_code=wanted.unit,
        unit_name=here.engine.city.units[wanted.unit].name.zh, codes=tuple(wanted.codes), district=wanted.district,
        street=wanted.street, what={"zh": wanted.what, "en": wanted.what}, why={}, by_date=wanted.by_date, begins=None,
        proposed_at=tx.now, proposed_by=who.name,
    )  # fmt: skip
    await tx.lock([str(order.order_id)])
    await store.save_work(tx, [order])
    tx.emit(str(order.order_id), told(here, order))
    return order


async def finish(tx: Tx, here: Here, who: Principal, order_id: UUID, note: str, evidence: int) -> Order:
    """Take the unit's word that its work is done. Raises Problem 403 or 404, NotPossibleError if it has ended."""
    order = await _own(tx, here, who, order_id)
    ended, event = domain.done(order, note, evidence, tx.now)
    await store.save_work(tx, [ended])
    tx.emit(str(order_id), event)
    return ended


async def decline(
    tx: Tx, here: Here, who: Principal, order_id: UUID, ground: DeclineGround, note: str
) -> Order:  # fmt: skip
    """Let the unit decline its work. Raises like `finish`."""
    order = await _own(tx, here, who, order_id)
    ended, event = domain.declined(order, ground, note, tx.now)
    await store.save_work(tx, [ended])
    tx.emit(str(order_id), event)
    return ended


async def show(here: Here, who: Principal, order_id: UUID) -> Order:
    """Return one piece of work. Raises Problem 404, or 403 if its unit is out of sight."""
    order = await store.work_of(here.database.pool, order_id)
    if order is None:
        raise Problem(404, "there is no such work")
    seen_units(here, who, order.unit_code)
    return order


async def _own(tx: Tx, here: Here, who: Principal, order_id: UUID) -> Order:
    """Return an order that this key's unit is to do, held."""
    if await store.work_of(tx.connection, order_id) is None:
        raise Problem(404, "there is no such work")
    await tx.lock([str(order_id)])
    order = await store.work_of(tx.connection, order_id)
    if order is None or not viewer(here, who).acts_for(order.unit_code):
        raise Problem(403, "this is said by the unit that is to act")
    return order


def _check(here: Here, wanted: Wanted, now: datetime) -> None:
    city = here.engine.city
    districts = {unit.district for unit in city.units.values() if unit.kind == "district"}
    if wanted.unit not in city.units:
        raise wrong_field("unit", "must be the code of a unit of this city")
    if unknown := [i for i, code in enumerate(wanted.codes) if code not in city.catalogue.by_code]:
        raise wrong_field(f"codes.{unknown[0]}", "must be the code of a question in the catalogue")
    if wanted.district is not None and wanted.district not in districts:
        raise wrong_field("district", "must be six digits of a district of this city")
    if wanted.street is not None and not _is_street(here, wanted.street, wanted.district):
        raise wrong_field("street", "must be the code of a street or town, of the district if one is given")
    if wanted.by_date <= now:
        raise wrong_field("by_date", "must lie ahead")


def _is_street(here: Here, code: str, district: str | None) -> bool:
    unit = here.engine.city.units.get(code)
    return unit is not None and unit.kind in {"street", "town"} and district in {None, unit.district}
