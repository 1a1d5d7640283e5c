"""What feedback does to publish a month: once, when it is over, and never again otherwise."""

import asyncio

from libs.common.runtime.problems import Problem
from services.feedback import store
from services.feedback.domain.publishing import Cell, Published
from services.feedback.domain.reports import Spans, last_over, spans_of
from services.feedback.handlers.around import Here
from services.feedback.handlers.reports import LOOK_SECONDS, WHOLE, days_of, is_over, report, zone
from services.feedback.reports.content import Report
from services.feedback.reports.messages import Teller
from services.feedback.reports.public import public_report
from services.feedback.reports.withholding import published
from services.feedback.store import publishing, reports

FIRST_VERSION = 1
"""Of a report is published; a later one beside it would tell what was ruled on since."""


async def publish(here: Here, spans: Spans) -> Published:
    """Publish a month, or return what was published of it.

    Raises Problem 409 while it is under way, 404 if there is too little in it, 503 while its report is being made.
    """
    month = spans.now.name
    known = await publishing.published(here.database, month)
    if known:
        return known
    if not is_over(here, spans.now, here.clock.now()):
        raise Problem(409, "the month is not over")
    await report(here, "monthly", spans, WHOLE)
    counts = await _counts(here, spans)
    terms = here.engine.city.reports.open_data
    by_day, rows = await asyncio.to_thread(published, counts, terms)
    if not rows:
        raise Problem(404, "there is too little in that month to tell")
    made = Published(month, here.clock.now(), terms.k, by_day, rows)
    async with here.database.begin() as tx:
        await tx.lock([f"open_data:{month}"])
        if not await publishing.is_published(tx, month):
            await publishing.publish(tx, made)
    return await publishing.published(here.database, month) or made


async def _counts(here: Here, spans: Spans) -> dict[Cell, int]:
    since, until = spans.now.span(zone(here))
    measures = here.engine.measures.of("received")
    found = await store.figures(here.database, measures, since, until, ("day", "district", "category1"))
    cells = (((f.group[0] or "", f.group[1] or "", f.group[2] or ""), f.count) for f in found)
    return dict(cells)


async def keep_published(here: Here) -> float:
    """Publish the last month that is over, and return the seconds until the next look."""
    terms = here.engine.city.reports
    name = last_over("monthly", here.clock.now(), zone(here), terms.settled, days_of(here))
    spans = spans_of("monthly", name, days_of(here))
    began = await reports.first_received(here.database)
    if began and began < spans.now.span(zone(here))[1] and await _is_due(here, name):
        try:
            await publish(here, spans)
        except Problem as none:
            # There was too little in the month, or its report is still being made.
            if none.status not in {404, 503}:
                raise
    return LOOK_SECONDS


async def _is_due(here: Here, month: str) -> bool:
    """Say whether a month is to be published: not before its report was made, if that is made by itself."""
    if await publishing.published(here.database, month):
        return False
    by_itself = "monthly" in here.engine.city.reports.scheduled
    return not by_itself or await reports.report(here.database.pool, "monthly", month, WHOLE.name) is not None


async def public(here: Here, month: Published, teller: Teller) -> Report:
    """Return the report on a month that everybody may read. Raises Problem 404 if there is none."""
    kept = await reports.report(here.database.pool, "monthly", month.month, WHOLE.name, FIRST_VERSION)
    if kept is None:
        raise Problem(404, "there is no report of that month")
    return public_report(kept.findings, month, teller)
