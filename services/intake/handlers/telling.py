"""Messages to citizens: written in the transaction of what they tell, addressed and sent later.

A ticket's reporter is told in that very transaction. Those who wait as well, whose appeals are linked to it or who
follow it, may be ten thousand: a timer tells them, some hundreds at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from libs.common.city.settings import MessageKind
from libs.common.contracts import dispatch, feedback
from libs.common.contracts.envelope import Envelope, Event
from libs.common.messaging.transaction import Tx
from libs.common.runtime.notify import NO_GATEWAY, Notice, enqueue
from libs.common.runtime.privacy.tokens import home_number
from libs.common.runtime.timers import Due
from services.intake import store
from services.intake.appeal import Reporter
from services.intake.domain import (
    Hearer,
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

NEWS = "news"
"""The timer that tells those who wait with a ticket's reporter."""
TOLD_AT_ONCE = 300
TICKET, FOLLOWER = "ticket:", "follower:"
LINK, REVIEW, STOP = "{link}", "{review}", "{stop}"
"""What opens a ticket is no part of a stored text: it comes in when the message goes out."""


def reach(reporter: Reporter) -> dict[Way, str]:
    """Return where a reporter can be written to: nowhere, for one who stays anonymous."""
    if reporter.anonymous:
        return {}
    return addresses(reporter.phone, home_number(reporter.phone) if reporter.phone else "", reporter.email)


async def tell(tx: Tx, here: Here, news: Sequence[News]) -> None:
    """Have the reporters of tickets told what happened, in one statement, and all who wait with them soon after."""
    told = await _numbered(tx, [n for n in news if n.kind not in here.engine.telling.off])
    await enqueue(tx.connection, [_to_reporter(tx, here, n) for n in told if n.ticket.ways], tx.now)
    await _spread(tx, [n for n in told if n.concerns_others])


async def _spread(tx: Tx, news: Sequence[News]) -> None:
    # An answer's words stay with whom it was given to; the others read it where it is shown.
    named = [replace(n, params={name: said for name, said in n.params.items() if name == "unit"}) for n in news]
    await store.spread(tx, named)
    for n in named:
        tx.schedule(NEWS, str(n.ticket.ticket_id), tx.now)


