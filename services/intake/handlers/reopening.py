"""Tickets that were answered and go on after all."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from libs.common.contracts.intake import TicketReceived
from libs.common.messaging.transaction import Tx
from services.intake import store
from services.intake.domain import Facts, Ticket
from services.intake.handlers.redacting import receipt_of


async def take_up(tx: Tx, learned: Iterable[tuple[Ticket, Facts, Facts]]) -> dict[UUID, Ticket]:
    """Let go on as orders those answered tickets that feedback reopened; each comes with its facts before and after.

    Not an emergency, nor what was passed on: there no unit of the city could do more.
    """
    opened = {
        ticket.ticket_id: replace(ticket, state="open", answer=None)
        for ticket, before, after in learned
        if ticket.state == "answered" and not (ticket.emergency or ticket.transfer) and before.round < after.round
    }
    await store.save(tx, opened.values(), [])
    for ticket in opened.values():
        tx.emit(str(ticket.ticket_id), TicketReceived(**dict(receipt_of(ticket))))
    return opened
