"""Which appeals are the same: for now the same reporter in the same words about the same place, within a week."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.intake.domain import Ticket

WINDOW = timedelta(days=7)
_NOISE = re.compile(r"[\W_]+")


def likeness(text: str, address: str | None) -> bytes:
    """Return 16 bytes that are equal for texts that differ only in width, case, punctuation and white space."""
    plain = _NOISE.sub("", unicodedata.normalize("NFKC", f"{text}\n{address or ''}").casefold())
    return hashlib.blake2b(plain.encode(), digest_size=16).digest()


def join(tickets: Sequence[Ticket], earlier: Mapping[tuple[str, bytes], Ticket]) -> list[Ticket]:
    """Link each ticket that repeats an earlier one, or one before it in this batch. Order is kept."""
    first = dict(earlier)
    joined = []
    for ticket in tickets:
        key = (ticket.reporter or "", ticket.likeness)
        parent = first.get(key)
        if ticket.reporter and ticket.state == "open":
            if parent and parent.ticket_id != ticket.ticket_id and ticket.received_at - parent.received_at <= WINDOW:
                ticket = replace(ticket, state="linked", parent=root(parent))  # noqa: PLW2901 it becomes a linked one
            else:
                first[key] = ticket
        joined.append(ticket)
    return joined


def root(ticket: Ticket) -> UUID:
    """Return the ticket that a repeat of this one belongs to."""
    return ticket.parent or ticket.ticket_id
