"""Whose turn it is: work that one process of all does, every so often."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

CLAIM = """
INSERT INTO looks AS l (of, until) VALUES ($1, $2)
ON CONFLICT (of) DO UPDATE SET until = $2 WHERE l.until <= $2 - $3::interval RETURNING true
"""
GIVE_BACK = "DELETE FROM looks WHERE of = $1 AND until = $2"


@asynccontextmanager
async def turn(pool: Any, of: str, every: timedelta, now: datetime) -> AsyncIterator[bool]:
    """Say whether a piece of work is due and this process is to do it; then no other does it before it is due again.

    What fails is due at once.
    """
    mine = bool(await pool.fetchval(CLAIM, of, now, every))
    try:
        yield mine
    except BaseException:
        if mine:
            await pool.execute(GIVE_BACK, of, now)
        raise
