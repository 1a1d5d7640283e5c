"""Work that one process of all does at a time."""

from contextlib import suppress

from libs.common.messaging.transaction import Speaker
from libs.common.runtime.database import alone, open_database
from tests.support.stages import ManualClock

LOCK, OTHER_LOCK = 1, 2


async def test_while_one_is_at_it_no_other_is_and_afterwards_anyone_may(fresh_database: str) -> None:
    clock = ManualClock()
    database = await open_database(fresh_database, Speaker("tested", frozenset(), clock.now, clock.new_id), 2)
    for _ in range(2):
        async with alone(database.pool, LOCK) as first, alone(database.pool, LOCK) as second:
            assert (first, second) == (True, False)
    with suppress(ZeroDivisionError):
        async with alone(database.pool, LOCK):
            raise ZeroDivisionError
    async with alone(database.pool, LOCK) as again, alone(database.pool, OTHER_LOCK) as besides:
        assert (again, besides) == (True, True)
    await database.close()
