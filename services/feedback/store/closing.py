"""Signs that a matter was not done, what is doubted by them, and rulings.

Signs are looked for by a job, over the rounds that were resolved, answered and received since its last look. Nothing of
it is asked of the database when an event comes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.city.closing import Closing
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import Database
from libs.common.runtime.rows import Rows
from services.feedback.domain.closing import Doubt, Doubted, Ruled, Sign, Spot, Standing

DOUBTS = Rows("doubts", Doubt, key=("ticket_id", "round"))
LOOK_LOCK = 5_301_221
"""Held by the one process that looks for signs."""
PACE_ROUNDS = 300_000
"""The newest so many rounds tell how long such matters take: in a big city those of some days."""
LONGEST_SECONDS = 1800
"""A statement of a look may take so long: it reads a day, or a month of some questions, and no request waits for it."""

UNTIL = "SELECT until FROM looks WHERE of = $1"
FIRST = "SELECT min(resolved_at) FROM cases"
LOOKED = "INSERT INTO looks (of, until) VALUES ($1, $2) ON CONFLICT (of) DO UPDATE SET until = excluded.until"
_KEEP = "INSERT INTO signs (ticket_id, round, kind, weight, evidence, found_at)"
_ONCE = "ON CONFLICT (ticket_id, round, kind) DO NOTHING"
# What a citizen says of a round, whether their own ticket or one that repeats it.
SAID = f"""
{_KEEP}
SELECT DISTINCT ON (c.ticket_id, c.round, s.kind) c.ticket_id, c.round, s.kind, s.weight, jsonb_build_object(
    'resolved', r.resolved, 'satisfied', r.satisfied, 'reasons', r.reasons, 'at', r.answered_at, 'by', r.by,
    'contacted_at', c.contacted_at, 'repeat', r.ticket_id <> c.ticket_id), $2
FROM reviews r JOIN cases c ON c.ticket_id = r.about AND c.round = r.round
CROSS JOIN LATERAL (VALUES
    ('unsolved', $3::float8, r.resolved = 'no'),
    ('denied_contact', $4::float8, r.reasons ?| $5 AND c.contacted_at IS NOT NULL AND r.ticket_id = c.ticket_id)
) AS s(kind, weight, holds)
WHERE r.resolved IN ('no', 'partly') AND r.answered_at >= $1 AND r.answered_at <= $6 AND r.state = 'answered'
    AND c.unit_code IS NOT NULL AND c.resolved_at IS NOT NULL AND s.holds AND s.weight > 0
ORDER BY c.ticket_id, c.round, s.kind, r.answered_at
{_ONCE}
"""  # noqa: S608 constants
# What the record says of a round by itself. A matter that nobody appealed about, a device's, needs no contact.
RECORDED = f"""
{_KEEP}
SELECT c.ticket_id, c.round, s.kind, s.weight, s.evidence, $2
FROM cases c LEFT JOIN paces p ON p.code = c.code AND p.kind = c.kind
CROSS JOIN LATERAL (SELECT extract(epoch FROM c.resolved_at - c.dispatched_at)::float8) AS t(seconds)
CROSS JOIN LATERAL (VALUES
    ('boilerplate', $3::float8, c.reply_faults ?| $4, jsonb_build_object('faults', c.reply_faults)),
    ('no_contact', $5::float8, c.contacted_at IS NULL AND c.reporter_type IS DISTINCT FROM 'sensor',
        jsonb_build_object('dispatched_at', c.dispatched_at, 'resolved_at', c.resolved_at)),
    ('no_evidence', $6::float8, c.evidence = 0 AND c.code = ANY($7::text[])
        AND c.kind IN ('help', 'complaint', 'report'), jsonb_build_object('files', 0)),
    ('too_quick', $8::float8, t.seconds < p.quick_seconds, jsonb_build_object('seconds', t.seconds,
        'quick_seconds', p.quick_seconds, 'usual_seconds', p.usual_seconds, 'rounds', p.rounds))
) AS s(kind, weight, holds, evidence)
WHERE c.resolved_at >= $1 AND c.resolved_at <= $9 AND c.unit_code IS NOT NULL AND s.holds AND s.weight > 0
{_ONCE}
"""  # noqa: S608 the same
# Others reported the same event after a unit had said that it is done; intake judged it the same.
LINKED = f"""
{_KEEP}
SELECT c.ticket_id, c.round, 'linked_again', $3::float8, jsonb_build_object('tickets', count(*),
    'first_at', min(r.received_at), 'resolved_at', c.resolved_at), $2
