"""Returns that were ruled on: each counts once, against the unit, the rules, the judgement or a person."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from libs.common.contracts.dispatch import Against, ReturnGround, TicketRuled


@dataclass(frozen=True, slots=True)
class Bounce:
    """One ruled return. `returned_by` brought it, `unit_code` leads since; `rule` had sent the order, where one did."""

    return_id: UUID
    ticket_id: UUID
    round: int
    returned_by: str
    ground: ReturnGround
    upheld: bool
    against: Against
    rule: str | None
    unit_code: str
    ruled_at: datetime


def bounced(ticket_id: UUID, ruled: TicketRuled, earlier: Iterable[Bounce]) -> list[Bounce]:
    """Return what a ruling leaves: its own return, and those it overturns, which count against their unit from then."""
    changed = [replace(one, against="unit", upheld=False, rule=None, ruled_at=ruled.at) for one in earlier]
    # A ruling of an earlier release names neither, and counts nowhere.
    if ruled.return_id is None or ruled.returned_by is None or ruled.against is None:
        return changed
    own = Bounce(
        ruled.return_id, ticket_id, ruled.round, ruled.returned_by.code, ruled.ground, ruled.upheld, ruled.against,
        ruled.against_rule, ruled.unit.code, ruled.at,
    )  # fmt: skip
    return [*changed, own]
