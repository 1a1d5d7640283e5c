"""Evidence: files of units, cleaned and sealed into the store, shown to who sees the order, gone with its words."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from uuid import UUID

import structlog

from libs.common.messaging.transaction import Tx
from libs.common.runtime.files import Seal, StoreAwayError
from libs.common.runtime.media.receiving import received
from libs.common.runtime.media.serving import store_away, unsealed
from libs.common.runtime.media.taking import Taken
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal
from services.dispatch import store
from services.dispatch.domain import NotPossibleError, Order, OrderFile, Shows, Viewer, check_file, helpers
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.following import MEMORY
from services.dispatch.handlers.holding import known, stands
from services.dispatch.handlers.seeing import looked_at, show, viewer

WRITTEN_WITHIN = timedelta(hours=24)
"""How long the slowest upload may take before it is given up."""
SWEPT_AT_ONCE = 100
NAP_SECONDS = 60.0
AWAY_SECONDS = 30.0
log = structlog.get_logger(__name__)


async def add_evidence(
    here: Here, who: Principal, ticket_id: UUID, shows: Shows, chunks: AsyncIterator[bytes]
) -> OrderFile:
    """Keep a file of an order for the unit that brings it. The same bytes again are the same file.

    Raises NotPossibleError, and Problem: 403 to who does not work on the order, 408, 413, 415 and 422 for what was
    sent, 503 if too many send or the store is away.
    """
    async with here.database.begin() as tx:
        await _bringing(tx, here, who, ticket_id)
    try:
        async with received(here.engine.uploads, chunks) as taken:
            return await _keep(here, who, ticket_id, shows, taken)
    except StoreAwayError as error:
        raise store_away() from error


async def _keep(here: Here, who: Principal, ticket_id: UUID, shows: Shows, taken: Taken) -> OrderFile:
    seal, file_id = Seal.new(taken.size), here.clock.new_id()
    async with here.database.begin() as tx:
        unit, files = await _bringing(tx, here, who, ticket_id)
        if twin := next((f for f in files if (f.digest, f.unit_code) == (taken.digest, unit)), None):
            return twin
        file = OrderFile(
            file_id, ticket_id, unit, "writing", shows, here.engine.vault.seal(seal.key, file_id.bytes), taken.digest,
            taken.format.kind, taken.format.media_type, taken.size, tx.now,
        )  # fmt: skip
        await store.begin_file(tx, file)
    await here.engine.files.put(file_id, seal.close(taken.content))
    async with here.database.begin() as tx:
        await _bringing(tx, here, who, ticket_id)
        if not await store.keep_file(tx, file_id):
            raise store_away()  # given up in the meantime
    return file


async def _bringing(tx: Tx, here: Here, who: Principal, ticket_id: UUID) -> tuple[str, list[OrderFile]]:
    """Hold an order to which this key may add a file; return for which unit, and the files there are."""
    order, _ = await known(tx, here, ticket_id)
    tasks = (await store.tasks_of(tx.connection, [ticket_id])).get(ticket_id, ())
    lookers = await store.lookers(tx.connection, ticket_id)
    looked_at(here, who, order, tasks, lookers)
    unit = _unit(viewer(here, who), order, helpers(tasks) | lookers)
    if unit is None:
        raise Problem(403, "files are added by the unit that leads the order, by who helps with it, or by a supervisor")
    if MEMORY.of(tx, str(ticket_id)).wordless:
        raise NotPossibleError("the words and files of this ticket were deleted, and none is kept any more")
    files = await store.files_of(tx.connection, ticket_id)
    check_file(order, files)
    return unit, files


def _unit(asking: Viewer, order: Order, beside: frozenset[str]) -> str | None:
    if any(stands(role, asking, order) for role in ("unit", "seat", "supervisor")):
        return order.unit_code
    return next((unit for unit in sorted(beside) if asking.acts_for(unit)), None)


async def evidence_of(here: Here, who: Principal, ticket_id: UUID) -> list[OrderFile]:
    """Return the files of an order that this key sees: all, or of who helps with it their own."""
    async with here.database.begin() as tx:
        _, _, sight = await show(tx, here, who, ticket_id)
        files = await store.files_of(tx.connection, ticket_id)
    mine = viewer(here, who).units_in_sight()
    return [file for file in files if sight == "whole" or mine is None or file.unit_code in mine]


def read_evidence(here: Here, file: OrderFile, start: int, end: int) -> AsyncGenerator[bytes]:
    """Yield the bytes of a file from `start` to before `end`. Raises as `unsealed` does."""
    seal = Seal(here.engine.vault.open(file.key, file.file_id.bytes), file.size)
    return unsealed(here.engine.files, file.file_id, seal, start, end)


async def sweep_evidence(here: Here) -> float:
    """Delete the bytes of files that are to go; return the seconds until there may be more."""
    async with here.database.begin() as tx:
        files = await store.condemned(tx, tx.now - WRITTEN_WITHIN, SWEPT_AT_ONCE)
    try:
        for file_id in files:
            await here.engine.files.delete(file_id)
    except (StoreAwayError, OSError) as error:
        # Orders are worked on all the same, so this is no reason to be unready.
        log.warning("file store is away", error=str(error))
        return AWAY_SECONDS
    if files:
        async with here.database.begin() as tx:
            await store.drop_files(tx, files)
    return 0.0 if len(files) == SWEPT_AT_ONCE else NAP_SECONDS
