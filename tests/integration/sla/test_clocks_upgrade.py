"""Clocks that stood still before pauses were kept one by one are due when they were."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from libs.common.city.pack import load_city
from libs.common.runtime.database import migrate
from services.sla.domain import Stood, resume
from services.sla.service import book_of
from services.sla.store.clocks import CLOCKS
from tests.support.stages import CITY, NOON

TICKET = UUID(int=7)
HOUR = timedelta(hours=1)
CLOCK = """
INSERT INTO clocks (ticket_id, round, name, state, urgency, policy, started_at, limit_seconds, paused_seconds,
    paused_at, paused_until, ground, due_at, fired, light)
SELECT $1, 1, t.name, t.state, 'livelihood', 'old', $2, t.seconds, t.paused, t.at, t.until, t.ground, t.due, 0, 'green'
FROM unnest($3::text[], $4::text[], $5::int[], $6::int[], $7::timestamptz[], $8::timestamptz[], $9::text[],
    $10::timestamptz[]) t(name, state, seconds, paused, at, until, ground, due)
"""


async def test_what_had_stood_still_becomes_a_pause_and_the_due_time_stays(fresh_database: str, tmp_path: Path) -> None:
    migrations = Path("services/sla/migrations")
    shutil.copytree(migrations, tmp_path / "sla", ignore=shutil.ignore_patterns("000[3-9]*"))
    await migrate(fresh_database, tmp_path / "sla")
    connection = await asyncpg.connect(fresh_database)
    due = [NOON + 2 * HOUR, NOON + 24 * HOUR + timedelta(seconds=5400)]
    await connection.execute(
        CLOCK, TICKET, NOON, ["response", "completion"], ["running", "paused"], [7200, 86_400], [0, 5400],
        [None, NOON + 3 * HOUR], [None, NOON + 9 * HOUR], [None, "weather"], due,
    )  # fmt: skip
    await connection.close()
    await migrate(fresh_database, migrations)
    connection = await asyncpg.connect(fresh_database)
    for type_ in ("json", "jsonb"):
        await connection.set_type_codec(type_, encoder=str, decoder=json.loads, schema="pg_catalog")
    completion, response = await CLOCKS.load(connection, "ORDER BY name")
    await connection.close()
    book = book_of(load_city(CITY))
    assert [clock.timed(book.calendar).due_at for clock in (response, completion)] == due
    assert (response.pauses, completion.pauses) == ((), (Stood(NOON, NOON + timedelta(seconds=5400)),))
    resumed, _ = resume(completion, book, NOON + 5 * HOUR)
    assert resumed.due_at == due[1] + 2 * HOUR
