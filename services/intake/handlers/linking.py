"""Links made and undone by people, and what follows from a link for those who are linked in turn."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from libs.common.contracts.intake import (
    TicketLinked,
    TicketReceived,
    TicketSupported,
    TicketUnlinked,
    TicketWithdrawn,
)
from libs.common.contracts.vocabulary import Status
from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import unnumbered
from libs.common.runtime.problems import unknown_ticket
from libs.common.runtime.timers import Due
from services.intake import store
from services.intake.domain import (
    By,
    Entry,
    Facts,
    Link,
    News,
    NotPossibleError,
    Ticket,
    face,
    heir,
    joined,
    parted,
    root_of,
    status,
)
from services.intake.handlers.around import Here
from services.intake.handlers.following import MEMORY
from services.intake.handlers.publicity import publish
from services.intake.handlers.redacting import receipt_of, redact_for
from services.intake.handlers.repeats import find_again
from services.intake.handlers.telling import tell

CHILDREN = "children"
"""The timer that moves the children of a ticket that is no root any more."""
MOVED_AT_ONCE = 300
SHARED = (
    "ticket.dispatched", "ticket.reassigned", "ticket.accepted", "ticket.returned", "ticket.ruled", "ticket.resolved",
    "ticket.reopened", "ticket.answered", "ticket.answered.article", "ticket.unanswered", "ticket.transferred",
    "transfer.receipted", "transfer.returned",
)  # fmt: skip
"""The lines of a timeline that concern everyone who waits: who has it, how far it is, and what is answered."""
FOLLOWED = "原诉求已并入同一事项，随之合并"
TAKEN_BACK = "原诉求人已撤回，由最早合并的诉求继续办理"


@dataclass(frozen=True, slots=True)
class Lead:
    """What a repeat's reporter may see of the ticket it belongs to: how it goes, and no word of its reporter."""

    number: str
    status: Status
    facts: Facts
    lines: Sequence[Entry]


async def lead_of(tx: Tx, ticket: Ticket) -> Lead:
    """Return how the ticket goes that this one is linked to. A mark in a reply is opened where the reply was given."""
    root_id = root_of(ticket)
    root = (await store.tickets_of(tx.connection, [root_id]))[root_id]
    facts = MEMORY.read(await store.facts(tx.connection, root_id))
    lines = [
        replace(line, params={name: _plain(value) for name, value in line.params.items()})
        for line in await store.lines_of_types(tx.connection, root_id, SHARED)
    ]
    return Lead(root.number, status(root.state, facts), facts, lines)


def _plain(param: Any) -> Any:
    """Take the numbers off marks; what comes in every language is the city's own words and has none."""
    return unnumbered(param) if isinstance(param, str) else param


async def supported(tx: Tx, here: Here, counts: Mapping[UUID, int]) -> None:
    """Count so many more (or fewer, below 0) who have the same trouble as these tickets, and tell the new totals."""
    changed = {ticket_id: count for ticket_id, count in counts.items() if count}
    if changed:
        await tx.lock(map(str, changed))
        for ticket_id, support in (await store.add_support(tx, changed)).items():
            tx.emit(str(ticket_id), TicketSupported(support=support, at=tx.now))


async def came(tx: Tx, here: Here, joined_: Sequence[Ticket]) -> None:
    """Count the people who stand behind others' tickets by these now that they are linked there."""
    counts = await store.people(tx, joined_)
    # Who confirmed a neighbour's ticket before counts by their own appeal now.
    counts.subtract(await store.drop_reporters(tx, joined_))
    await supported(tx, here, counts)


async def _gone(tx: Tx, here: Here, linked: Sequence[Ticket]) -> None:
    """Count no longer the people who stood behind others' tickets by these alone."""
    counts: Counter[UUID] = Counter()
    counts.subtract(await store.people(tx, linked))
    await supported(tx, here, counts)


