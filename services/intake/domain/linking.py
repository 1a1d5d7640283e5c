"""Links between tickets: a repeat belongs to one root, and a root to nobody, whatever came first.

The oldest of those who wait leads: when a root is taken back by its reporter while others' appeals go on, the oldest of
these takes its place, and all the others follow it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.intake.domain.progress import Facts, goes_on, status
from services.intake.domain.tickets import NotPossibleError, Ticket

By = Literal["rule", "person"]


@dataclass(frozen=True, slots=True)
class Link:
    """What was decided of a ticket: joined to a parent, or (`parent` None) parted from it; by whom and why."""

    ticket_id: UUID
    at: datetime
    parent: UUID | None
    by: str
    reason: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One ground on which two appeals are taken for one event. `code` names a text of the message catalogue."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Likely:
    """A ticket that another one probably repeats, how likely from 0 to 1, and why."""

    ticket_id: UUID
    score: float
    reasons: tuple[Reason, ...]


def root_of(ticket: Ticket) -> UUID:
    """Return the ticket that a repeat of this one belongs to."""
    return ticket.parent or ticket.heir or ticket.ticket_id


def joined(child: Ticket, facts: Facts, root: Ticket, root_facts: Facts) -> Ticket:
    """Return a ticket linked to a root. Raises NotPossibleError if either has ended or they belong together already."""
    state = status(child.state, facts)
    if child.state not in {"open", "linked"} or state == "closed":
        raise NotPossibleError(f"the ticket is {state}")
    if root.ticket_id in {child.ticket_id, child.parent}:
        raise NotPossibleError("these tickets belong together already; unlink the one that does not")
    if not goes_on(root.state, root_facts):
        raise NotPossibleError(f"the ticket it would belong to is {status(root.state, root_facts)}")
    return replace(child, state="linked", parent=root.ticket_id)


def parted(child: Ticket) -> Ticket:
    """Return a ticket on its own way again. Raises NotPossibleError if it is not linked."""
    if child.state != "linked":
        raise NotPossibleError("the ticket is not linked")
    return replace(child, state="open", parent=None)


def heir(children: Iterable[Ticket], facts: Callable[[UUID], Facts]) -> Ticket | None:
    """Return the oldest child that has not ended, who takes over from a root that was taken back."""
    waiting = (child for child in children if status(child.state, facts(child.ticket_id)) == "linked")
    return min(waiting, key=lambda child: (child.received_at, child.ticket_id), default=None)
