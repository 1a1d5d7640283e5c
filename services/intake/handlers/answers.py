"""Consultations 咨询: a question answered on the spot, or found not to be, so that it goes on as an order."""

from dataclasses import replace
from uuid import UUID

from libs.common.contracts.intake import Article, TicketAnswered, TicketReceived
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import unknown_ticket
from services.intake import store
from services.intake.domain import Entry, News, NotPossibleError, status
from services.intake.handlers.around import Here
from services.intake.handlers.commands import change, open_ticket
from services.intake.handlers.following import MEMORY
from services.intake.handlers.redacting import receipt_of, redact_for
from services.intake.handlers.telling import tell

UNANSWERED = "ticket.unanswered"
"""The type of the timeline's line that says so."""


async def answer(tx: Tx, here: Here, ticket_id: UUID, text: str, article: Article | None = None) -> None:
    """Answer an appeal at once, as a seat does with a question; `article` is what was read out.

    Raises NotPossibleError once it is no longer open.
    """
    ticket = await open_ticket(tx, here, ticket_id)
    text = await redact_for(tx, here, ticket_id, text)
    ticket = replace(ticket, state="answered", answer=text)
    event = TicketAnswered(**dict(receipt_of(ticket)), answer=text, article=article)
    params = {"answer": text} | (article.model_dump() if article else {})
    await change(tx, here, ticket, event, params, line="ticket.answered.article" if article else "")
    await tell(tx, here, [News(ticket, "answered", params={"answer": text})])


async def unanswer(tx: Tx, here: Here, ticket_id: UUID, reason: str | None) -> None:
    """Say that a question could not be answered at once: it goes on as an order, also when it seemed to be answered.

    So does what was taken for an emergency and was none. Raises NotPossibleError if it ended otherwise.
    """
    await tx.lock([str(ticket_id)])
    ticket = (await store.tickets_of(tx.connection, [ticket_id])).get(ticket_id)
    if ticket is None:
        raise unknown_ticket(ticket_id, here.clock)
    state = status(ticket.state, MEMORY.of(tx, str(ticket_id)))
    params = {"reason": await redact_for(tx, here, ticket_id, reason)} if reason else {}
    if state == "answered" and not ticket.transfer:
        ticket = replace(ticket, state="open", answer=None, emergency=None)
        await change(tx, here, ticket, TicketReceived(**dict(receipt_of(ticket))), params, line=UNANSWERED)
    elif ticket.state == "open" and state != "closed":
        # Its order is on its way already: there is nothing to void, only something to tell.
        await store.save(tx, [], [Entry(ticket_id, tx.now, here.clock.new_id(), UNANSWERED, params)])
    else:
        raise NotPossibleError(f"the ticket is {state}")
