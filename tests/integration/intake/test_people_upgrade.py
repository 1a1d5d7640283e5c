"""What was counted by appeals before is counted by people after the upgrade."""

import shutil
from pathlib import Path
from uuid import UUID

import asyncpg

from libs.common.runtime.database import migrate

MIGRATIONS = Path("services/intake/migrations")
KNEW_NO_PEOPLE = shutil.ignore_patterns("001[3-9]*", "00[2-9]*")
APPEAL = """
INSERT INTO tickets (ticket_id, number, client, channel, text, reporter, reporter_type, anonymous, received_at,
    access_needs, language, state, parent, support)
SELECT id, id, 'c', channel, '', reporter, type, false, now(), '[]', 'zh', state, parent, support
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::int[])
    t(id, channel, reporter, type, state, parent, support)
"""
ROOT, SENSED, ALONE = UUID(int=1), UUID(int=2), UUID(int=3)


def _child(number: int, parent: UUID, reporter: str | None, kind: str = "person") -> tuple[object, ...]:
    return UUID(int=number), "sensor" if kind == "sensor" else "web", reporter, kind, "linked", parent, 0


async def test_one_person_with_many_appeals_counts_once_after_the_upgrade(fresh_database: str, tmp_path: Path) -> None:
    shutil.copytree(MIGRATIONS, tmp_path / "intake", ignore=KNEW_NO_PEOPLE)
    await migrate(fresh_database, tmp_path / "intake")
    rows = [
        # With two neighbours who confirmed it beside its linked ones.
        (ROOT, "web", "a", "person", "open", None, 9),
        (SENSED, "sensor", "a", "sensor", "open", None, 3),
        (ALONE, "web", "a", "person", "open", None, 1),
        _child(11, ROOT, "a"),
        *(_child(number, ROOT, "b") for number in (12, 13, 14)),
        _child(15, ROOT, None),
        _child(16, ROOT, None),
        _child(17, ROOT, "d", "sensor"),
        *(_child(number, SENSED, None, "sensor") for number in (21, 22)),
        _child(23, SENSED, "a"),
    ]
    connection = await asyncpg.connect(fresh_database)
    await connection.execute(APPEAL, *map(list, zip(*rows, strict=True)))
    await migrate(fresh_database, MIGRATIONS)
    found = await connection.fetch("SELECT ticket_id, support FROM tickets WHERE parent IS NULL ORDER BY ticket_id")
    assert {row["ticket_id"]: row["support"] for row in found} == {ROOT: 5, SENSED: 1, ALONE: 1}
    await connection.close()
