"""The step behind the door: take the personal data out, see emergencies, join repeats, and only then tell.

It gives way to the door for a while: an answer is waited for, the step behind it is not.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

import structlog
from prometheus_client import Gauge

from libs.common.messaging.retry import describe, is_transient
from libs.common.messaging.transaction import Tx
from libs.common.runtime.clock import born
from services.intake import store
from services.intake.domain import Ticket
from services.intake.handlers.around import Here
from services.intake.handlers.files import with_files
from services.intake.handlers.joining import enter
from services.intake.handlers.receiving import LONGEST_BACKLOG
from services.intake.handlers.redacting import redacted

SCREEN_LIMIT = 200
SCREEN_AGAIN = timedelta(minutes=1)
SLICE_SECONDS = 0.002
"""For how long screening keeps the event loop at a time."""
CROWD = 16
"""So many single POSTs under way at once are more than 1,000 a second make, unless the door is short of time."""
GIVES_WAY_SECONDS = 5.0
"""How old an appeal becomes before its screening takes turns with a crowd, and waits no longer."""
GLANCE_SECONDS = 0.005
COUNT_SECONDS = 10.0
"""Between two counts of the backlog, in which the busiest process has taken in a tenth of the longest at most."""
BACKLOG = Gauge("jiesu_intake_backlog", "Appeals that wait for screening, counted up to where no more are taken in")

log = structlog.get_logger(__name__)
Screened = tuple[Ticket, store.Sealed]


async def screen(here: Here) -> float:
    """Screen what waits, oldest first, and return the seconds until there may be more: the step behind the POST.

    A batch that fails is done one by one, and what fails again is put off, for it must not hold up the others. Raises
    the last failure if all of them fail: then it is not the appeals' fault.
    """
    waiting, failure = await _screen(here, SCREEN_LIMIT)
    if failure:
        failures = [await _alone(here) for _ in waiting]
        if all(failures):
            raise failure
    return 0 if waiting else 1.0


async def count_backlog(here: Here) -> float:
    """Count what waits, so that the door knows without asking; return the seconds until the next time."""
    here.engine.backlog = await store.count_inbound(here.database.pool, LONGEST_BACKLOG + 1)
    BACKLOG.set(here.engine.backlog)
    return COUNT_SECONDS


async def _alone(here: Here) -> Exception | None:
    waiting, failure = await _screen(here, 1)
    if failure:
        async with here.database.begin() as tx:
            await store.put_off(tx, [one.ticket_id for one in waiting], SCREEN_AGAIN)
    return failure


async def _screen(here: Here, limit: int) -> tuple[Sequence[store.Waiting], Exception | None]:
    """Screen some in one transaction. Return which, and what went wrong if it was not the machine's fault."""
    waiting: Sequence[store.Waiting] = []
    try:
        async with here.database.begin() as tx:
            waiting = await store.take_inbound(tx, limit)
            if waiting:
                await _enter(here, tx, waiting)
    except Exception as error:
        if is_transient(error) or not waiting:
            raise
        log.error("appeals cannot be entered", tickets=[str(w.ticket_id) for w in waiting[:20]], error=describe(error))
        return waiting, error
    return waiting, None


async def _enter(here: Here, tx: Tx, waiting: Sequence[store.Waiting]) -> None:
    rows = await store.sealed(tx.connection, [one.ticket_id for one in waiting])
    screened = await _screen_all(here, rows)
    tickets = {ticket.ticket_id for ticket, _ in screened}
    # Not before: while screening gives way, nobody must wait for these.
    await tx.lock(map(str, tickets))
    tx.traces.update((str(one.ticket_id), one.traceparent) for one in waiting if one.traceparent)
    await enter(here, tx, await with_files(tx, screened))
    await store.done_inbound(tx, tickets)
    if unreadable := [one.ticket_id for one in waiting if one.ticket_id not in tickets]:
        await store.put_off(tx, unreadable, SCREEN_AGAIN)


async def _screen_all(here: Here, rows: Sequence[store.Sealed]) -> list[Screened]:
    """Screen each appeal, in slices; one that cannot be is left out, for it must not hold up the others."""
    screened: list[Screened] = []
    ends = 0.0
    for row in rows:
        if time.perf_counter() >= ends:
            await _give_way(here, row)
            ends = time.perf_counter() + SLICE_SECONDS
        try:
            screened.append(redacted(here.engine, row))
        except Exception as error:  # noqa: BLE001
            # An appeal our own code cannot read is our fault: it stays queued until a release that can.
            log.error("appeal cannot be screened", ticket=str(row.ticket_id), error=type(error).__name__)
    return screened


async def _give_way(here: Here, row: store.Sealed) -> None:
    """Let run what is ready to run; and while there is a crowd at the door and the appeal is young, wait."""
    await asyncio.sleep(0)
    # A glance now and then costs less than an event that every answer would set.
    while here.engine.crowd >= CROWD and _age(here, row) < GIVES_WAY_SECONDS:  # noqa: ASYNC110
        await asyncio.sleep(GLANCE_SECONDS)


def _age(here: Here, row: store.Sealed) -> float:
    """Return for how many real seconds an appeal has waited."""
    return here.clock.real_seconds(here.clock.now() - born(row.ticket_id))
