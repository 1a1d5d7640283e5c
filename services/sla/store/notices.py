"""The alerts: which mark of which clock is told to whom, and what became of the message it went out with."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.sla.domain import Alert, Bundle

NoticeState = Literal["waiting", "sending", "sent", "failed", "unknown", "no_address"]
AlertState = Literal["held", "told", "dropped"]
ALERTS = Rows("alerts", Alert, key=("alert_id",))
_JSON: TypeAdapter[Sequence[Alert]] = TypeAdapter(Sequence[Alert])

ADD = """
INSERT INTO alerts SELECT * FROM jsonb_populate_recordset(NULL::alerts, $1) ON CONFLICT DO NOTHING RETURNING alert_id
"""
HAND_ON = """
UPDATE alerts a SET notice = t.notice, dropped = t.dropped
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS t(alert_id, notice, dropped) WHERE a.alert_id = t.alert_id
"""
DUE = 'WHERE notice IS NULL AND dropped IS NULL AND at <= $1 ORDER BY at, "to" LIMIT $2'
ANY_DUE = "SELECT EXISTS (SELECT FROM alerts WHERE notice IS NULL AND dropped IS NULL AND at <= $1)"
# Whoever comes second waits for its next look, rather than telling half of what belongs together.
ALONE = "SELECT pg_try_advisory_xact_lock(4712345)"
OPEN = """
SELECT a.alert_id FROM alerts a WHERE a.alert_id = ANY($1) AND EXISTS (
    SELECT FROM clocks c WHERE c.ticket_id = a.ticket_id AND c.round = a.round AND c.name = a.clock
    AND c.state IN ('running', 'paused')
) OR a.clock IN ('part', 'whistle') AND a.alert_id = ANY($1) AND EXISTS (
    SELECT FROM task_clocks t WHERE t.ticket_id = a.ticket_id AND t.round = a.round AND t.unit_code = a.unit_code
    AND t.state = 'running')
"""
UNLED = """
WHERE unit_code IS NULL AND ticket_id = ANY($1) AND EXISTS (
    SELECT FROM clocks c WHERE c.ticket_id = alerts.ticket_id AND c.round = alerts.round AND c.name = alerts.clock
    AND c.state IN ('running', 'paused'))
"""
STATES: dict[AlertState, str] = {
    "held": "notice IS NULL AND dropped IS NULL",
    "told": "notice IS NOT NULL",
    "dropped": "dropped IS NOT NULL",
}
LIST_ALERTS = """
WHERE (created_at, alert_id) > ($1, $2) AND ($3::text[] IS NULL OR unit_code = ANY($3)) AND {state}
ORDER BY created_at, alert_id LIMIT $4
"""
# Of an address such as unit:dept-water/head. A key is no uuid, and a page has to go on behind one.
_UNIT = "split_part(split_part(n.\"to\", ':', 2), '/', 1)"
_ID = "md5(n.key)::uuid"
LIST_NOTICES = f"""
SELECT n.key, {_ID} AS id, n."to", n.text, n.state, n.attempts, n.error, n.outcomes, n.created_at, n.next_at,
    n.ended_at, coalesce(array_agg(a.number ORDER BY a.due_at) FILTER (WHERE a.number <> ''), '{{{{}}}}') AS numbers
FROM notices n LEFT JOIN alerts a ON a.notice = n.key
WHERE (n.created_at, {_ID}) > ($1, $2) AND ($3::text[] IS NULL OR {_UNIT} = ANY($3)){{state}}
GROUP BY n.key ORDER BY n.created_at, {_ID} LIMIT $4
"""  # noqa: S608 constants
OF_UNITS = f"""
SELECT n.key FROM notices n WHERE n.key = ANY($1) AND ($2::text[] IS NULL OR {_UNIT} = ANY($2))
"""  # noqa: S608 constants


class Message(NamedTuple):
    """A notice and what became of it, on each way by a name that gives nothing away; `numbers` are of its tickets."""

    key: str
    id: UUID
    to: str
    text: str
    state: NoticeState
    attempts: int
    error: str | None
    outcomes: dict[str, Any]
    created_at: datetime
    next_at: datetime | None
    ended_at: datetime | None
    numbers: list[str]


async def add_alerts(tx: Tx, alerts: Sequence[Alert]) -> set[UUID]:
    """Store what is to be told, and return the ids of what was not stored before under another."""
    rows = await tx.connection.fetch(ADD, _JSON.dump_python(alerts, mode="json")) if alerts else []
    return {row["alert_id"] for row in rows}


async def any_alert_due(database: Database, now: datetime) -> bool:
    """Say whether anything is to be told by now."""
    due: bool = await database.pool.fetchval(ANY_DUE, now)
    return due


async def due_alerts(tx: Tx, now: datetime, limit: int) -> list[Alert]:
    """Return what is to be told by now, what belongs together side by side; nothing if another process is at it."""
    if not await tx.connection.fetchval(ALONE):
        return []
    return await ALERTS.load(tx.connection, DUE, now, limit)


async def done_alerts(tx: Tx, alerts: Sequence[Alert]) -> set[UUID]:
    """Return the ids of those whose clock has ended."""
    ids = [alert.alert_id for alert in alerts]
    return {*ids} - {row["alert_id"] for row in await tx.connection.fetch(OPEN, ids)}


async def unled_alerts(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, list[Alert]]:
    """Return what was told of these tickets' open clocks before anybody led."""
    found: dict[UUID, list[Alert]] = {}
    for alert in await ALERTS.load(tx.connection, UNLED, list(tickets)):
        found.setdefault(alert.ticket_id, []).append(alert)
    return found


async def hand_on(tx: Tx, bundles: Sequence[Bundle], dropped: Sequence[Alert]) -> None:
    """Store with which message alerts go out, and which do not."""
    alerts = [*(alert for bundle in bundles for alert in bundle.alerts), *dropped]
    columns = zip(*((a.alert_id, a.notice, a.dropped) for a in alerts), strict=True)
    if alerts:
        await tx.connection.execute(HAND_ON, *map(list, columns))


async def list_alerts(
    database: Database, units: Sequence[str] | None, state: AlertState | None, after: tuple[datetime, UUID], limit: int
) -> list[Alert]:
    """Return alerts of these units' clocks (None: of all), oldest first, from behind `after`."""
    where = LIST_ALERTS.format(state=STATES[state] if state else "true")
    return await ALERTS.load(database.pool, where, *after, units, limit)


async def list_notices(
    database: Database, units: Sequence[str] | None, state: NoticeState | None, after: tuple[datetime, UUID], limit: int
) -> list[Message]:
    """Return the messages to these units' desks (None: to all), oldest first, from behind `after`."""
    # What is not sent is little among all that was told, and has an index of its own: it has to be named for that.
    wanted = f" AND n.state = '{state}'" if state else ""
    rows = await database.pool.fetch(LIST_NOTICES.format(state=wanted), *after, units, limit)
    return [Message(*row) for row in rows]


async def notices_to(tx: Tx, keys: Sequence[str], units: Sequence[str] | None) -> list[str]:
    """Return which of these messages are to desks of these units (None: of any)."""
    return [row["key"] for row in await tx.connection.fetch(OF_UNITS, list(keys), units)]
