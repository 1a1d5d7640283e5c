"""Whose turn it is: work that one process of all does, every so often."""

from datetime import datetime, timedelta
from typing import Any

CLAIM = """
INSERT INTO looks AS l (of, until) VALUES ($1, $2)
ON CONFLICT (of) DO UPDATE SET until = $2 WHERE l.until <= $2 - $3::interval RETURNING true
"""


async def claim(pool: Any, of: str, every: timedelta, now: datetime) -> bool:
    """Say whether a piece of work is due and this process is to do it; then no other does it before it is due again."""
    return bool(await pool.fetchval(CLAIM, of, now, every))
