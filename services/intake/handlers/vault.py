"""Keeping the vault's keys: what is wrapped by an older master is wrapped anew, and what has no key is given one."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import structlog

from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import Vault, VaultError
from services.intake import store
from services.intake.handlers.around import Here
from services.intake.handlers.sweeping import Sweeping, sweep

WRAPPED_AT_ONCE = 1000
SEALED_AT_ONCE = 200
NAP_SECONDS = 10.0
"""How long a rotation may go unnoticed by a process that has nothing else to do."""
log = structlog.get_logger(__name__)


async def keep_keys(here: Here) -> float:
    """Take the ring as it is now and bring some keys up to it; return the seconds until there may be more to do."""
    here.engine.vault.renew()
    for kind in (SEALING, wrapping(here.engine.vault.current)):
        if (rest := await sweep(here, kind)) is not None:
            return rest
    return NAP_SECONDS


async def count_keys(here: Here) -> tuple[dict[int, int], list[store.Sweep]]:
    """Return how many keys each master wraps, and how far the sweeps through all tickets have come."""
    async with here.database.begin() as tx:
        return await store.sealed_by(tx.connection), await store.sweeps(tx)


def wrapping(master: int) -> Sweeping:
    """Return the sweep that wraps every key by a master."""

    async def batch(here: Here, tx: Tx, after: UUID) -> tuple[UUID | None, int]:
        old = await store.wrapped_by_another(tx, master, after, WRAPPED_AT_ONCE)
        new = {id_: wrapped for id_, key in old.items() if (wrapped := _rewrapped(here.engine.vault, id_, key))}
        if new:
            await store.save_wrapped(tx, new)
        return max(old, default=None), len(new)

    return Sweeping(f"wrap-{master}", batch, lambda tx: store.count_wrapped_by_another(tx, master))


def _rewrapped(vault: Vault, ticket_id: UUID, key: bytes) -> bytes | None:
    try:
        return vault.rewrap(key, ticket_id.bytes)
    except VaultError as error:
        # It must not hold up the others, and its master cannot be retired while it is there.
        log.error("key cannot be unwrapped", ticket=str(ticket_id), error=str(error))
        return None


async def _give_keys(here: Here, tx: Tx, after: UUID) -> tuple[UUID | None, int]:
    """Seal anew, each by a key of its own, what an earlier release sealed by the ring."""
    found = await store.without_key(tx, after, SEALED_AT_ONCE)
    await tx.lock(map(str, found))
    # Read under the lock: someone may have added words since.
    rows = [row for row in await store.sealed(tx.connection, found) if row.key is None and not row.erased]
    resealed = _resealed(here.engine.vault, rows)
    if resealed:
        await store.give_keys(tx, resealed)
    return max(found, default=None), len(resealed)


SEALING = Sweeping("seal", _give_keys, store.count_without_key)


def _resealed(vault: Vault, rows: Sequence[store.Sealed]) -> list[store.Sealed]:
    resealed = []
    for row in rows:
        context = row.ticket_id.bytes
        try:
            appeal, marks = (vault.open(sealed, context) if sealed else None for sealed in (row.appeal, row.marks))
        except VaultError as error:
            log.error("appeal cannot be opened", ticket=str(row.ticket_id), error=str(error))
            continue
        key = vault.new_key(context)
        sealed_marks = key.seal(marks, context) if marks else None
        resealed.append(replace(row, appeal=key.seal(appeal or b"", context), marks=sealed_marks, key=key.wrapped))
    return resealed
