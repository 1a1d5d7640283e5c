"""Figures of KPIs, counted in the record.

    figures(database, kpis, since, until, by=(), where={}, seconds=300) -> list[Figure]

`kpis` are `here.engine.measures.of("solved", "total", …)`, of kpis.toml. `since` and `until` (excluded) are instants in
UTC: those of a period of the calendar are `period_of("2026-11").span(zone)` in domain/periods.py. `by` are dimensions
(unit, level, district, street, category1, category2, code, channel, tag, urgency, day, week, month, quarter, year);
`where` keeps rows with one of the values of a dimension that is no time, as `{"unit": ["s-110105026"]}`. A `Figure` has
kpi, group (a value for each of `by`), value, count, numerator, denominator (domain/kpis.py).

Every word of the SQL is from the lists below; what comes from outside travels as a parameter. One statement for each
kind of row that the KPIs count, over the index of its moment. A ticket counts to no unit whose appeal it was upheld on.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from libs.common.city.kpis import Counted, Filter, Kpi, Moment, Value
from libs.common.runtime.database import Database
from services.feedback.domain.kpis import Count, Dimension, Figure, Measures, made

_ORDER = "LEFT JOIN cases c ON (c.ticket_id, c.round)"
FROM: Mapping[Counted, str] = {
    "received": "cases c WHERE c.round = 1 AND c.received_at",
    "resolved": "cases c WHERE c.resolved_at",
    "closed": "cases c WHERE c.ended IS DISTINCT FROM 'reopened' AND c.ended_at",
    "asked": f"reviews r {_ORDER} = (r.about, r.round) WHERE r.state <> 'closed' AND r.requested_at",
    "reviewed": f"reviews r {_ORDER} = (r.about, r.round) WHERE r.state = 'answered' AND r.answered_at",
    "ruled": f"bounces b {_ORDER} = (b.ticket_id, b.round) WHERE b.ruled_at",
}
"""The rows that are counted, up to the moment that places them in a period."""
_ROW: Mapping[Counted, str] = {
    "received": "c",
    "resolved": "c",
    "closed": "c",
    "asked": "r",
    "reviewed": "r",
    "ruled": "b",
}
_UNIT = {"c": "c.unit_code", "r": "r.unit_code", "b": "b.returned_by"}
_UPHELD = (
    "NOT EXISTS (SELECT FROM score_appeals a WHERE a.state = 'upheld' AND a.ticket_id = {row}.ticket_id "
    "AND a.unit_code = {unit} AND a.rounds @> to_jsonb({row}.round))"
)
FILTERS: Mapping[Filter, str] = {
    "counts": "NOT {row}.excluded AND " + _UPHELD,
    "led": "{unit} IS NOT NULL",
    "repeat": "c.parent IS NOT NULL",
    "elderly": "c.elderly",
    "complex": "c.urgency = 'complex'",
    "first_round": "c.round = 1",
    "signed": "c.accepted_at >= c.dispatched_at",
    "signed_in_time": "extract(epoch FROM c.accepted_at - c.dispatched_at) <= ($5::jsonb ->> c.urgency)::float8",
    "contacted": "c.contacted_at IS NOT NULL",
    "response_known": "{clocks}.response_in_time IS NOT NULL",
    "response_in_time": "{clocks}.response_in_time",
    "completion_known": "{clocks}.completion_in_time IS NOT NULL",
    "completion_in_time": "{clocks}.completion_in_time",
    "returned": "c.returns > 0",
    "evidence": "c.evidence > 0",
    "whole_reply": "c.reply_faults = '[]'",
    "ended": "c.ended IS NOT NULL",
    "reopened": "c.ended = 'reopened'",
    "ended_solved": "c.ended = 'solved'",
    "false_closing": "EXISTS (SELECT FROM doubts d WHERE d.upheld AND (d.ticket_id, d.round) = (c.ticket_id, c.round))",
    "responded": "r.contacted",
    "solved": "r.resolved = 'yes'",
    "partly": "r.resolved = 'partly'",
    "satisfied": "r.satisfied >= 4",
    "explained_known": "r.explained IS NOT NULL",
    "explained": "r.explained",
    "over": "r.state <> 'requested'",
    "answered": "r.state = 'answered'",
    "by_callback": "r.method = 'callback'",
    "reached": """(r.state = 'answered' OR r.tries @> '[{{"outcome": "reached"}}]')""",
    "refused": "NOT b.upheld",
    "against_unit": "b.against = 'unit'",
}
MOMENTS: Mapping[Moment, str] = {
    "received": "c.received_at", "dispatched": "c.dispatched_at", "accepted": "c.accepted_at",
    "contacted": "c.contacted_at", "resolved": "c.resolved_at", "ended": "c.ended_at", "asked": "r.requested_at",
    "answered": "r.answered_at",
}  # fmt: skip
VALUES: Mapping[Value, str] = {"satisfaction": "r.satisfied", "support": "c.support", "returns": "c.returns"}
GROUPS: Mapping[Dimension, str] = {
    "unit": "{unit}", "level": "$4::jsonb ->> {unit}", "district": "c.district",
    "street": "c.street", "category1": "c.category ->> 0", "category2": "c.category ->> 1", "code": "c.code",
    "channel": "c.channel", "tag": "c.tag", "urgency": "c.urgency",
    "day": "to_char({at} AT TIME ZONE $3, 'YYYY-MM-DD')", "week": """to_char({at} AT TIME ZONE $3, 'IYYY-"W"IW')""",
    "month": "to_char({at} AT TIME ZONE $3, 'YYYY-MM')", "quarter": """to_char({at} AT TIME ZONE $3, 'YYYY-"Q"Q')""",
    "year": "to_char({at} AT TIME ZONE $3, 'YYYY')",
}  # fmt: skip
TIMES: frozenset[Dimension] = frozenset({"day", "week", "month", "quarter", "year"})
LONGEST_SECONDS = 300
"""Figures of a year of a large city are for jobs; a request waits for less."""
_GIVEN = "WITH given AS (SELECT $3::text, $4::jsonb, $5::jsonb) "
"""The zone, the kind of each unit, the seconds to sign by class: each query takes them, not each looks at them."""


async def figures(
    database: Database,
    kpis: Measures,
    since: datetime,
    until: datetime,
    by: Sequence[Dimension] = (),
    where: Mapping[Dimension, Collection[str]] | None = None,
    seconds: float = LONGEST_SECONDS,
    most: int | None = None,
) -> list[Figure]:
    """Return the figures of the chosen KPIs, by group.

    Raises ValueError for a `where` on a time, TimeoutError where counting one kind of row takes longer than `seconds`,
    OverflowError where it makes more than `most` groups.
    """
    if TIMES & (where or {}).keys():
        raise ValueError("a time is set by since and until")
    needed: dict[Counted, list[Kpi]] = defaultdict(list)
    for kpi in kpis.needed():
        needed[kpi.counts].append(kpi)
    signing = {urgency: span.total_seconds() for urgency, span in kpis.kpis.signing.items()}
    given = (since, until, kpis.zone, dict(kpis.kinds), signing, *(list(values) for values in (where or {}).values()))
    counts: dict[str, Mapping[tuple[str | None, ...], Count]] = {}
    for counted, mine in needed.items():
        sql = query(counted, mine, by, tuple(where or ()))
        bound = f" LIMIT {most + 1}" if most is not None else ""
        rows = await database.pool.fetch(sql + bound, *given, timeout=seconds)
        if most is not None and len(rows) > most:
            raise OverflowError(f"more than {most} groups")
        counts |= _read(mine, len(by), rows)
    return made(kpis, counts)


def query(counted: Counted, kpis: Iterable[Kpi], by: Sequence[Dimension], where: Sequence[Dimension]) -> str:
    """Return the statement that counts one kind of row for these KPIs: the groups, then two columns for each."""
    rows = FROM[counted]
    row = _ROW[counted]
    # Who repeats an appeal is asked about another's work, whose clocks count once.
    clocks = "r" if row == "r" else "c"
    words = {"row": row, "unit": _UNIT[row], "at": rows.rpartition(" ")[2], "clocks": clocks}
    groups = [GROUPS[dimension].format(**words) for dimension in by]
    columns = [column.format(**words) for kpi in kpis for column in _columns(kpi)]
    kept = "".join(f" AND {GROUPS[name].format(**words)} = ANY(${i}::text[])" for i, name in enumerate(where, 6))
    grouped = f" GROUP BY {', '.join(str(i + 1) for i in range(len(by)))}" if by else ""
    return f"{_GIVEN}SELECT {', '.join([*groups, *columns])} FROM {rows} >= $1 AND {words['at']} < $2{kept}{grouped}"  # noqa: S608 words of this file


def _columns(kpi: Kpi) -> tuple[str, str]:
    """Return how many rows a KPI rests on, and what is made of them."""
    if kpi.measure == "share":
        return _counted("*", kpi.filters), f"{_counted('*', (*kpi.filters, *kpi.having))}::float8"
    if kpi.measure in {"count", "ratio"}:
        return _counted("*", kpi.filters), "NULL::float8"
    value = VALUES[kpi.of] if kpi.of else _hours(kpi)
    made_of = {
        "mean": f"sum({value})", "p50": f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {value})",
        "p90": f"percentile_cont(0.9) WITHIN GROUP (ORDER BY {value})",
    }  # fmt: skip
    return _counted(value, kpi.filters), f"({made_of[kpi.measure]}{_having(kpi.filters)})::float8"


def _hours(kpi: Kpi) -> str:
    begin, end = kpi.between or ("received", "received")
    return f"extract(epoch FROM {MOMENTS[end]} - {MOMENTS[begin]})::float8 / 3600"


def _counted(what: str, filters: Iterable[Filter]) -> str:
    return f"count({what}){_having(filters)}"


def _having(filters: Iterable[Filter]) -> str:
    conditions = " AND ".join(FILTERS[name] for name in filters)
    return f" FILTER (WHERE {conditions})" if conditions else ""


def _read(kpis: Sequence[Kpi], width: int, rows: Iterable[Any]) -> dict[str, dict[tuple[str | None, ...], Count]]:
    """Return what was counted for each KPI, by group. A group without rows of a KPI is none of its groups."""
    counts: dict[str, dict[tuple[str | None, ...], Count]] = {kpi.code: {} for kpi in kpis}
    for row in rows:
        for i, kpi in enumerate(kpis):
            of_rows, of_them = row[width + 2 * i], row[width + 2 * i + 1]
            if of_rows or not width:
                counts[kpi.code][tuple(row[:width])] = Count(of_rows, of_them)
    return counts
