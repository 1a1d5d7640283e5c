"""Messages to citizens: written in the transaction of what they tell, addressed and sent later."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from libs.common.city.settings import MessageKind
from libs.common.contracts import dispatch, feedback
from libs.common.contracts.envelope import Envelope, Event
from libs.common.messaging.transaction import Tx
from libs.common.runtime.notify import NO_GATEWAY, Notice, enqueue
from libs.common.runtime.privacy.tokens import home_number
from services.intake import store
from services.intake.appeal import Reporter
from services.intake.domain import (
    FOLLOWED,
    Message,
    News,
    Supporter,
    Ticket,
    Way,
    addresses,
    message_key,
    message_keys,
    reachable,
)
from services.intake.handlers.around import Here

TICKET, FOLLOWER = "ticket:", "follower:"
LINK, REVIEW, STOP = "{link}", "{review}", "{stop}"
"""What opens a ticket is no part of a stored text: it comes in when the message goes out."""


def reach(reporter: Reporter) -> dict[Way, str]:
    """Return where a reporter can be written to: nowhere, for one who stays anonymous."""
    if reporter.anonymous:
        return {}
    return addresses(reporter.phone, home_number(reporter.phone) if reporter.phone else "", reporter.email)


async def tell(tx: Tx, here: Here, news: Sequence[News]) -> None:
    """Have the reporters of tickets, and those who follow them, told what happened. One statement, however many."""
    told = await _numbered(tx, [n for n in news if n.kind not in here.engine.telling.off])
    notices = [_to_reporter(tx, here, n) for n in told if n.ticket.ways]
    followed = {n.ticket.ticket_id: n for n in told if n.kind in FOLLOWED and n.ticket.support}
    if followed:
        followers = await store.followers(tx.connection, followed)
        notices += [_to_follower(tx, here, followed[follower.ticket_id], follower) for follower in followers]
    await enqueue(tx.connection, notices, tx.now)


async def _numbered(tx: Tx, news: Sequence[News]) -> list[News]:
    """Number what has no round by how often the ticket's reporter was told of such before."""
    tickets = {n.ticket.ticket_id for n in news if n.round is None}
    before = await store.count_messages(tx, [key for id_ in tickets for key in message_keys(id_, 0)]) if tickets else {}
    return [replace(n, round=before.get((n.ticket.ticket_id, n.kind), 0) + 1) if n.round is None else n for n in news]


async def tell_entered(tx: Tx, here: Here, tickets: Sequence[Ticket]) -> None:
    """Tell reporters that their appeals were received, joined to another, or answered at once."""
    entered = [t for t in tickets if t.state in _ENTERED]
    await tell(tx, here, [News(t, _ENTERED[t.state], 1, {"answer": t.answer or ""}) for t in entered])


async def tell_of(tx: Tx, here: Here, events: Sequence[Envelope[Any]], tickets: Mapping[UUID, Ticket]) -> None:
    """Tell what other stages did, unless the reporter took the appeal back."""
    news = [_news(tickets[e.ticket], e.data) for e in events if e.ticket in tickets and type(e.data) in _NEWS]
    await tell(tx, here, [n for n in news if n.ticket.state != "withdrawn"])


def _news(ticket: Ticket, event: Any) -> News:
    unit = getattr(event, "unit", None)
    return News(ticket, _NEWS[type(event)], event.round, {"unit": unit.name} if unit else {})


_NEWS: Mapping[type[Event], MessageKind] = {
    dispatch.TicketDispatched: "dispatched",
    dispatch.TicketResolved: "resolved",
    feedback.ReviewRequested: "asked",
    feedback.TicketClosed: "closed",
}
_ENTERED: Mapping[str, MessageKind] = {"open": "received", "linked": "linked", "answered": "answered"}


def _to_reporter(tx: Tx, here: Here, news: News) -> Notice:
    ticket = news.ticket
    text = here.engine.messages.message(news, ticket.language, link=LINK, review=REVIEW)
    key = message_key(ticket.ticket_id, news.kind, news.round or 1)
    return _notice(tx, here, key, f"{TICKET}{ticket.ticket_id}", text, news, ticket.ways)


def _to_follower(tx: Tx, here: Here, news: News, follower: Supporter) -> Notice:
    text = here.engine.messages.followed(news, follower.language, link=LINK, stop=STOP)
    key = message_key(follower.supporter_id, news.kind, news.round or 1)
    return _notice(tx, here, key, f"{FOLLOWER}{follower.supporter_id}", text, news, follower.ways)


def _notice(tx: Tx, here: Here, key: str, to: str, text: str, news: News, ways: Sequence[Way]) -> Notice:
    telling = here.engine.telling
    error = None if reachable(ways, telling.gateways) else NO_GATEWAY
    return Notice(key, to, text, telling.due(news.kind, tx.now), error)


async def messages(here: Here, ticket_id: UUID, round_: int) -> list[Message]:
    """Return what a ticket's reporter was told up to a round, and what became of each message, oldest first."""
    return await store.messages(here.database.pool, message_keys(ticket_id, round_))
