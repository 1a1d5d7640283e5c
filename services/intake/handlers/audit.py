"""The audit log: what was done to what the vault holds, how it is checked, and how its head becomes known."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from prometheus_client import Counter, Gauge

from libs.common.messaging.transaction import Tx
from services.intake import store
from services.intake.domain import Audited, Deed, Head, first_broken
from services.intake.handlers.around import Here

ENTRIES = Counter("jiesu_audit_entries_total", "What was done, or tried, to personal data", ["action", "outcome"])
HEAD = Gauge("jiesu_audit_head", "The number of the newest entry of the audit log when it was last published")
AT_ONCE = 10_000
"""Entries checked in one request, for some 0.2 s of which nothing can be added."""
CARRIED_AT_ONCE = 200
PRUNED_AT_ONCE = 1000
DAY_SECONDS = 86_400.0
log = structlog.get_logger(__name__)


async def note(tx: Tx, here: Here, *deeds: Deed) -> None:
    """Add to the audit log what this transaction does, as the last thing it does."""
    await store.add_audit(tx, here.engine.audit_key, deeds)
    for deed in deeds:
        ENTRIES.labels(deed.action, deed.outcome).inc()


async def note_alone(here: Here, deed: Deed) -> None:
    """Add one entry, for what came to nothing else."""
    async with here.database.begin() as tx:
        await note(tx, here, deed)


async def list_audit(
    here: Here, after: int, limit: int, ticket_id: UUID | None, by: str | None, since: datetime | None
) -> list[Audited]:
    """Return entries behind a number, in order: of one ticket, by one client, since an instant, if these are given."""
    return await store.audit_entries(here.database.pool, after, limit, ticket_id, by, since)


@dataclass(frozen=True, slots=True)
class Checked:
    """A stretch of the log that was checked: behind which entry, up to which, and the first that is wrong, if one is.

    `whole` says that it ends at the newest entry.
    """

    behind: Head
    upto: Head
    broken: int | None
    whole: bool


async def check_audit(here: Here, after: int | None) -> Checked:
    """Check some entries behind the one numbered `after`, or the oldest there are."""
    async with here.database.begin() as tx:
        tail, head = await store.hold_ends(tx)
        before = await store.audit_entry(tx.connection, after) if after is not None else None
        behind = before.head if before else tail
        entries = await store.audit_entries(tx.connection, behind.seq, AT_ONCE)
    broken = await asyncio.to_thread(first_broken, here.engine.audit_key, behind, entries)
    upto = entries[-1].head if entries else behind
    whole = len(entries) < AT_ONCE
    if broken is None and whole and upto != head:
        broken = min(upto.seq, head.seq) + 1
    return Checked(behind, upto, broken, whole)


async def publish_head(here: Here) -> float:
    """Make the head of the log known where its keepers cannot take it back, drop what is over its time; once a day.

    A log that ends before a head that was published, or has another seal there, was tampered with.
    """
    await _carry(here)
    await _prune(here)
    async with here.database.begin() as tx:
        _, head = await store.hold_ends(tx)
    HEAD.set(head.seq)
    log.info("audit head", seq=head.seq, seal=head.seal.hex())
    return DAY_SECONDS


async def _carry(here: Here) -> None:
    carried = CARRIED_AT_ONCE
    while carried == CARRIED_AT_ONCE:
        async with here.database.begin() as tx:
            carried = await store.carry_openings(tx, here.engine.audit_key, CARRIED_AT_ONCE)


async def _prune(here: Here) -> None:
    last = 1
    while last:
        async with here.database.begin() as tx:
            last = await store.prune_audit(tx, tx.now - here.engine.city.retention.audit, PRUNED_AT_ONCE)
            if last:
                await note(tx, here, Deed("retention", "prune", note=f"up to {last}"))
