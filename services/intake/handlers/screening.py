"""The step behind the door: take the personal data out, see emergencies, join repeats, and only then tell."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import structlog

from libs.common.contracts.envelope import Event
from libs.common.contracts.intake import TicketAnswered, TicketLinked, TicketReceived
from libs.common.contracts.vocabulary import Location, Receipt
from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import Pseudonyms, Redactor
from services.intake import repeats, store
from services.intake.appeal import Appeal
from services.intake.domain import Entry, Facts, Ticket, emergency_in, face, goes_on
from services.intake.handlers.around import Engine, Here
from services.intake.handlers.following import MEMORY
from services.intake.handlers.opening import seal_marks

SCREEN_LIMIT = 200
SCREEN_AGAIN = timedelta(minutes=1)
log = structlog.get_logger(__name__)


async def screen(here: Here) -> float:
    """Screen what waits, oldest first, and return the seconds until there may be more: the step behind the POST."""
    async with here.database.begin() as tx:
        attempts = await store.take_inbound(tx, SCREEN_LIMIT)
        if not attempts:
            return 1.0
        await tx.lock(map(str, attempts))
        rows = await store.sealed(tx.connection, attempts)
        screened = await asyncio.to_thread(_screen_all, here, rows)
        for ticket_id in attempts.keys() - {ticket.ticket_id for ticket, _ in screened}:
            await store.put_off(tx, ticket_id, attempts[ticket_id] + 1, SCREEN_AGAIN)
        await _enter(here, tx, screened)
    return 0


def _screen_all(here: Here, rows: Sequence[store.Sealed]) -> list[tuple[Ticket, store.Sealed]]:
    """Screen each appeal; one that cannot be is left out, for it must not hold up the others."""
    screened = []
    for row in rows:
        try:
            screened.append(_screen(here.engine, row))
        except Exception as error:  # noqa: BLE001
            # An appeal our own code cannot read is our fault: it stays queued until a release that can.
            log.error("appeal cannot be screened", ticket=str(row.ticket_id), error=type(error).__name__)
    return screened


def _screen(engine: Engine, row: store.Sealed) -> tuple[Ticket, store.Sealed]:
    """Open an appeal, take the personal data out, and see whether it is an emergency."""
    appeal = Appeal.model_validate_json(engine.vault.open(row.appeal, row.ticket_id.bytes))
    redactor = Redactor(appeal.known())
    title, text, address = (redactor.redact(t) if t else None for t in (appeal.title, appeal.text, appeal.address))
    emergency = emergency_in(f"{appeal.title or ''}\n{appeal.text}", engine.emergencies)
    ticket = Ticket(
        row.ticket_id, row.number, row.client, appeal.channel, appeal.kind, title, text or "",
        _pseudonym(engine.pseudonyms, appeal), appeal.reporter.type, appeal.reporter.anonymous, address,
        round(appeal.location.lat, 4) if appeal.location else None,
        round(appeal.location.lon, 4) if appeal.location else None,
        appeal.occurred_at, row.received_at, appeal.access_needs, appeal.language,
        repeats.likeness(appeal.text, appeal.address),
        state="answered" if emergency else "open",
        answer=engine.messages.emergency(emergency, appeal.language) if emergency else None,
        emergency=emergency.number if emergency else None,
    )  # fmt: skip
    return ticket, seal_marks(engine, row, redactor.marks) if redactor.marks else row


def _pseudonym(pseudonyms: Pseudonyms, appeal: Appeal) -> str | None:
    """Return who appeals, where it is sure: a phone, or the name of what is no person. Two persons may share a name."""
    reporter = appeal.reporter
    if reporter.anonymous:
        return None
    if reporter.phone:
        return pseudonyms.of("phone", reporter.phone)
    return pseudonyms.of(reporter.type, reporter.name) if reporter.name and reporter.type != "person" else None


async def _enter(here: Here, tx: Tx, screened: Sequence[tuple[Ticket, store.Sealed]]) -> None:
    """Join repeats, store the tickets, and say of each what it is."""
    fresh = [ticket for ticket, _ in screened]
    if not fresh:
        return
    tickets = repeats.join(fresh, await _going_on(tx, fresh))
    await store.save_marks(tx, [row for _, row in screened if row.marks])
    await store.save(
        tx, tickets, [Entry(t.ticket_id, t.received_at, here.clock.new_id(), "ticket.received", {}) for t in tickets]
    )
    parents = Counter(ticket.parent for ticket in tickets if ticket.parent)
    if parents:
        await store.add_support(tx, parents)
    for ticket in tickets:
        tx.emit(str(ticket.ticket_id), _entered(ticket))
        tx.emit(str(ticket.ticket_id), face(ticket, Facts()))


async def _going_on(tx: Tx, fresh: Sequence[Ticket]) -> dict[tuple[str, bytes], Ticket]:
    """Return the first ticket of each reporter and likeness that a repeat may be joined to.

    Its root is held from here on: whoever repeats an appeal that has ended is heard anew.
    """
    earlier = await store.earlier(tx, fresh, min(ticket.received_at for ticket in fresh) - repeats.WINDOW)
    if not earlier:
        return {}
    roots = {repeats.root(ticket) for ticket in earlier}
    await tx.lock(map(str, roots))
    held = await store.tickets_of(tx.connection, roots)
    going = {id_ for id_, root in held.items() if goes_on(root.state, MEMORY.of(tx, str(id_)))}
    return {(t.reporter or "", t.likeness): t for t in reversed(earlier) if repeats.root(t) in going}


def _entered(ticket: Ticket) -> Event:
    receipt = dict(receipt_of(ticket))
    if ticket.state == "linked" and ticket.parent:
        return TicketLinked(**receipt, parent=ticket.parent, reason="same reporter, same words, same place")
    if ticket.state == "answered":
        return TicketAnswered(**receipt, answer=ticket.answer or "", emergency=ticket.emergency)
    return TicketReceived(**receipt)


def receipt_of(ticket: Ticket) -> Receipt:
    """Return what other services may know of an appeal."""
    return Receipt(
        number=ticket.number, channel=ticket.channel, kind=ticket.kind, title=ticket.title, text=ticket.text,
        reporter=ticket.reporter, reporter_type=ticket.reporter_type, anonymous=ticket.anonymous,
        address=ticket.address,
        location=Location(lat=ticket.lat, lon=ticket.lon or 0.0) if ticket.lat is not None else None,
        occurred_at=ticket.occurred_at, received_at=ticket.received_at, access_needs=ticket.access_needs,
        language=ticket.language,
    )  # fmt: skip
