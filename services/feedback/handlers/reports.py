"""What feedback does to make a report: count, keep what was counted, and say it; by schedule and on demand."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from libs.common.city.days import kinds_of
from libs.common.city.reports import ReportKind
from libs.common.runtime.database import alone
from libs.common.runtime.problems import Problem
from services.feedback import store
from services.feedback.domain.chance import wobble_of
from services.feedback.domain.kpis import Dimension, Figure
from services.feedback.domain.periods import Period
from services.feedback.domain.reports import (
    CUTS,
    NOISE_DAYS,
    PLACES,
    Cut,
    Expected,
    Findings,
    Kept,
    Kinds,
    Rising,
    Scope,
    Spans,
    last_over,
    so_far,
    spans_of,
)
from services.feedback.handlers.around import Here
from services.feedback.reports.content import Report
from services.feedback.reports.groups import groups, risen
from services.feedback.reports.making import report_of
from services.feedback.reports.messages import Messages, Teller
from services.feedback.store import forecasts, lines, reports

log = structlog.get_logger(__name__)
MESSAGES = Messages.load()
FRESH = timedelta(minutes=5)
"""A report of a period under way is not made anew for who asks again so soon."""
PATIENCE_SECONDS = 20.0
"""How long a request waits for a report; it goes on being made, and is there when it is asked for again."""
MOST_AT_ONCE = 2
"""Reports that this process makes for those who ask; each keeps the database busy."""
MOST_RISING = 5
LOOK_SECONDS = 60.0
OLD_FORECAST = timedelta(days=7)
MOST_FORECAST = 100
WHOLE = Scope()
SCHEDULED_BY_DISTRICT = frozenset({"weekly", "monthly", "yearly"})


def teller(here: Here, language: str) -> Teller:
    """Return what says texts in a language."""
    return Teller(MESSAGES, language, here.engine.city)


def days_of(here: Here) -> Kinds:
    """Return which days the city works and rests on."""
    return kinds_of(here.engine.city.policy.calendar.holidays)[0]


def told(here: Here, kept: Kept, language: str) -> Report:
    """Return a kept report in a language."""
    return report_of(kept.findings, teller(here, language), kept.version)


async def report(here: Here, kind: ReportKind, spans: Spans, scope: Scope) -> Kept:
    """Return the report of a period: as it was made once the period was over, else made anew of what is known by now.

    Raises Problem 404 for a period that has not begun or that the record knows nothing of, 503 if it takes longer than
    who asks can wait.
    """
    now = here.clock.now()
    kept = await reports.report(here.database.pool, kind, spans.now.name, scope.name)
    if kept and (kept.closed or (not is_over(here, spans.now, now) and now - kept.made_at < FRESH)):
        return kept
    if spans.now.span(zone(here))[0] > now:
        raise Problem(404, "the period has not begun")
    began = await reports.first_received(here.database)
    if began is None or spans.now.span(zone(here))[1] <= began:
        raise Problem(404, "the record begins after this period")
    return await _made_once(here, kind, spans, scope)


async def renew(here: Here, kind: ReportKind, spans: Spans, scope: Scope) -> Kept:
    """Make another version of a report, of what the record holds by now; those before it stay.

    Raises Problem 409 while the period is under way: its report is made anew all the time.
    """
    if not is_over(here, spans.now, here.clock.now()):
        raise Problem(409, "the period is under way: its report is made anew whenever it is asked for")
    return await _made_once(here, kind, spans, scope, renewed=True)


async def _made_once(here: Here, kind: ReportKind, spans: Spans, scope: Scope, renewed: bool = False) -> Kept:
    """Wait for a report that is being made, or begin it; who asks for the same shares it."""
    name, making = f"{kind} {spans.now.name} {scope.name}{' renewed' * renewed}", here.engine.making
    if name not in making:
        if len(making) >= MOST_AT_ONCE:
            raise Problem(503, "other reports are being made; ask again soon", headers={"Retry-After": "20"})
        task = making[name] = asyncio.create_task(_make(here, kind, spans, scope, renewed), name=f"report {name}")
        task.add_done_callback(lambda _: making.pop(name, None))
    task = making[name]
    await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
    if not task.done():
        raise Problem(503, "the report is being made; ask again soon", headers={"Retry-After": "20"})
    kept: Kept = task.result()
    return kept


async def _make(here: Here, kind: ReportKind, spans: Spans, scope: Scope, renewed: bool = False) -> Kept:
    """Count, outside of any transaction, and keep what came of it, unless another process did so meanwhile."""
    found = await gather(here, kind, spans, scope)
    async with here.database.begin() as tx:
        name = (kind, spans.now.name, scope.name)
        await tx.lock([f"report:{':'.join(name)}"])
        last = await reports.last_version(tx, *name)
        there = await reports.report(tx.connection, *name) if last and not renewed else None
        if there:
            return there
        version = last + 1 if found.closed else 0
        kept = Kept(*name, version, found.as_of, found.closed, found)
        await reports.save_report(tx, kept)
    return kept


async def gather(here: Here, kind: ReportKind, spans: Spans, scope: Scope) -> Findings:
    """Return all that a report says, counted in the record."""
    as_of = here.clock.now()
    over = is_over(here, spans.now, as_of)
    spans = spans if over else so_far(spans, as_of.astimezone(zone(here)).date())
    cuts: dict[str, tuple[Figure, ...]] = {}
    for cut in CUTS:
        if scope.kind in cut.scopes:
            cuts |= await _cut(here, cut, spans, scope)
    found = Findings(
        kind, scope, spans, spans.now.span(zone(here))[0], as_of, over, cuts,
        await _wobble(here, spans.now, scope), began=await reports.first_received(here.database),
    )  # fmt: skip
    found = replace(found, rising=await _rising(here, found), expected=await _expected(here, found))
    return await _with_lines(here, found)


async def _cut(here: Here, cut: Cut, spans: Spans, scope: Scope) -> dict[str, tuple[Figure, ...]]:
    made = {}
    measures = here.engine.measures.of(*cut.kpis)
    for of in cut.of:
        if period := getattr(spans, of):
            since, until = period.span(zone(here))
            figures = await store.figures(here.database, measures, since, until, cut.by, scope.where())
            made[f"{cut.name}/{of}"] = tuple(figures)
    return made


async def _wobble(here: Here, period: Period, scope: Scope) -> dict[str, float]:
    """Return how much days differed before the period, by level-1 category and of all."""
    first = period.first - timedelta(days=NOISE_DAYS)
    span = Period("", first, period.first).span(zone(here))
    measures = here.engine.measures.of("received")
    found = await store.figures(here.database, measures, *span, by=("category1", "day"), where=scope.where())
    days: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    known = sorted({date.fromisoformat(figure.group[1] or "") for figure in found})
    for figure in found:
        for name in {"", figure.group[0] or ""}:
            days[name][date.fromisoformat(figure.group[1] or "")] += figure.count
    # A record that began within those days was not empty before: it was not there.
    since = known[0] if known else period.first
    whole = [since + timedelta(days=n) for n in range((period.first - since).days)]
    return {name: wobble_of({day: counts.get(day, 0) for day in whole}) for name, counts in days.items()}


async def _rising(here: Here, found: Findings) -> tuple[Rising, ...]:
    """Return where each question that rose came up, and how it was judged."""
    questions = await asyncio.to_thread(groups, found, teller(here, "zh"), "code")
    rose = [group.key for group in risen(questions)][:MOST_RISING]
    if not rose:
        return ()
    place = PLACES.get(found.scope.kind)
    by: tuple[Dimension, ...] = ("code", place) if place else ("code",)
    span = found.spans.now.span(zone(here))
    where: dict[Dimension, list[str]] = {**found.scope.where(), "code": rose}
    places = await _by_code(here, ("received",), by, span, where)
    judged = await _by_code(here, ("solved", "repeats"), ("code",), span, where)
    return tuple(_one(code, places.get(code, []), judged.get(code, [])) for code in rose)


async def _by_code(
    here: Here, kpis: Sequence[str], by: Sequence[Dimension], span: tuple[datetime, datetime],
    where: Mapping[Dimension, list[str]],
) -> dict[str, list[Figure]]:  # fmt: skip
    found: dict[str, list[Figure]] = defaultdict(list)
    measures = here.engine.measures.of(*kpis)
    for figure in await store.figures(here.database, measures, *span, by=by, where=where):
        found[figure.group[0] or ""].append(figure)
    return found


def _one(code: str, places: Sequence[Figure], judged: Sequence[Figure]) -> Rising:
    by_kpi = {figure.kpi: figure for figure in judged}
    # From here on a place is all that its figures are grouped by.
    shifted = tuple(Figure(f.kpi, f.group[1:], f.value, f.count) for f in places if len(f.group) > 1)
    return Rising(code, shifted, by_kpi.get("solved"), by_kpi.get("repeats"))


async def _expected(here: Here, found: Findings) -> tuple[Expected, ...]:
    """Return what was forecast when the period ended, or lately if it has not."""
    pool, scope = here.database.pool, found.scope
    day = min(found.spans.now.after, found.as_of.astimezone(zone(here)).date())
    made_on = await forecasts.last_made(pool, day)
    if scope.kind == "unit" or made_on is None or day - made_on > OLD_FORECAST:
        return ()
    of_week = await forecasts.forecasts(pool, made_on, "l1", scope.code, "", MOST_FORECAST)
    return tuple(
        Expected(one.l1, one.usual, one.weeks[0], one.weeks_low[0], one.weeks_high[0]) for one in of_week if one.weeks
    )


async def _with_lines(here: Here, found: Findings) -> Findings:
    """Add what is known of the lines, which serve the whole city."""
    if found.scope.kind != "city":
        return found
    now, before = [tuple(await lines.line_days(here.database, span)) for span in (found.spans.now, found.spans.before)]
    return replace(found, lines=now, lines_before=before)


async def keep_reports(here: Here) -> float:
    """Make the reports of the last periods that are over, each once, and return the seconds until the next look."""
    async with alone(here.database.pool, reports.SCHEDULE) as mine:
        if mine:
            await _keep_due(here)
    return LOOK_SECONDS


async def _keep_due(here: Here) -> None:
    began = await reports.first_received(here.database)
    for kind in here.engine.city.reports.scheduled:
        name = last_over(kind, here.clock.now(), zone(here), here.engine.city.reports.settled, days_of(here))
        if not name or began is None:
            continue
        spans = spans_of(kind, name, days_of(here))
        if began < spans.now.span(zone(here))[1]:
            await _keep_all(here, kind, spans)


async def _keep_all(here: Here, kind: ReportKind, spans: Spans) -> None:
    scopes = [WHOLE]
    if kind in SCHEDULED_BY_DISTRICT:
        scopes += [Scope("district", code) for code in here.engine.city.grid]
    there = await reports.kept_scopes(here.database, kind, spans.now.name)
    for scope in scopes:
        if scope.name not in there:
            try:
                await _make(here, kind, spans, scope)
            except Exception:  # one that cannot be made, whatever the reason, must not keep the others from it
                log.exception("a report is not made; it is tried again", kind=kind, scope=scope.name)


def is_over(here: Here, period: Period, now: datetime) -> bool:
    """Say whether a period is over for a report: what happened in it may be told a while later."""
    return now >= period.span(zone(here))[1] + here.engine.city.reports.settled


def zone(here: Here) -> ZoneInfo:
    """Return the city's time zone."""
    return ZoneInfo(here.engine.city.timezone)
