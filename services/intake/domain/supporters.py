"""Neighbours who have the same trouble: who counts, and who wants to hear how it goes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.intake.domain.progress import Facts, goes_on, status
from services.intake.domain.tickets import NotPossibleError, Ticket, Way

SupportKind = Literal["confirm", "follow"]


@dataclass(frozen=True, slots=True)
class Supporter:
    """Somebody who confirms or follows a ticket. `person` is a pseudonym, or stands for a token; one counts once.

    `contact` is sealed, and there only as long as its owner wants to be told.
    """

    supporter_id: UUID
    ticket_id: UUID
    person: str
    kind: SupportKind
    at: datetime
    language: str
    ways: tuple[Way, ...] = ()
    contact: bytes | None = None


def person_of(ticket: Ticket) -> str | None:
    """Return who counts by an appeal: its reporter, somebody else each time where nobody knows who; no device does."""
    if "sensor" in {ticket.reporter_type, ticket.channel}:
        return None
    return ticket.reporter or str(ticket.ticket_id)


def open_to_support(ticket: Ticket, facts: Facts) -> None:
    """Let people stand behind a ticket until it ends. Raises NotPossibleError."""
    if not goes_on(ticket.state, facts):
        raise NotPossibleError(f"the ticket is {status(ticket.state, facts)}")