async def link(tx: Tx, here: Here, ticket_id: UUID, to: UUID, reason: str, by: str) -> None:
    """Join a ticket to another one, or to its root, and have its own children follow.

    Raises NotPossibleError if either has ended or they belong together already.
    """
    held = await _held_with_roots(tx, here, [ticket_id, to])
    root_id = root_of(held[to])
    child, root = held[ticket_id], held[root_id]
    linked = joined(child, MEMORY.of(tx, str(ticket_id)), root, MEMORY.of(tx, str(root_id)))
    await _join(tx, here, [(linked, await redact_for(tx, here, ticket_id, reason))], by)
    await find_again(tx, here, [linked])
    await tell(tx, here, [News(linked, "linked")])
    await _gone(tx, here, [child])
    await came(tx, here, [linked])
    await _bring_supporters(tx, here, ticket_id, root_id)
    await orphan(tx, ticket_id)


async def unlink(tx: Tx, here: Here, ticket_id: UUID, reason: str, by: str) -> None:
    """Send a linked ticket on its own way. Raises NotPossibleError if it is not linked."""
    held = await _held_with_roots(tx, here, [ticket_id])
    child, reason = held[ticket_id], await redact_for(tx, here, ticket_id, reason)
    await _part(tx, here, child, reason, by)
    await _gone(tx, here, [child])


async def leave(tx: Tx, here: Here, ticket: Ticket) -> bool:
    """Follow up a ticket that its reporter took back, and say whether the withdrawal can be told right away.

    It cannot while others' appeals hang on it: first the oldest of them takes over, and the rest follow that one.
    """
    await _gone(tx, here, [ticket])
    return not await orphan(tx, ticket.ticket_id)


async def orphan(tx: Tx, ticket_id: UUID) -> bool:
    """Have the children of a ticket that is no root any more moved; say whether there are any.

    It is done by a timer, some hundreds at a time: a city may hang on one ticket.
    """
    if not await store.has_children(tx, ticket_id):
        return False
    tx.schedule(CHILDREN, str(ticket_id), tx.now)
    return True


