"""Who may open what the vault holds of a ticket, for what, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.intake.domain.progress import Facts, status
from services.intake.domain.tickets import State

Purpose = Literal["handling", "callback", "verification", "emergency", "audit", "legal"]
Desk = Literal["unit", "seat", "supervisor"]
Refusal = Literal["role", "purpose", "confidential", "not_leading", "ended", "erased"]

PURPOSES: Mapping[Purpose, frozenset[Desk]] = {
    "handling": frozenset({"unit", "seat", "supervisor"}),
    "callback": frozenset({"unit", "seat", "supervisor"}),
    "verification": frozenset({"unit", "seat", "supervisor"}),
    "emergency": frozenset({"unit", "seat", "supervisor"}),
    "audit": frozenset({"supervisor"}),
    "legal": frozenset({"supervisor"}),
}
"""What the vault may be opened for, and by whom: 办理, 回访, 核实, 应急, 检查, 依法."""


@dataclass(frozen=True, slots=True)
class Order:
    """What decides about an opening: how the ticket goes, and that of the one whose order it shares if it is linked."""

    state: State
    facts: Facts
    hidden: bool = False
    """Whether the reporter asked to stay unknown to the unit."""

    @property
    def workers(self) -> frozenset[str]:
        """The codes of the units that work on the order now: its lead, and who took a part of it on themselves."""
        led, helping = self.facts.led, self.facts.helping
        return frozenset({led.unit.code, *(helping.helpers if helping else ())}) if led and led.unit else frozenset()


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants to open the vault: at which desks of the hotline they sit, and whether a unit of theirs works on it."""

    desks: frozenset[Desk]
    works_on_it: bool


def ended_at(facts: Facts) -> datetime | None:
    """Return when the ticket was closed, if it is: a later life of it has no end yet."""
    return facts.closed.at if facts.closed and facts.closed.round >= facts.round else None


def refusal(asker: Asker, purpose: Purpose, order: Order, now: datetime, after: timedelta) -> Refusal | None:
    """Return why the vault stays closed, None if it opens. `after` is for how long a closed ticket still opens.

    Of a person with several desks the one that may do most is heard; what is not allowed to any is refused with the
    reason of the last.
    """
    why: Refusal = "role"
    for desk in ("supervisor", "seat", "unit"):
        if desk in asker.desks:
            reason = _refusal(desk, asker, purpose, order, now, after)
            if reason is None:
                return None
            why = reason
    return why


def _refusal(
    desk: Desk, asker: Asker, purpose: Purpose, order: Order, now: datetime, after: timedelta
) -> Refusal | None:
    if desk not in PURPOSES[purpose]:
        return "purpose"
    if desk == "supervisor":
        return None
    end = ended_at(order.facts)
    recent = end is not None and now - end <= after
    if desk == "seat":
        # A seat works on what goes on; of what has ended it may only ask how it went.
        going = status(order.state, order.facts) not in {"closed", "withdrawn"}
        return None if going or (purpose == "callback" and recent) else "ended"
    if not asker.works_on_it:
        return "not_leading"
    if order.hidden:
        return "confidential"
    return None if order.state == "open" and (end is None or recent) else "ended"
