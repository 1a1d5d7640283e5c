"""The alerts: which mark of which clock is told to whom, and what became of the message it went out with."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.notify import HOLDING
from libs.common.runtime.rows import Rows
from services.sla.domain import Alert, Bundle

NoticeState = Literal["waiting", "sending", "sent", "failed", "unknown", "no_address"]
AlertState = Literal["held", "told", "dropped"]
ALERTS = Rows("alerts", Alert, key=("alert_id",))
_JSON: TypeAdapter[Sequence[Alert]] = TypeAdapter(Sequence[Alert])

ADD = """
INSERT INTO alerts SELECT * FROM jsonb_populate_recordset(NULL::alerts, $1) ON CONFLICT DO NOTHING
"""
HAND_ON = """
UPDATE alerts a SET notice = t.notice, dropped = t.dropped
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS t(alert_id, notice, dropped) WHERE a.alert_id = t.alert_id
"""
# What is for a desk that a message does not get through to is gathered until it does.
_FREE = f"""
notice IS NULL AND dropped IS NULL AND at <= $1
AND "to" NOT IN (SELECT o."to" FROM notices o WHERE o.next_at IS NOT NULL AND {HOLDING})
"""  # noqa: S608 constants
DUE = f'WHERE {_FREE} ORDER BY at, "to" LIMIT $2'
ANY_DUE = f"SELECT EXISTS (SELECT FROM alerts WHERE {_FREE})"  # noqa: S608 constants
# Whoever comes second waits for its next look, rather than telling half of what belongs together.
TELL_LOCK = 4_712_381
ALONE = "SELECT pg_try_advisory_xact_lock($1)"
_STANDS = """
c.ticket_id = {a}.ticket_id AND c.round = {a}.round AND c.name = {a}.clock AND c.state IN ('running', 'paused')
AND CASE {a}.mark WHEN 'yellow' THEN c.light <> 'green' WHEN 'red' THEN c.light = 'red'
    ELSE c.fired >= {a}.mark::int END
"""
_RANK = "CASE {a}.mark WHEN 'yellow' THEN 1000 WHEN 'red' THEN 1001 ELSE {a}.mark::int END"
# A class that changed may have had a later mark told at once while an earlier one was held.
STANDING = f"""
SELECT a.alert_id, coalesce(c.due_at, a.due_at) AS due_at
FROM alerts a LEFT JOIN clocks c ON {_STANDS.format(a="a")} AND c.unit_code IS NOT DISTINCT FROM a.unit_code
WHERE a.alert_id = ANY($1) AND (c.ticket_id IS NOT NULL OR a.clock IN ('part', 'whistle') AND EXISTS (
    SELECT FROM task_clocks t WHERE t.ticket_id = a.ticket_id AND t.round = a.round AND t.unit_code = a.unit_code
    AND t.due_at = a.due_at AND t.state = 'running'))
AND NOT EXISTS (
    SELECT FROM alerts b WHERE b.ticket_id = a.ticket_id AND b.round = a.round AND b.clock = a.clock AND b."to" = a."to"
    AND b.created_at >= a.created_at AND b.notice IS NOT NULL AND {_RANK.format(a="b")} > {_RANK.format(a="a")})
"""  # noqa: S608 constants
OF_TICKETS = f"""
WHERE ticket_id = ANY($1) AND EXISTS (SELECT FROM clocks c WHERE {_STANDS.format(a="alerts")})
"""
STATES: dict[AlertState, str] = {
    "held": "notice IS NULL AND dropped IS NULL",
    "told": "notice IS NOT NULL",
    "dropped": "dropped IS NOT NULL",
}
LIST_ALERTS = "WHERE (created_at, alert_id) > ($1, $2){conditions} ORDER BY created_at, alert_id LIMIT $3"
# Of an address such as unit:dept-water/head. A key is no uuid, and a page has to go on behind one.
_UNIT = "split_part(split_part(n.\"to\", ':', 2), '/', 1)"
_ID = "md5(n.key)::uuid"
LIST_NOTICES = f"""
SELECT n.key, {_ID} AS id, n."to", n.text, n.state, n.attempts, n.error, n.outcomes, n.created_at, n.next_at,
    n.ended_at, ARRAY(SELECT a.number FROM alerts a WHERE a.notice = n.key AND a.number <> '' ORDER BY a.due_at)
FROM notices n WHERE (n.created_at, {_ID}) > ($1, $2){{conditions}} ORDER BY n.created_at, {_ID} LIMIT $3
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


async def add_alerts(tx: Tx, alerts: Sequence[Alert]) -> None:
    """Store what is to be told, but not what is stored under another id already."""
    if alerts:
        await tx.connection.execute(ADD, _JSON.dump_python(alerts, mode="json"))


async def any_alert_due(database: Database, now: datetime) -> bool:
    """Say whether anything is to be told by now."""
    due: bool = await database.pool.fetchval(ANY_DUE, now)
    return due


async def due_alerts(tx: Tx, now: datetime, limit: int) -> list[Alert]:
    """Return what is to be told by now, what belongs together side by side; nothing if another process is at it."""
    if not await tx.connection.fetchval(ALONE, TELL_LOCK):
        return []
    return await ALERTS.load(tx.connection, DUE, now, limit)


async def standing(tx: Tx, alerts: Sequence[Alert]) -> dict[UUID, datetime]:
    """Return by when the clocks of these alerts are due now, of those whose mark stands and is that unit's still."""
    ids = [alert.alert_id for alert in alerts]
    return {row["alert_id"]: row["due_at"] for row in await tx.connection.fetch(STANDING, ids)}


async def standing_alerts(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, list[Alert]]:
    """Return the alerts of these tickets' open clocks whose marks still stand, whoever led."""
    found: dict[UUID, list[Alert]] = {}
    for alert in await ALERTS.load(tx.connection, OF_TICKETS, list(tickets)):
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
    conditions = _asked("unit_code", units, state and STATES[state])
    return await ALERTS.load(database.pool, LIST_ALERTS.format(conditions=conditions), *after, limit, *_given(units))


async def list_notices(
    database: Database, units: Sequence[str] | None, state: NoticeState | None, after: tuple[datetime, UUID], limit: int
) -> list[Message]:
    """Return the messages to these units' desks (None: to all), oldest first, from behind `after`."""
    # What is not sent is little among all that was told, and has an index of its own: it has to be named for that.
    conditions = _asked(_UNIT, units, state and f"n.state = '{state}'")
    rows = await database.pool.fetch(LIST_NOTICES.format(conditions=conditions), *after, limit, *_given(units))
    return [Message(*row) for row in rows]


def _asked(column: str, units: Sequence[str] | None, state: str | None) -> str:
    """Return only the conditions that are asked for, so that each has the index that suits it."""
    of_units = "" if units is None else f" AND {column} = ANY($4)"
    return f"{of_units} AND {state}" if state else of_units


def _given(units: Sequence[str] | None) -> list[Sequence[str]]:
    return [] if units is None else [units]


async def notices_to(tx: Tx, keys: Sequence[str], units: Sequence[str] | None) -> list[str]:
    """Return which of these messages are to desks of these units (None: of any)."""
    return [row["key"] for row in await tx.connection.fetch(OF_UNITS, list(keys), units)]
