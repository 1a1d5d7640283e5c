"""Orders that were open before helpers had a part of their own have one for each co-handler after."""

import shutil
from pathlib import Path
from uuid import UUID

import asyncpg

from libs.common.runtime.database import migrate

ORDER = """
INSERT INTO orders (ticket_id, number, round, state, unit_code, unit_name, co_handlers, rule, why, desk, settled, code,
    category, urgency, kind, text, summary, reporter_type, access_needs, dispatched_at, returns, tried)
SELECT t.id, 'n', 2, t.state, 'co-water', '自来水', '[{"code": "dept-water", "name": "市水务局"}]', 'duty', '[]', false,
    false, 'c', '["a", "b", "c"]', 'general', 'help', '', '', 'person', '[]', '2026-03-02T04:00Z', 0, '[]'
FROM unnest($1::uuid[], $2::text[]) t(id, state)
"""


async def test_who_was_named_on_an_open_order_owes_a_part_and_on_a_closed_one_nothing(
    fresh_database: str, tmp_path: Path
) -> None:
    migrations = Path("services/dispatch/migrations")
    shutil.copytree(migrations, tmp_path / "dispatch", ignore=shutil.ignore_patterns("000[3-9]*"))
    await migrate(fresh_database, tmp_path / "dispatch")
    connection = await asyncpg.connect(fresh_database)
    await connection.execute(ORDER, [UUID(int=7), UUID(int=8)], ["accepted", "closed"])
    await connection.close()
    await migrate(fresh_database, migrations)
    connection = await asyncpg.connect(fresh_database)
    tasks = await connection.fetch("SELECT ticket_id, round, role, state, unit_code, unit_name, named FROM tasks")
    await connection.close()
    assert [tuple(task) for task in tasks] == [
        (UUID(int=7), 2, "co_handler", "assigned", "dept-water", "市水务局", True)
    ]