FROM cases r JOIN LATERAL (
    SELECT * FROM cases c WHERE c.ticket_id = r.parent AND c.resolved_at < r.received_at ORDER BY c.round DESC LIMIT 1
) c ON c.resolved_at >= r.received_at - $4::interval
WHERE r.round = 1 AND r.received_at >= $1 AND r.received_at <= $5 AND r.parent IS NOT NULL
    AND c.unit_code IS NOT NULL AND $3::float8 > 0
GROUP BY c.ticket_id, c.round, c.resolved_at
{_ONCE}
"""  # noqa: S608 the same
# What comes again is counted in first rounds and independent appeals, some questions at a time: a month of a big city
# has millions of them. How many would come by chance is what questions and streets have, if the two had nothing to do
# with each other: what is often everywhere is often here. What lies within two standard deviations comes by chance more
# often than any city may set.
TOTALS = """
SELECT code, street, count(*)::int AS n FROM cases
WHERE round = 1 AND received_at >= $1 AND received_at < $2 AND parent IS NULL AND street IS NOT NULL AND code <> ''
    AND NOT excluded
GROUP BY GROUPING SETS ((code), (street))
"""
SPOTS = """
WITH mine AS (
    SELECT * FROM cases
    WHERE round = 1 AND code = ANY($1) AND received_at >= $3::timestamptz - ($4::timestamptz - $3) AND received_at < $4
        AND parent IS NULL AND street IS NOT NULL AND NOT excluded
), line AS (
    SELECT code, street, received_at AS at, NULL::uuid AS ticket_id, 1 AS one FROM mine WHERE received_at >= $3
    UNION ALL
    SELECT code, street, resolved_at, ticket_id, 0 FROM mine
    WHERE resolved_at >= $3 AND resolved_at < $4 AND unit_code IS NOT NULL
), counted AS (
    SELECT *, sum(one) OVER (PARTITION BY code, street ORDER BY at DESC, one ROWS UNBOUNDED PRECEDING)::int AS came
    FROM line
), spot AS (
    SELECT ticket_id, came, c.n::float8 * s.n / $7 * (extract(epoch FROM $4 - at) / extract(epoch FROM $4 - $3))::float8
        AS expected
    FROM counted JOIN unnest($1::text[], $2::int[]) AS c(code, n) USING (code)
    JOIN unnest($5::text[], $6::int[]) AS s(street, n) USING (street)
    WHERE ticket_id IS NOT NULL AND came > 1
)
SELECT ticket_id, 1 AS round, came, expected FROM spot WHERE came > expected + 2 * sqrt(expected)
"""
CODES_AT_ONCE = 25
AGAIN = f"""
{_KEEP}
SELECT ticket_id, round, 'again', $4, evidence::jsonb, $5
FROM unnest($1::uuid[], $2::int[], $3::text[]) AS t(ticket_id, round, evidence)
{_ONCE}
"""  # noqa: S608 the same
PACES = f"""
INSERT INTO paces (code, kind, quick_seconds, usual_seconds, rounds)
SELECT code, kind, percentile_cont($1) WITHIN GROUP (ORDER BY seconds),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds), count(*)
FROM (
    SELECT c.code, c.kind, extract(epoch FROM c.resolved_at - c.dispatched_at)::float8 AS seconds
    FROM (SELECT * FROM cases WHERE resolved_at <= $3 ORDER BY resolved_at DESC LIMIT {PACE_ROUNDS}) c
    JOIN reviews r USING (ticket_id, round)
    WHERE r.resolved = 'yes' AND c.kind IS NOT NULL AND c.dispatched_at <= c.resolved_at
) done
GROUP BY code, kind HAVING count(*) >= $2
ON CONFLICT (code, kind) DO UPDATE SET quick_seconds = excluded.quick_seconds, usual_seconds = excluded.usual_seconds,
    rounds = excluded.rounds
"""  # noqa: S608 a constant
# What a citizen's yes and a ruling that takes the matter out of the rates leave of it is asked when doubts are listed.
GATHER = """
INSERT INTO doubts (ticket_id, round, unit_code, unit_name, resolved_at, weight, kinds, found_at)
SELECT c.ticket_id, c.round, c.unit_code, coalesce(c.unit_name, ''), c.resolved_at, 1 - exp(sum(ln(1 - s.weight))),
    jsonb_agg(s.kind ORDER BY s.kind), min(s.found_at)
FROM (
    SELECT DISTINCT ticket_id, round FROM signs WHERE found_at = $1 AND ($2::uuid[] IS NULL OR ticket_id = ANY($2))
) fresh
JOIN signs s USING (ticket_id, round) JOIN cases c USING (ticket_id, round)
GROUP BY c.ticket_id, c.round
ON CONFLICT (ticket_id, round) DO UPDATE SET weight = excluded.weight, kinds = excluded.kinds,
    upheld = CASE WHEN doubts.upheld OR excluded.kinds <@ doubts.kinds THEN doubts.upheld END
