"""Telling units of their clocks: a mark becomes alerts in its own transaction, and alerts become messages when due."""

from collections.abc import Collection, Sequence
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.notify import Notice, enqueue, resend
from libs.common.runtime.security import Principal
from services.sla import store
from services.sla.domain import Alert, Moved, alerts, bundle, told_again
from services.sla.handlers.around import Here
from services.sla.handlers.seeing import overseen

LIMIT = 2_000
POLL_SECONDS = 1.0


async def warn(tx: Tx, here: Here, moved: Sequence[Moved]) -> None:
    """Tell whom it concerns of the marks that tickets reached, and their first leads of those reached before."""
    telling, new_id = here.engine.telling, here.clock.new_id
    told = [alert for m in moved for alert in alerts(m, telling, tx.now, new_id)]
    first_leads = {m.ticket_id: lead for m in moved if (lead := m.first_lead)}
    if first_leads:
        for ticket_id, unled in (await store.unled_alerts(tx, list(first_leads))).items():
            told += told_again(unled, first_leads[ticket_id], telling, tx.now, new_id)
    new = await store.add_alerts(tx, told)
    await _send(tx, here, [alert for alert in told if alert.alert_id in new and alert.at <= tx.now])


async def send_due(here: Here) -> float:
    """Send what was gathered, or held for the morning, and return the seconds until something else may be due."""
    if not await store.any_alert_due(here.database, here.clock.now()):
        return POLL_SECONDS
    async with here.database.begin() as tx:
        due = await store.due_alerts(tx, tx.now, LIMIT)
        await _send(tx, here, due, await store.done_alerts(tx, due))
    here.loops["courier"].wake()
    return 0 if len(due) == LIMIT else POLL_SECONDS


async def _send(tx: Tx, here: Here, due: Sequence[Alert], done: Collection[UUID] = ()) -> None:
    engine = here.engine
    bundles, dropped = bundle(due, done, here.clock.new_id)
    await store.hand_on(tx, bundles, dropped)
    notices = [
        Notice(b.key, b.alerts[0].to, engine.messages.notice(b.alerts, engine.timezone, engine.language))
        for b in bundles
    ]
    await enqueue(tx.connection, notices, tx.now)


async def send_again(tx: Tx, here: Here, who: Principal, keys: Sequence[str]) -> list[str]:
    """Have messages that failed, or may have, told once more, and return which of these.

    A supervisor does so for the units on their level.
    """
    seen = await store.notices_to(tx, keys, overseen(here, who))
    return sorted(await resend(tx.connection, seen, tx.now))
