"""Who waits for a person and for how long, who left without a word, and when what was said is forgotten."""

from collections.abc import Sequence
from dataclasses import replace

from prometheus_client import Gauge

from services.intake import store
from services.intake.domain import UNSEEN, Waits, left, span
from services.intake.handlers.around import Here
from services.intake.handlers.sessions import KINDS, count_over

WAITING = Gauge("jiesu_intake_sessions_waiting", "Sessions that wait for a seat", ["kind"])
AT_ONCE = 200
NAP_SECONDS = 15.0


async def session_quality(here: Here, period: str) -> Sequence[Waits]:
    """Return how those fared who asked in a period, by kind and by need. Raises ValueError for no period."""
    since, until = span(period, here.engine.timezone)
    return await store.waits_between(here.database.pool, since, until)


async def watch_sessions(here: Here) -> float:
    """Count who waits, let go of who left, forget what is old; return the seconds until the next time."""
    waiting = await store.waiting_by_kind(here.database.pool)
    for kind in KINDS:
        WAITING.labels(kind).set(waiting.get(kind, 0))
    return 0.0 if AT_ONCE in {await _let_go(here), await _forget(here)} else NAP_SECONDS


async def _let_go(here: Here) -> int:
    """End chats and videos whose citizens have not looked for long: a seat would find nobody there."""
    async with here.database.begin() as tx:
        found = await store.unseen(tx, tx.now - UNSEEN, AT_ONCE)
        gone = [replace(left(session, tx.now), version=session.version + 1) for session in found]
        await store.save_sessions(tx, gone)
    for session in gone:
        count_over(session)
        here.engine.chats.ring(session.session_id)
    return len(gone)


async def _forget(here: Here) -> int:
    async with here.database.begin() as tx:
        return await store.forget_sessions(tx, tx.now - here.engine.city.retention.chats, AT_ONCE)