"""
_STANDS = """
    NOT c.excluded AND ($1::text[] IS NULL OR d.unit_code = ANY($1)) AND d.resolved_at >= $2 AND d.resolved_at < $3
    AND (d.upheld IS NOT NULL OR d.weight >= $4
        AND (d.kinds ? 'unsolved' OR r.resolved IS DISTINCT FROM 'yes'))
"""
LISTED = f"""
SELECT d.*, c.number, c.category, c.district, c.street
FROM doubts d JOIN cases c USING (ticket_id, round) LEFT JOIN reviews r USING (ticket_id, round)
WHERE {_STANDS} AND (d.resolved_at, d.ticket_id) > ($5, $6)
    AND ($7::text IS NULL OR $7 = CASE WHEN d.upheld THEN 'upheld' WHEN NOT d.upheld THEN 'refused' ELSE 'open' END)
ORDER BY d.resolved_at, d.ticket_id LIMIT $8
"""  # noqa: S608 constants
STANDINGS = f"""
WITH doubted AS (
    SELECT d.unit_code, count(*) FILTER (WHERE d.upheld IS NULL) AS open, count(*) FILTER (WHERE d.upheld) AS upheld,
        count(*) FILTER (WHERE NOT d.upheld) AS refused
    FROM doubts d JOIN cases c USING (ticket_id, round) LEFT JOIN reviews r USING (ticket_id, round)
    WHERE {_STANDS} GROUP BY d.unit_code
)
SELECT c.unit_code, max(c.unit_name) AS unit_name, count(*)::int AS resolved, coalesce(max(d.open), 0)::int AS open,
    coalesce(max(d.upheld), 0)::int AS upheld, coalesce(max(d.refused), 0)::int AS refused
FROM cases c LEFT JOIN doubted d USING (unit_code)
WHERE c.resolved_at >= $2 AND c.resolved_at < $3 AND c.unit_code IS NOT NULL AND NOT c.excluded
    AND ($1::text[] IS NULL OR c.unit_code = ANY($1))
