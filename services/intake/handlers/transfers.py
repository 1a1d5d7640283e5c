"""Outward transfers 转办: passed on to a body outside, its receipt, and the way back when it is not theirs either."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from uuid import UUID

from libs.common.city.scope import Body
from libs.common.contracts.intake import TicketAnswered, TicketReceived, Transfer
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import unknown_ticket, wrong_field
from services.intake import store
from services.intake.domain import News, NotPossibleError, Ticket, Transferred, TransferState, receipted, returned
from services.intake.handlers.around import Here
from services.intake.handlers.commands import change, open_ticket
from services.intake.handlers.redacting import receipt_of, redact_for
from services.intake.handlers.telling import tell


async def transfer(tx: Tx, here: Here, ticket_id: UUID, code: str, reason: str, by: str) -> None:
    """Pass an appeal on to a body outside, and tell the citizen to which, why, and how to reach it.

    Raises NotPossibleError once it is no longer open, Problem 422 if there is no such body.
    """
    body = here.engine.city.bodies.get(code)
    if body is None:
        raise wrong_field("body", "must be the code of a body in the city's list: see GET /intake/v1/scope")
    ticket = await open_ticket(tx, here, ticket_id)
    reason = (await redact_for(tx, here, ticket_id, reason)).rstrip("。.！! ")
    sent = Transferred(here.clock.new_id(), ticket_id, body.code, body.name.zh, reason, by, tx.now)
    params = {"body": asdict(body.name), "reason": reason, "contact": _contact(here, body)}
    told = here.engine.messages.say(ticket.language, "event", "ticket.transferred", **params)
    ticket = replace(ticket, state="answered", answer=told, transfer=body.code)
    await store.save_transfer(tx, sent)
    await change(tx, here, ticket, _answered(ticket, sent), params, line="ticket.transferred")
    await tell(tx, here, [News(ticket, "transferred", params={"unit": body.name.zh})])


async def note_receipt(tx: Tx, here: Here, ticket_id: UUID, receipt: str, by: str) -> None:
    """Note the number under which the body has it. Raises NotPossibleError if it is not passed on."""
    ticket, sent = await _passed_on(tx, here, ticket_id)
    sent = receipted(sent, receipt, by, tx.now)
    await store.save_transfer(tx, sent)
    params = {"body": _name(here, sent), "receipt": receipt}
    await change(tx, here, ticket, _answered(ticket, sent), params, line="transfer.receipted")


async def take_back(tx: Tx, here: Here, ticket_id: UUID, reason: str, by: str) -> None:
    """Take an appeal back that the body sent back: it goes on as an order. Raises NotPossibleError."""
    ticket, sent = await _passed_on(tx, here, ticket_id)
    reason = await redact_for(tx, here, ticket_id, reason)
    sent = returned(sent, reason, by, tx.now)
    await store.save_transfer(tx, sent)
    ticket = replace(ticket, state="open", answer=None, transfer=None)
    params = {"body": _name(here, sent), "reason": reason}
    await change(tx, here, ticket, TicketReceived(**dict(receipt_of(ticket))), params, line="transfer.returned")


async def list_transfers(
    here: Here, state: TransferState, language: str | None, after: tuple[datetime, UUID], limit: int
) -> Sequence[tuple[Transferred, str]]:
    """Return transfers in a state with the numbers of their tickets, oldest first, behind a place."""
    async with here.database.begin() as tx:
        found = await store.transfers_in(tx.connection, state, language, after, limit)
        numbers = await store.numbers(tx, [one.ticket_id for one in found])
    return [(one, numbers[one.ticket_id]) for one in found]


async def _passed_on(tx: Tx, here: Here, ticket_id: UUID) -> tuple[Ticket, Transferred]:
    """Hold a ticket that stands transferred."""
    await tx.lock([str(ticket_id)])
    ticket = (await store.tickets_of(tx.connection, [ticket_id])).get(ticket_id)
    if ticket is None:
        raise unknown_ticket(ticket_id, here.clock)
    sent = await store.last_transfer(tx, ticket_id)
    if sent is None or not ticket.transfer:
        raise NotPossibleError("the ticket is not transferred")
    return ticket, sent


def _answered(ticket: Ticket, sent: Transferred) -> TicketAnswered:
    passed_on = Transfer(body=sent.body, name=sent.name, receipt=sent.receipt)
    return TicketAnswered(**dict(receipt_of(ticket)), answer=ticket.answer or "", transfer=passed_on)


def _name(here: Here, sent: Transferred) -> dict[str, str]:
    """Return what a body is called; one that the list names no more, as it was called when the ticket went there."""
    body = here.engine.city.bodies.get(sent.body)
    return asdict(body.name) if body else {"zh": sent.name, "en": sent.name}


def _contact(here: Here, body: Body) -> dict[str, str]:
    """Return how a citizen reaches a body, in every language there is."""
    messages = here.engine.messages
    ways = [(way, address) for way, address in (("phone", body.phone), ("web", body.web)) if address]
    return {
        language: "".join(messages.say(language, "contact", way, address=address) for way, address in ways)
        for language in messages.known
    }
