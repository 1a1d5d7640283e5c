"""Rulings on returns."""

from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal
from services.dispatch.domain import (
    Matter,
    Order,
    rule,
)
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.holding import chosen, held, keep
from services.dispatch.routing import matter_at


async def rule_on(
    tx: Tx, here: Here, who: Principal, ticket_id: UUID,
    upheld: bool, unit: str | None, right_code: str | None, note: str,
) -> Order:  # fmt: skip
    """Rule on a return. Upheld without a unit, the order goes to the router's next, by the right question if told."""
    order, matter = await held(tx, here, who, ticket_id, "rule")
    if order.returns >= here.engine.returns_before_centre and who.units:
        raise Problem(403, f"after {order.returns} returns the centre rules: a supervisor of all units")
    matter = _corrected(here, matter, right_code)
    to = None
    if upheld:
        code = unit or here.engine.router.next_unit(matter, {*order.tried, order.unit_code}, tx.now)
        to = chosen(here, code, "ruled", f"裁定改派：{note}", matter)
    return await keep(tx, here, rule(order, to, note, right_code, tx.now))


def _corrected(here: Here, matter: Matter, right_code: str | None) -> Matter:
    """Return the matter as it would be under the question a ruling says is the right one."""
    if right_code is None:
        return matter
    question = here.engine.router.question(right_code)
    if question is None:
        raise wrong_field("right_code", "must be the code of a question in the city's catalogue, such as heating-01-01")
    return matter_at(question, matter.place, outside=matter.outside)
