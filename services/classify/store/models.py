"""Models, what each learnt from, how challengers do, and what came in day by day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.classify.domain import Challenged, Judged, ModelVersion, Run

MODELS = Rows("models", ModelVersion, key=("name",))
RUNS = Rows("runs", Run, key=("run_id",))
CHALLENGED = Rows("challenged", Challenged, key=("model", "ticket_id"))

RUN_LOCK = 4_712_361
"""Whoever holds it trains, one process of all."""
KEPT_MODELS = 10

KEEP_ARRAYS = "UPDATE models SET arrays = $2 WHERE name = $1"
ARRAYS = "SELECT arrays FROM models WHERE name = $1"
# What was ever in force may be needed by a roll-back.
DROP_ARRAYS = """
UPDATE models SET arrays = NULL WHERE arrays IS NOT NULL AND name NOT IN (
    SELECT model FROM activations UNION SELECT model FROM challenge
    UNION (SELECT name FROM models WHERE arrays IS NOT NULL ORDER BY trained_at DESC LIMIT $1)
)
"""
# A person's word outranks a ruling, and of each kind the newest counts. What a model was trained on is what was there.
LESSONS = """
SELECT code, text FROM (
    SELECT DISTINCT ON (ticket_id) ticket_id, at, code, text FROM labels
    ORDER BY ticket_id, by = 'ruling', at DESC
) l WHERE at > $1 ORDER BY at DESC, ticket_id LIMIT $2
"""
MODELS_FOR = """
SELECT catalogue, name FROM models WHERE catalogue = ANY($1) AND (arrays IS NOT NULL OR name = ANY($2))
ORDER BY trained_at DESC, name
"""
CHALLENGE = "SELECT model, since, by FROM challenge"
SET_CHALLENGE = """
INSERT INTO challenge (model, since, by) VALUES ($1, $2, $3)
ON CONFLICT (one) DO UPDATE SET model = excluded.model, since = excluded.since, by = excluded.by
WHERE challenge.model <> excluded.model
"""
END_CHALLENGE = "DELETE FROM challenge WHERE $1::text IS NULL OR model = $1"
TALLY = """
SELECT count(*) AS tickets, count(*) FILTER (WHERE c.code = c.champion_code) AS agreed, count(l.code) AS confirmed,
    count(*) FILTER (WHERE l.code = c.code) AS hits, count(*) FILTER (WHERE l.code = c.champion_code) AS champion_hits
FROM challenged c LEFT JOIN (
    SELECT DISTINCT ON (ticket_id) ticket_id, code FROM labels ORDER BY ticket_id, by = 'ruling', at DESC
) l USING (ticket_id)
WHERE c.model = $1 AND c.champion = $2
"""
CHAMPIONS = "SELECT champion FROM challenged WHERE model = $1 GROUP BY champion ORDER BY max(at) DESC LIMIT 10"
PURGE_CHALLENGED = "DELETE FROM challenged WHERE at < $1"
CLAIM = "UPDATE judged_looks SET looked_at = $1 WHERE looked_at < $2 RETURNING true"
# Ids begin with their time, so a day's tickets lie side by side in the primary key.
DAY = """
SELECT v.reading -> 'guess' ->> 'code' AS code, count(*) AS tickets,
    sum((v.reading -> 'guess' ->> 'confidence')::float8) AS confidence,
    count(*) FILTER (WHERE v.held_until IS NOT NULL) AS held,
    count(*) FILTER (WHERE l.code <> v.reading -> 'guess' ->> 'code') AS corrected
FROM verdicts v LEFT JOIN LATERAL (
    SELECT code FROM labels WHERE ticket_id = v.ticket_id ORDER BY by = 'ruling', at DESC LIMIT 1
) l ON true
WHERE v.ticket_id >= $1 AND v.ticket_id < $2 GROUP BY 1
"""
CLEAR_DAY = "DELETE FROM judged_days WHERE day = $1"
KEEP_DAY = """
INSERT INTO judged_days (day, level1, tickets, confidence, held, corrected)
SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::float8[], $5::bigint[], $6::bigint[])
"""
DAYS = """
SELECT day, level1, tickets, confidence, held, corrected FROM judged_days
WHERE day BETWEEN $1 AND $2 ORDER BY day, level1
"""
OPEN_RUNS = "WHERE state IN ('waiting', 'running') ORDER BY asked_at, run_id"


@dataclass(frozen=True, slots=True)
class Challenge:
    """Which model judges beside the one in force, since when, and who wanted it."""

    model: str
    since: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How a challenger and a champion did on the same tickets: alike, and each right of those that people confirmed."""

    champion: str
    tickets: int
    agreed: int
    confirmed: int
    hits: int
    champion_hits: int


async def model_of(connection: Any, name: str) -> ModelVersion | None:
    """Return a model, None if there is none of this name."""
    found = await MODELS.load(connection, "WHERE name = $1", name)
    return found[0] if found else None


async def models(connection: Any, limit: int) -> list[ModelVersion]:
    """Return the models that were trained last, the newest first."""
    return await MODELS.load(connection, "ORDER BY trained_at DESC, name LIMIT $1", limit)


