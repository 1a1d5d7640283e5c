"""What the first schema knew of ended tickets is known after the second one, in each of the four services."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from libs.common.runtime.database import migrate

TICKET, OTHER = UUID(int=7), UUID(int=8)
FACTS = "INSERT INTO aggregates (subject, version, facts) VALUES ($1::uuid, 3, $2)"
ANSWERED = "INSERT INTO tickets (ticket_id, round) SELECT unnest($1::uuid[]), 1"
JUDGED = """
INSERT INTO verdicts (ticket_id, state, code, confidence, urgency, kind, judged_by, receipt, reading, heard)
SELECT t.id, 'classified', 'c', 1, 'general', 'help', t.by, '{}', '{"danger": "着火了"}', 0
FROM unnest($1::uuid[], $2::text[]) t(id, by)
"""
Rows = tuple[str, list[object]]
Upgrade = Callable[..., Awaitable[Any]]


@pytest.fixture
def upgrade(fresh_database: str, tmp_path: Path) -> Upgrade:
    """Return how to bring a service's first schema, with rows in it, to the second."""

    async def upgraded(service: str, *rows: Rows) -> Any:
        migrations = Path("services") / service / "migrations"
        shutil.copytree(migrations, tmp_path / service, ignore=shutil.ignore_patterns("000[2-9]*", "00[1-9]?_*"))
        await migrate(fresh_database, tmp_path / service)
        connection = await asyncpg.connect(fresh_database)
        for statement, arguments in rows:
            await connection.execute(statement, *arguments)
        await connection.close()
        await migrate(fresh_database, migrations)
        return await asyncpg.connect(fresh_database)

    return upgraded


@pytest.mark.parametrize("service", ["classify", "dispatch", "sla"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"ended": {"seq": 9, "is": "withdrawn"}}', '{"withdrawn": {"is": true, "seq": 9}}'),
        ('{"ended": {"seq": 9, "is": "linked"}}', '{"ended": {"is": "linked", "seq": 9}}'),
    ],
)
async def test_a_withdrawal_becomes_a_fact_of_its_own(upgrade: Upgrade, service: str, before: str, after: str) -> None:
    connection = await upgrade(service, (FACTS, [TICKET, before]))
    assert await connection.fetchval("SELECT facts::text FROM aggregates") == after
    await connection.close()


async def test_what_was_answered_was_so_in_the_round_it_is_in(upgrade: Upgrade) -> None:
    answered = '{"answered": {"seq": 5, "is": {"answer": "今晚恢复"}}}'
    connection = await upgrade("feedback", (ANSWERED, [[TICKET, OTHER]]), (FACTS, [TICKET, answered]))
    rows = await connection.fetch("SELECT answered_in FROM tickets ORDER BY ticket_id")
    assert [row["answered_in"] for row in rows] == [1, None]
    await connection.close()


async def test_the_class_a_person_judged_stays_although_danger_was_heard(upgrade: Upgrade) -> None:
    connection = await upgrade("classify", (JUDGED, [[TICKET, OTHER], ["person", "model"]]))
    rows = await connection.fetch("SELECT named::text FROM verdicts ORDER BY ticket_id")
    assert [row["named"] for row in rows] == ['{"seen": ["险情“着火了”"], "urgency": "general"}', None]
    await connection.close()