async def on_orphans(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """Move children to where their parent went, or to the heir of one that was taken back."""
    for due in timers:
        await _move_children(tx, here, UUID(due.subject))


async def _move_children(tx: Tx, here: Here, former_id: UUID) -> None:
    former = (await store.tickets_of(tx.connection, [former_id]))[former_id]
    children, busy = await _children(tx, former)
    if former.state == "withdrawn" and not former.heir:
        former = await _inherited(tx, here, former, children)
    target = await _lead(tx, former)
    if target and children:
        await _move(tx, here, former, [child for child in children if child.ticket_id != target.ticket_id], target)
    if busy or (children and root_of(former) != former_id):
        # There may be more of them; and who was held by another transaction is taken up at the next look.
        tx.schedule(CHILDREN, str(former_id), tx.now)
    elif former.state == "withdrawn":
        reason = await store.reason_of_withdrawal(tx, former_id)
        tx.emit(str(former_id), TicketWithdrawn(at=tx.now, reason=reason))


async def _children(tx: Tx, former: Ticket) -> tuple[list[Ticket], bool]:
    """Hold some children of a ticket, unless it leads again; and say whether others are held elsewhere."""
    if former.state == "open":
        return [], False
    found = [child.ticket_id for child in await store.children_of(tx, former.ticket_id, MOVED_AT_ONCE)]
    free = await store.hold_free(tx, found)
    # One may have left between the look and the lock.
    held = await store.tickets_of(tx.connection, free)
    mine = [child for child in held.values() if child.parent == former.ticket_id and child.state == "linked"]
    return sorted(mine, key=lambda child: (child.received_at, child.ticket_id)), len(free) < len(found)


async def _lead(tx: Tx, former: Ticket) -> Ticket | None:
    """Hold and return the ticket that leads now where this one led; None if there is none, or it is held elsewhere.

    It may have been joined or left in its turn.
    """
    lead, next_ = None, former.heir or former.parent
    while next_:
        if not await store.hold_free(tx, [next_]):
            return None
        lead = (await store.tickets_of(tx.connection, [next_]))[next_]
        next_ = lead.heir or lead.parent
    return lead


async def _inherited(tx: Tx, here: Here, former: Ticket, children: Iterable[Ticket]) -> Ticket:
    """Let the oldest child take over from a ticket that was taken back, if one still goes on."""
    successor = heir(children, lambda ticket_id: MEMORY.of(tx, str(ticket_id)))
    if successor is None:
        return former
    await _part(tx, here, successor, TAKEN_BACK, "rule")
    await _gone(tx, here, [successor])
    # Read again: what others wrote of it since, its support for one, must stay.
    (former,) = (await store.tickets_of(tx.connection, [former.ticket_id])).values()
    former = replace(former, heir=successor.ticket_id)
    await store.save(tx, [former], [])
    return former


async def _move(tx: Tx, here: Here, former: Ticket, children: Sequence[Ticket], target: Ticket) -> None:
    reason = TAKEN_BACK if former.heir else FOLLOWED
    moved = [replace(child, parent=target.ticket_id) for child in children]
    await _join(tx, here, [(child, reason) for child in moved], "rule")
    await _gone(tx, here, children)
    await came(tx, here, moved)
    await _bring_supporters(tx, here, former.ticket_id, target.ticket_id)
    if target.state != "open":
        tx.schedule(CHILDREN, str(target.ticket_id), tx.now)


async def _bring_supporters(tx: Tx, here: Here, former: UUID, to: UUID) -> None:
    """Have the neighbours behind a ticket that leads no more stand behind the one that leads now."""
    left, new = await store.move_supporters(tx, former, to)
    await supported(tx, here, {former: -left, to: new})


async def _join(tx: Tx, here: Here, linked: Sequence[tuple[Ticket, str]], by: str) -> None:
    """Store tickets that now have a parent, and say so of each."""
    tickets = [ticket for ticket, _ in linked]
    lines = [Entry(t.ticket_id, tx.now, here.clock.new_id(), TicketLinked.name, {}) for t in tickets]
    await store.save(tx, tickets, lines)
    await store.note_links(tx, [Link(t.ticket_id, tx.now, t.parent, by, reason) for t, reason in linked])
    for ticket, reason in linked:
        subject, parent = str(ticket.ticket_id), root_of(ticket)
        whose: By = "rule" if by == "rule" else "person"
        tx.emit(subject, TicketLinked(**dict(receipt_of(ticket)), parent=parent, reason=reason, by=whose))
        tx.emit(subject, face(ticket, MEMORY.of(tx, subject)))
    await publish(tx, here, [(ticket, MEMORY.of(tx, str(ticket.ticket_id))) for ticket in tickets])


async def _part(tx: Tx, here: Here, child: Ticket, reason: str, by: str) -> None:
    """Send a child on its own way: what ended it is void, and it is received once more."""
    ticket, subject = parted(child), str(child.ticket_id)
    await store.save(tx, [ticket], [Entry(child.ticket_id, tx.now, here.clock.new_id(), TicketUnlinked.name, {})])
    await store.note_links(tx, [Link(child.ticket_id, tx.now, None, by, reason)])
    tx.emit(subject, TicketUnlinked(parent=root_of(child), reason=reason, at=tx.now))
    tx.emit(subject, TicketReceived(**dict(receipt_of(ticket))))
    tx.emit(subject, face(ticket, MEMORY.of(tx, subject)))
    await publish(tx, here, [(ticket, MEMORY.of(tx, subject))])
    await find_again(tx, here, [ticket])


async def _held_with_roots(tx: Tx, here: Here, tickets: Sequence[UUID]) -> dict[UUID, Ticket]:
    """Hold tickets and what they belong to, in the one order that every transaction locks in.

    Raises NotPossibleError if one of them was joined or parted between the look and the lock.
    """
    named = await _known(tx, here, tickets)
    wanted = {*tickets, *map(root_of, named.values())}
    await tx.lock(map(str, wanted))
    held = await _known(tx, here, list(wanted))
    if {root_of(held[ticket_id]) for ticket_id in tickets} - wanted:
        raise NotPossibleError("a ticket was joined or parted just now; look again")
    return held


async def _known(tx: Tx, here: Here, tickets: Sequence[UUID]) -> dict[UUID, Ticket]:
    found = await store.tickets_of(tx.connection, tickets)
    for ticket_id in tickets:
        if ticket_id not in found:
            raise unknown_ticket(ticket_id, here.clock)
    return found
