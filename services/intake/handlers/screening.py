"""The step behind the door: take the personal data out, see emergencies, join repeats, and only then tell."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from services.intake import store
from services.intake.domain import Ticket
from services.intake.handlers.around import Here
from services.intake.handlers.joining import enter
from services.intake.handlers.redacting import redacted

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
        await enter(here, tx, screened)
    return 0


def _screen_all(here: Here, rows: Sequence[store.Sealed]) -> list[tuple[Ticket, store.Sealed]]:
    """Screen each appeal; one that cannot be is left out, for it must not hold up the others."""
    screened = []
    for row in rows:
        try:
            screened.append(redacted(here.engine, row))
        except Exception as error:  # noqa: BLE001
            # An appeal our own code cannot read is our fault: it stays queued until a release that can.
            log.error("appeal cannot be screened", ticket=str(row.ticket_id), error=type(error).__name__)
    return screened