async def models_for(connection: Any, catalogues: Sequence[str], own: Sequence[str]) -> list[tuple[str, str]]:
    """Return the catalogue and the name of the models of some catalogues that can judge, the one trained last first.

    What they are made of is kept, or for those named in `own` in the catalogue alone.
    """
    return [(row["catalogue"], row["name"]) for row in await connection.fetch(MODELS_FOR, catalogues, own)]


async def save_model(tx: Tx, model: ModelVersion, arrays: bytes | None = None) -> None:
    """Keep a model, with its arrays if they are given."""
    await MODELS.save(tx.connection, [model])
    if arrays is not None:
        await tx.connection.execute(KEEP_ARRAYS, model.name, arrays)
        await tx.connection.execute(DROP_ARRAYS, KEPT_MODELS)


async def arrays_of(connection: Any, name: str) -> bytes | None:
    """Return the arrays of a model; None if none are kept."""
    arrays: bytes | None = await connection.fetchval(ARRAYS, name)
    return arrays


async def lessons(connection: Any, since: datetime, limit: int) -> list[tuple[str, str]]:
    """Return the code and the text of tickets whose question was confirmed after a time, the newest, oldest first."""
    rows = await connection.fetch(LESSONS, since, limit)
    return [(row["code"], row["text"]) for row in reversed(rows)]


async def runs(connection: Any, limit: int) -> list[Run]:
    """Return the trainings and evaluations that were asked for last, the newest first."""
    return await RUNS.load(connection, "ORDER BY asked_at DESC, run_id DESC LIMIT $1", limit)


async def run_of(connection: Any, run_id: UUID) -> Run | None:
    """Return a training or evaluation."""
    found = await RUNS.load(connection, "WHERE run_id = $1", run_id)
    return found[0] if found else None


async def open_runs(connection: Any) -> list[Run]:
    """Return what was asked for and is not done, in order."""
    return await RUNS.load(connection, OPEN_RUNS)


async def save_run(connection: Any, run: Run) -> None:
    """Keep a training or evaluation as it stands."""
    await RUNS.save(connection, [run])


async def challenge(connection: Any) -> Challenge | None:
    """Return which model judges beside the one in force, if one does."""
    row = await connection.fetchrow(CHALLENGE)
    return Challenge(**row) if row else None


async def set_challenge(tx: Tx, model: str, by: str) -> None:
    """Have a model judge beside the one in force, instead of the one that did."""
    await tx.connection.execute(SET_CHALLENGE, model, tx.now, by)


async def end_challenge(tx: Tx, model: str | None = None) -> None:
    """Let no model judge beside the one in force, or not this one."""
    await tx.connection.execute(END_CHALLENGE, model)


async def save_challenged(tx: Tx, judged: Sequence[Challenged]) -> None:
    """Keep what a challenger took tickets for, and the champion."""
    await CHALLENGED.save(tx.connection, {(one.model, one.ticket_id): one for one in judged}.values())


async def tallies(connection: Any, model: str) -> list[Tally]:
    """Return how a challenger did against each champion, the last one first."""
    champions = [row["champion"] for row in await connection.fetch(CHAMPIONS, model)]
    return [Tally(champion, **(await connection.fetchrow(TALLY, model, champion))) for champion in champions]


async def claim_count(connection: Any, now: datetime, before: datetime) -> bool:
    """Take the count that is due, if nobody did since a time."""
    return bool(await connection.fetchval(CLAIM, now, before))


async def purge_challenged(connection: Any, before: datetime) -> None:
    """Forget what challengers took tickets for before a time."""
    await connection.execute(PURGE_CHALLENGED, before)


async def day(connection: Any, on: date, first: UUID, end: UUID, levels: Mapping[str, str]) -> list[Judged]:
    """Count what was judged of tickets with ids from `first` up to `end`, by level 1; `levels` are those of codes."""
    counted: dict[str, Judged] = {}
    for row in await connection.fetch(DAY, first, end):
        level1 = levels.get(row["code"], "")
        so_far = counted.get(level1, Judged(on, level1, 0, 0.0, 0, 0))
        counted[level1] = Judged(
            on, level1, so_far.tickets + row["tickets"], so_far.confidence + row["confidence"],
            so_far.held + row["held"], so_far.corrected + row["corrected"],
        )  # fmt: skip
    return list(counted.values())


async def save_day(tx: Tx, on: date, counts: Sequence[Judged]) -> None:
    """Keep what was counted of a day, instead of what was."""
    await tx.connection.execute(CLEAR_DAY, on)
    columns = zip(*((c.level1, c.tickets, c.confidence, c.held, c.corrected) for c in counts), strict=True)
    if counts:
        await tx.connection.execute(KEEP_DAY, on, *map(list, columns))


async def days(connection: Any, since: date, until: date) -> list[Judged]:
    """Return the counts of days, both ends included."""
    return [Judged(**row) for row in await connection.fetch(DAYS, since, until)]
