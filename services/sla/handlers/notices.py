"""Telling units of their clocks: a mark becomes alerts in its own transaction, and alerts become messages when due."""

from collections.abc import Sequence

from libs.common.messaging.transaction import Tx
from libs.common.runtime.directory import named
from libs.common.runtime.notify import Letter, Notice, enqueue, resend
from libs.common.runtime.security import Principal
from services.sla import store
from services.sla.domain import Moved, alerts, bundle, told_again
from services.sla.handlers.around import Here
from services.sla.handlers.seeing import overseen

LIMIT = 2_000
POLL_SECONDS = 1.0


async def warn(tx: Tx, here: Here, moved: Sequence[Moved]) -> None:
    """Note whom to tell of the marks that tickets reached, and their new leads of those reached before."""
    telling, new_id = here.engine.telling, here.clock.new_id
    told = [alert for m in moved for alert in alerts(m, telling, tx.now, new_id)]
    new_leads = {m.ticket_id: lead for m in moved if (lead := m.new_lead)}
    if new_leads:
        for ticket_id, past in (await store.standing_alerts(tx, list(new_leads))).items():
            told += told_again(past, new_leads[ticket_id], telling, tx.now, new_id)
    await store.add_alerts(tx, told)


async def send_due(here: Here) -> float:
    """Make messages of what is to be told by now, and return the seconds until something else may be.

    All of it, urgent or not, goes this way: what reaches its marks within a second is one message a desk.
    """
    if not await store.any_alert_due(here.database, here.clock.now()):
        return POLL_SECONDS
    engine = here.engine
    async with here.database.begin() as tx:
        due = await store.due_alerts(tx, tx.now, LIMIT)
        bundles, dropped = bundle(due, await store.standing(tx, due), here.clock.new_id)
        await store.hand_on(tx, bundles, dropped)
        texts = [engine.messages.notice(b.alerts, engine.timezone, engine.language) for b in bundles]
        notices = [Notice(b.key, b.alerts[0].to, text) for b, text in zip(bundles, texts, strict=True)]
        await enqueue(tx.connection, notices, tx.now)
    here.loops["courier"].wake()
    return 0 if len(due) == LIMIT else POLL_SECONDS


async def letters(here: Here, notices: Sequence[Notice]) -> dict[str, Letter]:
    """Address what is told to duty offices by the city's list of contacts, unless the directory names the office."""
    telling, now = here.engine.telling, here.clock.now()
    found = {notice: telling.ways(notice.to, now) for notice in notices}
    return {n.key: Letter(n.text, named(ways), unless_named=True) for n, ways in found.items() if ways}


async def send_again(tx: Tx, here: Here, who: Principal, keys: Sequence[str]) -> list[str]:
    """Have messages that failed, or may have, told once more, and return which of these.

    A supervisor does so for the units on their level.
    """
    seen = await store.notices_to(tx, keys, overseen(here, who))
    return sorted(await resend(tx.connection, seen, tx.now))