async def on_news(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """Tell some of those who wait with the reporters of these tickets what happened, and the rest the next time."""
    page, more = await store.take_hearers(tx, [UUID(due.subject) for due in timers], TOLD_AT_ONCE)
    await enqueue(tx.connection, await _to_hearers(tx, here, page), tx.now)
    if more:
        for due in timers:
            tx.schedule(NEWS, due.subject, tx.now)


async def _to_hearers(tx: Tx, here: Here, page: Sequence[Hearer]) -> list[Notice]:
    linked = await _unaware(tx, [hearer for hearer in page if hearer.linked])
    followers = await store.supporters_of(tx.connection, [hearer.id for hearer in page if not hearer.linked])
    tickets = await store.tickets_of(tx.connection, [id_ for hearer in page for id_ in (hearer.ticket_id, hearer.id)])
    return [
        *(_to_led(tx, here, hearer, tickets[hearer.id]) for hearer in linked),
        *(_to_follower(tx, here, h, tickets[h.ticket_id], followers[h.id]) for h in page if not h.linked),
    ]


async def _unaware(tx: Tx, linked: Sequence[Hearer]) -> list[Hearer]:
    """Leave out whom it would tell what they heard before: that their matter is with a unit, of whichever ticket."""
    handed = [hearer for hearer in linked if hearer.kind == "dispatched"]
    leads = await store.leads_of(tx, [hearer.id for hearer in handed])
    keys = {(h.id, h.round): [message_key(h.id, h.kind, h.round, of) for of in (None, *leads[h.id])] for h in handed}
    known = await store.told_before(tx, list(chain(*keys.values())))
    told = {whose for whose, mine in keys.items() if not known.isdisjoint(mine)}
    return [hearer for hearer in linked if hearer.kind != "dispatched" or (hearer.id, hearer.round) not in told]


async def _numbered(tx: Tx, news: Sequence[News]) -> list[News]:
    """Number what has no round by how often such was told of the ticket before."""
    tickets = {n.ticket.ticket_id for n in news if n.round is None}
    if not tickets:
        return list(news)
    before = await store.count_messages(tx, [key for id_ in tickets for key in message_keys(id_, 0)])
    # Of a ticket whose reporter cannot be written to, only others were told.
    before |= await store.count_news(tx, tickets)
    return [replace(n, round=before[n.ticket.ticket_id, n.kind] + 1) if n.round is None else n for n in news]


async def tell_entered(tx: Tx, here: Here, tickets: Sequence[Ticket]) -> None:
    """Tell reporters that their appeals were received, joined to another, or answered at once."""
    entered = [t for t in tickets if t.state in _ENTERED]
    await tell(tx, here, [News(t, _ENTERED[t.state], 1, {"answer": t.answer or ""}) for t in entered])


async def tell_of(tx: Tx, here: Here, events: Sequence[Envelope[Any]], tickets: Mapping[UUID, Ticket]) -> None:
    """Tell what other stages did, unless the reporter took the appeal back."""
    mine = [event for event in events if event.ticket in tickets and not _phoned(event.data)]
    news = [_news(tickets[e.ticket], e.data) for e in mine if type(e.data) in _NEWS]
    await tell(tx, here, [n for n in news if n.ticket.state != "withdrawn"])


def _phoned(event: Event) -> bool:
    """Whether a seat asks what a message would: nobody is asked twice for one thing."""
    return isinstance(event, feedback.ReviewRequested) and event.method == "callback"


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
    at = here.engine.telling.due(news.kind, tx.now)
    return _notice(here, key, f"{TICKET}{ticket.ticket_id}", text, at, ticket.ways)


def _to_led(tx: Tx, here: Here, hearer: Hearer, ticket: Ticket) -> Notice:
    news = News(ticket, hearer.kind, hearer.round, hearer.params)
    text = here.engine.messages.led(news, ticket.language, link=LINK)
    key = message_key(ticket.ticket_id, hearer.kind, hearer.round, hearer.ticket_id)
    return _notice(here, key, f"{TICKET}{ticket.ticket_id}", text, here.engine.telling.by_day(tx.now), ticket.ways)


def _to_follower(tx: Tx, here: Here, hearer: Hearer, ticket: Ticket, follower: Supporter) -> Notice:
    news = News(ticket, hearer.kind, hearer.round, hearer.params)
    text = here.engine.messages.followed(news, follower.language, link=LINK, stop=STOP)
    key = message_key(follower.supporter_id, hearer.kind, hearer.round, hearer.ticket_id)
    to = f"{FOLLOWER}{follower.supporter_id}"
    return _notice(here, key, to, text, here.engine.telling.by_day(tx.now), follower.ways)


def _notice(here: Here, key: str, to: str, text: str, at: datetime, ways: Sequence[Way]) -> Notice:
    error = None if reachable(ways, here.engine.telling.gateways) else NO_GATEWAY
    return Notice(key, to, text, at, error)


async def messages(here: Here, ticket_id: UUID, round_: int) -> list[Message]:
    """Return what a ticket's reporter was told up to a round, and what became of each message, oldest first.

    That of another ticket among it, which theirs is linked to or was.
    """
    async with here.database.pool.acquire() as connection:
        led = await store.news_of_leads(connection, ticket_id)
        # Of a linked ticket the citizen is asked in the rounds of the one that leads.
        own = message_keys(ticket_id, max([round_, *(number for _, _, number in led)]))
        keys = [*own, *(message_key(ticket_id, kind, number, of) for of, kind, number in led)]
        return await store.messages(connection, keys)
