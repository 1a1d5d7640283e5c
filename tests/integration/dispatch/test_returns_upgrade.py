"""Returns that waited for a ruling before returns were kept by themselves are due at once after."""

import json
import shutil
from pathlib import Path
from uuid import UUID

import asyncpg

from libs.common.runtime.database import migrate
from services.dispatch.store.returning import returns_of

TICKETS = [UUID(int=7), UUID(int=8), UUID(int=9)]
ORDER = """
INSERT INTO orders (ticket_id, number, round, state, unit_code, unit_name, co_handlers, rule, why, desk, settled, code,
    category, urgency, kind, text, summary, reporter_type, access_needs, dispatched_at, accepted_at, contacted_at,
    returns, return_ground, return_note, tried)
SELECT t.id, 'n', 1, t.state, 'co-water', '自来水', '[]', 'duty', '[]', false, false, 'c', '["a", "b", "c"]', 'general',
    'help', '', '', 'person', '[]', '2026-03-02T04:00Z', '2026-03-02T05:00Z', '2026-03-02T06:00Z', t.returns,
    CASE WHEN t.state = 'returned' THEN 'unclear' END, CASE WHEN t.state = 'returned' THEN '没有地点' END, '[]'
FROM unnest($1::uuid[], $2::text[], $3::int[]) t(id, state, returns)
"""


async def test_what_waits_for_a_ruling_is_an_open_return_that_is_due_and_a_contact_binds_its_unit(
    fresh_database: str, tmp_path: Path
) -> None:
    migrations = Path("services/dispatch/migrations")
    shutil.copytree(migrations, tmp_path / "dispatch", ignore=shutil.ignore_patterns("000[4-9]*"))
    await migrate(fresh_database, tmp_path / "dispatch")
    connection = await asyncpg.connect(fresh_database)
    await connection.execute(ORDER, TICKETS, ["returned", "returned", "in_progress"], [1, 2, 1])
    await connection.close()
    await migrate(fresh_database, migrations)
    connection = await asyncpg.connect(fresh_database)
    for type_ in ("json", "jsonb"):
        await connection.set_type_codec(type_, encoder=str, decoder=json.loads, schema="pg_catalog")
    found = await returns_of(connection, TICKETS)
    timers = await connection.fetch("SELECT subject FROM timers WHERE kind = 'ruling' AND due_at <= now()")
    bound = await connection.fetch("SELECT bound FROM orders")
    await connection.close()
    assert {id_: [(r.state, r.turn, r.centre, r.note, r.ground) for r in past] for id_, past in found.items()} == {
        TICKETS[0]: [("open", 1, False, "没有地点", "unclear")], TICKETS[1]: [("open", 2, True, "没有地点", "unclear")],
    }  # fmt: skip
    assert sorted(row["subject"] for row in timers) == [str(id_) for id_ in TICKETS[:2]]
    assert {row["bound"] for row in bound} == {"co-water"}
