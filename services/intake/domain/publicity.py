"""What anyone may see of a ticket without a code or a key: matters of public space, and never more than needed.

A street lamp is everybody's business, a dismissal is not. Which questions are of public space is the city's to say, in
its pack; what an appeal says in its own words is shown only if its sender knew when writing that it would be.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.common.city.services import Service, Services
from services.intake.domain.progress import Facts, status
from services.intake.domain.tickets import Ticket

OPEN_CHANNEL = "open311"
"""The channel whose senders are told that what they write is public, once redacted."""
_DONE = frozenset({"closed", "answered", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Listed:
    """How a ticket stands on the public list. One that came by Open311 is there for its sender if not for anyone."""

    ticket_id: UUID
    number: str
    client: str
    service: str | None
    public: bool
    open: bool
    received_at: datetime


def service_of(ticket: Ticket, facts: Facts, services: Services) -> Service | None:
    """Return the public service a ticket belongs to, None if it is nobody else's business.

    Until it is classified the sender's own choice stands; from then on only what it was found to be.
    """
    if facts.classified:
        return services.by_category.get(facts.classified.category)
    return services.by_code.get(ticket.service) if ticket.service else None


def public(ticket: Ticket, facts: Facts, services: Services) -> bool:
    """Say whether anyone may see that this ticket exists: its matter, place to the building, unit and progress.

    Not where the reporter asked to stay unknown or a person hid it, nor in an emergency, which has someone in danger in
    it. A repeat of another channel is seen through the ticket it repeats.
    """
    seen = ticket.channel == OPEN_CHANNEL or ticket.state != "linked"
    hidden = ticket.hidden or ticket.unnamed or ticket.emergency is not None
    return seen and not hidden and service_of(ticket, facts, services) is not None


def words_public(ticket: Ticket) -> bool:
    """Say whether anyone may read the redacted words of a ticket that is public."""
    return ticket.channel == OPEN_CHANNEL and ticket.state != "withdrawn"


def listed(ticket: Ticket, facts: Facts, services: Services) -> Listed | None:
    """Return how a ticket stands on the public list, None if it does not."""
    shown = public(ticket, facts, services)
    if not shown and ticket.channel != OPEN_CHANNEL:
        return None
    service = service_of(ticket, facts, services)
    return Listed(
        ticket_id=ticket.ticket_id,
        number=ticket.number,
        client=ticket.client,
        service=service.code if service else ticket.service,
        public=shown,
        open=status(ticket.state, facts) not in _DONE,
        received_at=ticket.received_at,
    )
