"""How many wait for a person, and how those fared who did."""

from datetime import datetime
from typing import Any

from services.intake.domain import Waits

WAITING = "SELECT kind, count(*) AS n FROM sessions WHERE state = 'waiting' GROUP BY kind"
FARED = """
WITH asked AS (
    SELECT asked_kind, needs, kind, outcome, extract(epoch FROM first_taken_at - opened_at)::float8 AS waited
    FROM sessions WHERE opened_at >= $1 AND opened_at < $2
), grouped AS (
    SELECT asked_kind AS name, kind, outcome, waited FROM asked
    UNION ALL SELECT need, kind, outcome, waited FROM asked, jsonb_array_elements_text(needs) need
)
SELECT name, count(*) AS asked, count(waited) AS taken,
    count(*) FILTER (WHERE outcome = 'left' AND waited IS NULL) AS gone,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY waited) AS half_waited,
    percentile_disc(0.95) WITHIN GROUP (ORDER BY waited) AS most_waited,
    count(*) FILTER (WHERE kind = 'callback') AS called_back,
    count(*) FILTER (WHERE kind = 'callback' AND outcome IN ('helped', 'ticket')) AS reached
FROM grouped GROUP BY name ORDER BY name
"""


async def waiting_by_kind(connection: Any) -> dict[str, int]:
    """Return how many wait, by kind."""
    return {row["kind"]: row["n"] for row in await connection.fetch(WAITING)}


async def waits_between(connection: Any, since: datetime, until: datetime) -> list[Waits]:
    """Return how those fared who asked in [since, until), by kind and by need, of those that anyone asked for."""
    return [Waits(**dict(row)) for row in await connection.fetch(FARED, since, until)]
