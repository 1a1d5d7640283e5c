"""Handing the open orders of one unit over to another, when a duty moves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.dispatch.domain.backtests import JobState
from services.dispatch.domain.orders import Order, Route, State, Step
from services.dispatch.domain.working import move

MOVABLE: tuple[State, ...] = ("dispatched", "accepted", "in_progress")
"""What is handed over. An order that was returned waits for its ruling, which names its lead."""
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Handover:
    """Open orders of a unit on their way to another: all, those of `codes` (or their beginnings), those in `street`.

    `behind` is the last ticket that was looked at; `found` counts what there was at the start, `moved` what went.
    """

    handover_id: UUID
    from_unit: str
    to_unit: str
    codes: Sequence[str]
    street: str | None
    note: str
    by: str
    state: JobState
    asked_at: datetime
    ended_at: datetime | None = None
    behind: UUID = NOBODY
    found: int = 0
    moved: int = 0
    error: str | None = None


def hand_over(order: Order, to: Route, now: datetime) -> Step:
    """Give an order to the unit that has the duty now, which signs for it anew; what was said to the citizen stays."""
    return move(replace(order, state="dispatched", settled=True), to, now)


def may_go(order: Order, handover: Handover) -> bool:
    """Say whether an order is still to be handed over."""
    return order.unit_code == handover.from_unit and order.state in MOVABLE
