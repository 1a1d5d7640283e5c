"""Entering: redacted appeals are joined to what they repeat, stored, and only then told."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from libs.common.contracts.envelope import Event
from libs.common.contracts.intake import TicketAnswered, TicketLinked, TicketReceived
from libs.common.messaging.transaction import Tx
from services.intake import store
from services.intake.domain import Entry, Facts, Likely, Link, Ticket, face, goes_on, root_of
from services.intake.handlers.around import Here
from services.intake.handlers.flags import flag_noticed
from services.intake.handlers.following import MEMORY
from services.intake.handlers.linking import came
from services.intake.handlers.publicity import publish
from services.intake.handlers.redacting import receipt_of
from services.intake.handlers.repeats import known_to, likeness_of, read_slowly
from services.intake.handlers.telling import tell_entered


@dataclass(slots=True)
class Joined:
    """What came of looking for repeats. `by` is what each linked ticket was joined by, `left` what a person decides."""

    tickets: list[Ticket]
    by: dict[UUID, Likely] = field(default_factory=dict)
    left: dict[UUID, Sequence[Likely]] = field(default_factory=dict)
    likenesses: list[store.Likeness] = field(default_factory=list)


async def enter(here: Here, tx: Tx, screened: Sequence[tuple[Ticket, store.Sealed]]) -> None:
    """Join repeats, store the tickets, and say of each what it is."""
    if not screened:
        return
    joined = await _join(here, tx, [ticket for ticket, _ in screened])
    tickets = joined.tickets
    await store.save_marks(tx, [row for _, row in screened if row.marks])
    await store.save(tx, tickets, [line for ticket in tickets for line in _lines(tx, here, ticket)])
    await _keep(tx, here, joined)
    await flag_noticed(tx, here, tickets)
    await tell_entered(tx, here, tickets)
    for ticket in tickets:
        tx.emit(str(ticket.ticket_id), _entered(here, ticket, joined.by.get(ticket.ticket_id)))
        tx.emit(str(ticket.ticket_id), face(ticket, Facts()))
    await publish(tx, here, [(ticket, Facts()) for ticket in tickets if ticket.service])


async def _join(here: Here, tx: Tx, fresh: Sequence[Ticket]) -> Joined:
    """Join what can be to tickets that go on, and the others among themselves: all of an event belong to its first."""
    repeats = here.engine.repeats
    open_ = [ticket for ticket in fresh if ticket.state == "open"]
    read = await read_slowly(here, open_)
    found = repeats.among(read, await known_to(here, tx.connection, read))
    linked = await _to_known(here, tx, open_, found)
    rest = sorted(
        (at for at, ticket in enumerate(open_) if ticket.ticket_id not in linked),
        key=lambda at: (open_[at].received_at, open_[at].ticket_id),
    )
    ids = [ticket.ticket_id for ticket in open_]
    for at, likely in repeats.within(read, ids, rest).items():
        linked[ids[at]] = (likely, likely.ticket_id)
    tickets = {ticket.ticket_id: _linked(ticket, linked.get(ticket.ticket_id)) for ticket in fresh}
    return Joined(
        tickets=list(tickets.values()),
        by={ticket_id: likely for ticket_id, (likely, _) in linked.items()},
        left={id_: some for id_, some in zip(ids, found, strict=True) if some and id_ not in linked},
        likenesses=[likeness_of(here, tickets[id_], read, at) for at, id_ in enumerate(ids)],
    )


async def _to_known(
    here: Here, tx: Tx, fresh: Sequence[Ticket], found: Sequence[Sequence[Likely]]
) -> dict[UUID, tuple[Likely, UUID]]:
    """Return what each ticket is joined by, and to which root.

    The roots are held from here on: whoever repeats an appeal that has ended is heard anew.
    """
    sure = [[likely for likely in some if likely.score >= here.engine.repeats.rules.link] for some in found]
    likely_ones = await store.tickets_of(tx.connection, {likely.ticket_id for some in sure for likely in some})
    roots = {ticket_id: root_of(ticket) for ticket_id, ticket in likely_ones.items()}
    await tx.lock(map(str, roots.values()))
    held = await store.tickets_of(tx.connection, set(roots.values()))
    going = {id_ for id_, root in held.items() if goes_on(root.state, MEMORY.of(tx, str(id_)))}
    linked = {}
    for ticket, some in zip(fresh, sure, strict=True):
        live = [(likely, roots[likely.ticket_id]) for likely in some if roots.get(likely.ticket_id) in going]
        if live:
            linked[ticket.ticket_id] = live[0]
    return linked


def _linked(ticket: Ticket, to: tuple[Likely, UUID] | None) -> Ticket:
    return replace(ticket, state="linked", parent=to[1]) if to else ticket


def _lines(tx: Tx, here: Here, ticket: Ticket) -> list[Entry]:
    lines = [Entry(ticket.ticket_id, ticket.received_at, here.clock.new_id(), TicketReceived.name, {})]
    if ticket.parent:
        lines.append(Entry(ticket.ticket_id, tx.now, here.clock.new_id(), TicketLinked.name, {}))
    if ticket.emergency:
        params = {"answer": ticket.answer}
        lines.append(Entry(ticket.ticket_id, tx.now, here.clock.new_id(), TicketAnswered.name, params))
    return lines


async def _keep(tx: Tx, here: Here, joined: Joined) -> None:
    """Store by what these tickets are found again, what was decided of them, and what is left to people."""
    await store.keep_likenesses(tx.connection, [one for one in joined.likenesses if one.keys])
    await store.suggest(
        tx,
        [
            store.Suggestion(ticket_id, likely.ticket_id, likely.score, likely.reasons, tx.now)
            for ticket_id, some in joined.left.items()
            for likely in some
        ],
    )
    linked = [ticket for ticket in joined.tickets if ticket.parent]
    await store.note_links(tx, [_noted(tx, here, ticket, joined.by[ticket.ticket_id]) for ticket in linked])
    await came(tx, here, linked)


def _noted(tx: Tx, here: Here, ticket: Ticket, likely: Likely) -> Link:
    reason = here.engine.messages.repeat(likely.reasons, "zh")
    return Link(ticket.ticket_id, tx.now, ticket.parent, "rule", reason, likely.score)


def _entered(here: Here, ticket: Ticket, likely: Likely | None) -> Event:
    receipt = dict(receipt_of(ticket))
    if likely and ticket.parent:
        reason = here.engine.messages.repeat(likely.reasons, "zh")
        return TicketLinked(**receipt, parent=ticket.parent, reason=reason, score=likely.score)
    if ticket.state == "answered":
        return TicketAnswered(**receipt, answer=ticket.answer or "", emergency=ticket.emergency)
    return TicketReceived(**receipt)
