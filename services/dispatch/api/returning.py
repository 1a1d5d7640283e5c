"""Returns and the rulings on them."""

from uuid import UUID

from fastapi import APIRouter

from libs.common.contracts.dispatch import ReturnGround
from libs.common.runtime.http import Body, Line
from libs.common.runtime.problems import wrong_field
from services.dispatch import handlers
from services.dispatch.api.around import Context, OrderView, Redacted, Returner, Ruler, commanding, view
from services.dispatch.domain import (
    hand_back,
)

router = APIRouter()


class ReturnCommand(Body):
    """Why the order is not this unit's."""

    ground: ReturnGround
    note: Redacted


class RuleCommand(Body):
    """Whether a return is right; if so, whose the order is, or under which question the router shall look for it."""

    upheld: bool
    unit: Line | None = None
    right_code: Line | None = None
    note: Redacted


@router.post("/orders/{ticket_id}/return")
async def return_order(here: Context, who: Returner, ticket_id: UUID, said: ReturnCommand) -> OrderView:
    """Say that an order is not this unit's; it leads until a ruling."""
    async with commanding(here) as tx:
        return view(
            await handlers.command(
                tx, here, who, ticket_id, "return", lambda order, now: hand_back(order, said.ground, said.note, now)
            )
        )


@router.post("/orders/{ticket_id}/rule")
async def rule_on_return(here: Context, who: Ruler, ticket_id: UUID, said: RuleCommand) -> OrderView:
    """Rule on a return. Refused, the order stays with its unit; after the second return only the centre rules."""
    if said.unit and not said.upheld:
        raise wrong_field("unit", "must be left out of a refusal: the order stays with its unit")
    async with commanding(here) as tx:
        return view(
            await handlers.rule_on(tx, here, who, ticket_id, said.upheld, said.unit, said.right_code, said.note)
        )