GROUP BY c.unit_code ORDER BY c.unit_code
"""  # noqa: S608 constants
SIGNS = "SELECT kind, weight, evidence, found_at FROM signs WHERE ticket_id = $1 AND round = $2 ORDER BY found_at, kind"
ONE = """
SELECT d.*, c.number, c.category, c.district, c.street FROM doubts d JOIN cases c USING (ticket_id, round)
WHERE d.ticket_id = $1 AND d.round = $2
"""
FORGET = (
    "UPDATE doubts SET note = NULL WHERE ticket_id = ANY($1) AND note IS NOT NULL",
    "UPDATE score_appeals SET note = '', ruling = NULL WHERE ticket_id = ANY($1) AND concat(note, ruling) <> ''",
    "UPDATE deductions SET note = NULL, ruling = NULL WHERE ticket_id = ANY($1) AND num_nonnulls(note, ruling) > 0",
)
Place = tuple[datetime, UUID]


async def looked_until(tx: Tx, of: str) -> datetime | None:
    """Return up to when something was looked for; None if it never was."""
    until: datetime | None = await tx.connection.fetchval(UNTIL, of)
    return until


async def save_look(tx: Tx, of: str, until: datetime) -> None:
    """Keep up to when something was looked for."""
    await tx.connection.execute(LOOKED, of, until)


async def first_resolved(tx: Tx) -> datetime | None:
    """Return when the first round of the record was resolved; None if none ever was."""
    first: datetime | None = await tx.connection.fetchval(FIRST)
    return first


async def find_signs(
    tx: Tx, rules: Closing, seen: Sequence[str], denials: Sequence[str], span: tuple[datetime, datetime], now: datetime
) -> None:
    """Keep what is found in rounds, answers and repeats of a span; `denials` are reasons that deny any contact."""
    weights, (since, until) = rules.weights, span
    said = (since, now, weights["unsolved"], weights["denied_contact"], list(denials), until)
    recorded = (
        since, now, weights["boilerplate"], list(rules.reply.faults), weights["no_contact"], weights["no_evidence"],
        list(seen), weights["too_quick"], until,
    )  # fmt: skip
    linked = (since, now, weights["linked_again"], rules.again.within, until)
    for statement, given in ((SAID, said), (RECORDED, recorded), (LINKED, linked)):
        await tx.connection.execute(statement, *given, timeout=LONGEST_SECONDS)


@dataclass(frozen=True, slots=True)
class Month:
    """What a city was told of in a span: how many appeals of each question, and from each street."""

    begin: datetime
    end: datetime
    codes: Mapping[str, int]
    streets: Mapping[str, int]

    @property
    def parts(self) -> list[list[str]]:
        """The questions, so many together as are counted at once."""
        codes = sorted(self.codes)
        return [codes[n : n + CODES_AT_ONCE] for n in range(0, len(codes), CODES_AT_ONCE)]


async def month(database: Database, begin: datetime, end: datetime) -> Month:
    """Return what a city was told of in a span."""
    rows = await database.pool.fetch(TOTALS, begin, end, timeout=LONGEST_SECONDS)
    codes = {row["code"]: row["n"] for row in rows if row["code"] is not None}
    return Month(begin, end, codes, {row["street"]: row["n"] for row in rows if row["street"] is not None})


async def spots(tx: Tx, of: Month, codes: Sequence[str]) -> list[Spot]:
    """Return the rounds, of these questions, after which more of the same came from the same street than usual."""
    rows = await tx.connection.fetch(
        SPOTS, list(codes), [of.codes[code] for code in codes], of.begin, of.end, list(of.streets),
        list(of.streets.values()), float(sum(of.codes.values())), timeout=LONGEST_SECONDS,
    )  # fmt: skip
    return [Spot(**dict(row)) for row in rows]


async def save_again(tx: Tx, found: Sequence[tuple[Spot, str]], weight: float, now: datetime) -> None:
    """Keep that more came again than by chance, each with its evidence as JSON."""
    ids, rounds = [spot.ticket_id for spot, _ in found], [spot.round for spot, _ in found]
    await tx.connection.execute(AGAIN, ids, rounds, [evidence for _, evidence in found], weight, now)


async def learn_paces(tx: Tx, rules: Closing, now: datetime) -> None:
    """Learn how long such matters take that citizens say are solved, by question and kind."""
    await tx.connection.execute(PACES, rules.quick.share, rules.quick.least, now, timeout=LONGEST_SECONDS)


async def gather(tx: Tx, now: datetime, tickets: Sequence[UUID] | None = None) -> None:
    """Bring the doubts up to the signs that were found now, of all tickets or of some."""
    await tx.connection.execute(GATHER, now, tickets, timeout=LONGEST_SECONDS)


async def doubts(
    database: Database, units: Sequence[str] | None, span: tuple[datetime, datetime], least: float,
    ruled: Ruled | None, after: Place, limit: int,
) -> list[Doubted]:  # fmt: skip
    """Return the doubts of rounds that these units (None: all) resolved in a span, oldest first, from behind `after`.

    Not those that a citizen's yes answered, nor what was taken out of the rates.
    """
    rows = await database.pool.fetch(LISTED, units, *span, least, *after, ruled, limit)
    return [_doubted(row) for row in rows]


async def standings(
    database: Database, units: Sequence[str] | None, span: tuple[datetime, datetime], least: float
) -> list[Standing]:
    """Return how the rounds of each of these units stand that were resolved in a span."""
    rows = [dict(row) for row in await database.pool.fetch(STANDINGS, units, *span, least)]
    return [Standing(UnitRef(code=r.pop("unit_code"), name=r.pop("unit_name") or ""), **r) for r in rows]


async def doubt_of(connection: Any, ticket_id: UUID, round_: int, *, hold: bool = False) -> Doubted | None:
    """Return a doubt with its signs, None if there is none. With `hold` no sign is added to it until the commit."""
    row = await connection.fetchrow(ONE + ("FOR UPDATE OF d" if hold else ""), ticket_id, round_)
    if row is None:
        return None
    signs = [Sign(**dict(sign)) for sign in await connection.fetch(SIGNS, ticket_id, round_)]
    return _doubted(row, signs)


async def save_doubt(tx: Tx, doubt: Doubt) -> None:
    """Store a doubt as it is now."""
    await DOUBTS.save(tx.connection, [doubt])


async def forget_rulings(tx: Tx, tickets: Sequence[UUID]) -> None:
    """Drop the words of rulings on tickets whose words were deleted; what was ruled stays."""
    for forget in FORGET if tickets else ():
        await tx.connection.execute(forget, list(tickets))


def _doubted(row: Mapping[str, Any], signs: Sequence[Sign] = ()) -> Doubted:
    category = tuple(row["category"]) if row["category"] else None
    return Doubted(DOUBTS.read(row), row["number"], category, row["district"], row["street"], tuple(signs))
