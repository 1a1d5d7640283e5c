"""What happened in rounds, as features of the index of process quality; its models, and what they say of units.

A feature is a word of SQL over a round `c`, NULL where it is not known. Fitting and scoring read the same words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

from libs.common.contracts.dispatch import ReplyFault
from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.feedback.domain.quality import Model, UnitQuality, mean_error

MODELS = Rows("quality_models", Model, key=("version",))
UNITS = Rows("quality_units", UnitQuality, key=("period", "unit_code"))
MOST = 200_000
"""So many answers, the newest, are fitted on."""
SECONDS = 900

_HOURS = "ln(1 + greatest(extract(epoch FROM c.{end} - c.{begin}), 0) / 3600)"
# Who repeats a matter within 30 days is linked to its ticket; others of the same street and question are signs.
_AGAIN = """(EXISTS (SELECT FROM tickets t JOIN cases a ON a.ticket_id = t.ticket_id AND a.round = 1
    WHERE t.parent = c.ticket_id AND a.received_at > c.resolved_at
        AND a.received_at <= c.resolved_at + interval '30 days')
    OR EXISTS (SELECT FROM signs s WHERE (s.ticket_id, s.round) = (c.ticket_id, c.round)
        AND s.kind IN ('again', 'linked_again')))::int"""
FEATURES: Mapping[str, str] = {
    "contacted": "(c.contacted_at IS NOT NULL)::int",
    "response_in_time": "c.response_in_time::int",
    "completion_in_time": "c.completion_in_time::int",
    "sign_hours": _HOURS.format(begin="dispatched_at", end="accepted_at"),
    "contact_hours": _HOURS.format(begin="dispatched_at", end="contacted_at"),
    "done_hours": _HOURS.format(begin="dispatched_at", end="resolved_at"),
    "later_round": "(c.round > 1)::int",
    "returned": "(c.returns > 0)::int",
    "again": _AGAIN,
    "evidence": "ln(1 + c.evidence)",
    **{f"reply_{fault}": f"(c.reply_faults ? '{fault}')::int" for fault in get_args(ReplyFault)},
    "words": "ln(1 + (c.reply_words ->> 'characters')::float8)",
    "concrete": "(c.reply_words ->> 'concrete')::float8",
    "empty": "(c.reply_words ->> 'empty')::float8",
    "officialese": "(c.reply_words ->> 'officialese')::float8",
    "sentence": "(c.reply_words ->> 'sentence')::float8",
}
NAMES = tuple(FEATURES)
_COLUMNS = ", ".join(f"({sql})::float8 AS {name}" for name, sql in FEATURES.items())
ANSWERS = f"""
SELECT c.ticket_id, c.unit_code, r.resolved = 'yes' AS solved, {_COLUMNS}
FROM (SELECT * FROM reviews WHERE state = 'answered' AND answered_at < $1 AND ticket_id = about AND NOT excluded
    ORDER BY answered_at DESC LIMIT {MOST}) r
JOIN cases c ON (c.ticket_id, c.round) = (r.ticket_id, r.round)
WHERE c.resolved_at IS NOT NULL AND c.unit_code IS NOT NULL AND NOT c.excluded
"""  # noqa: S608 words of this file
OF_TICKET = f"""
SELECT c.round, c.unit_code, {_COLUMNS} FROM cases c
WHERE c.ticket_id = $1 AND c.resolved_at IS NOT NULL AND c.unit_code IS NOT NULL ORDER BY c.round
"""  # noqa: S608 the same
_STANDARD = ", ".join(
    f"coalesce(({name} - ($4::float8[])[{i}]) / ($5::float8[])[{i}], 0) AS z{i}" for i, name in enumerate(NAMES, 1)
)
_ODDS = " + ".join(f"($3::float8[])[{i + 1}] * z{i}" for i in range(1, len(NAMES) + 1))
_GRADIENT = ", ".join(f"avg(p * (1 - p) * z{i})" for i in range(1, len(NAMES) + 1))
# OFFSET 0 keeps each step a step: else every use of a chance is computed from the record again.
OF_UNITS = f"""
WITH told AS (
    SELECT c.unit_code, c.unit_name, r.resolved, {_COLUMNS}
    FROM cases c LEFT JOIN reviews r ON (r.ticket_id, r.round) = (c.ticket_id, c.round) AND r.state = 'answered'
        AND NOT r.excluded
    WHERE c.resolved_at >= $1 AND c.resolved_at < $2 AND c.unit_code IS NOT NULL AND NOT c.excluded
), standard AS (SELECT unit_code, unit_name, resolved, {_STANDARD} FROM told OFFSET 0),
judged AS (SELECT *, 1 / (1 + exp(-least(greatest(($3::float8[])[1] + {_ODDS}, -30), 30))) AS p FROM standard
    OFFSET 0)
SELECT unit_code, coalesce(max(unit_name), '') AS unit_name, count(*)::int AS rounds, avg(p) AS expected,
    coalesce(var_samp(p), 0.25) AS spread, ARRAY[avg(p * (1 - p)), {_GRADIENT}]::float8[] AS gradient,
    count(resolved)::int AS answers, (count(*) FILTER (WHERE resolved = 'yes'))::int AS solved
FROM judged GROUP BY unit_code ORDER BY unit_code
"""  # noqa: S608 the same
LAST = "ORDER BY version DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Judged:
    """What happened in one round that a unit resolved."""

    round: int
    unit_code: str
    values: Mapping[str, float | None]


async def answers(pool: Any, until: datetime) -> Sequence[Any]:
    """Return the newest answers by their own reporters: ticket, unit, solved, and a column for each of NAMES."""
    rows: Sequence[Any] = await pool.fetch(ANSWERS, until, timeout=SECONDS)
    return rows


async def judged(pool: Any, ticket: UUID) -> list[Judged]:
    """Return the rounds of a ticket that a unit resolved."""
    rows = await pool.fetch(OF_TICKET, ticket)
    return [Judged(row["round"], row["unit_code"], {name: row[name] for name in NAMES}) for row in rows]


async def models(pool: Any) -> list[Model]:
    """Return all models, the newest first."""
    return await MODELS.load(pool, "ORDER BY version DESC")


async def last_model(pool: Any) -> Model | None:
    """Return the model in force; None while too little was answered for any."""
    return next(iter(await MODELS.load(pool, LAST)), None)


async def save_model(tx: Tx, model: Model) -> None:
    """Store a model."""
    await MODELS.save(tx.connection, [model])


async def count_units(
    tx: Tx, model: Model, period: str, span: tuple[datetime, datetime], now: datetime
) -> list[UnitQuality]:
    """Judge the rounds that units resolved in a month, and keep what that says of each unit."""
    if model.features != NAMES:
        return []
    rows = await tx.connection.fetch(
        OF_UNITS, *span, list(model.weights), list(model.centers), list(model.scales), timeout=SECONDS
    )
    found = [
        UnitQuality(
            period, row["unit_code"], row["unit_name"], model.version, row["rounds"], row["expected"],
            mean_error(row["spread"], row["rounds"], model.error(row["gradient"])), row["answers"], row["solved"], now,
        )
        for row in rows
    ]  # fmt: skip
    await tx.connection.execute("DELETE FROM quality_units WHERE period = $1", period)
    await UNITS.save(tx.connection, found)
    return found


async def units(pool: Any, period: str, codes: Sequence[str] | None) -> list[UnitQuality]:
    """Return what was found of these units, None for all, in a month."""
    where = "WHERE period = $1 AND ($2::text[] IS NULL OR unit_code = ANY($2)) ORDER BY unit_code"
    return await UNITS.load(pool, where, period, codes)
