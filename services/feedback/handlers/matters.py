"""Counting matters week by week from the record, and hearing of the hot events they were."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.common.contracts.classify import HotspotCooled, HotspotRaised, HotspotUpdated
from libs.common.contracts.envelope import Envelope
from libs.common.messaging.transaction import Tx
from services.feedback.domain.campaigns import midnight
from services.feedback.domain.candidates import HOT_WEEKS, Month
from services.feedback.domain.matters import WEEK, HotWeeks, Matter, Tally, added, monday_of, weeks_of
from services.feedback.domain.periods import Period
from services.feedback.handlers.around import Here
from services.feedback.store import matters as store
from services.feedback.store.matters import Counted, HotMatter

News = HotspotRaised | HotspotUpdated | HotspotCooled
HISTORY = 106 * WEEK
"""So far back weeks are counted: two years, with the month before."""
LATELY = 6 * WEEK
"""So long after a week answers to its appeals come in, and it is counted anew every day."""
A_DAY = timedelta(days=1)


async def on_hotspot(events: Sequence[Envelope[News]], tx: Tx, _: Here) -> None:
    """Keep what the last news of each hot event says of its matter and its time."""
    await store.hear_hot_matters(tx, [_heard(event) for event in events])


def _heard(event: Envelope[News]) -> HotMatter:
    said = event.data
    return HotMatter(
        UUID(event.subject), event.sequence, said.code, *said.category, not isinstance(said, HotspotCooled),
        said.first_at, said.last_at,
    )  # fmt: skip


def zone_of(here: Here) -> ZoneInfo:
    """Return the city's time zone."""
    return here.engine.policy.timezone


async def count_next(here: Here) -> bool:
    """Count one week that was not counted yet, or not since it may have changed; False if there is none.

    What changes later than its answers (a ruling, a record that is brought in) is found within a week.
    """
    zone, now = zone_of(here), here.clock.now()
    received = await store.first_received(here.database.pool)
    if received is None:
        return False
    this = monday_of(now.astimezone(zone).date())
    week = max(monday_of(received.astimezone(zone).date()), this - HISTORY)
    known = await store.counted_weeks(here.database.pool, week)
    while week < this and not _due(week, known.get(week), now, zone):
        week += WEEK
    if week >= this:
        return False
    async with here.database.begin() as tx:
        await store.count_week(tx, week, midnight(week, zone), midnight(week + WEEK, zone))
    return True


def _due(week: date, counted_at: datetime | None, now: datetime, zone: ZoneInfo) -> bool:
    if counted_at is None:
        return True
    fresh = counted_at < midnight(week + WEEK, zone) + LATELY
    return now - counted_at >= (A_DAY if fresh else WEEK)


async def month_of_record(here: Here, period: Period) -> Month:
    """Return all that is judged together of a month, from what was counted."""
    zone, weeks = zone_of(here), weeks_of(period)
    pool, since = here.database.pool, weeks[-1] - HISTORY / 2 - 2 * WEEK
    rows = await store.counted(pool, weeks)
    weekly = await store.weekly(pool, since)
    known = frozenset(await store.counted_weeks(pool, since))
    hot_since = weeks[-1] - (HOT_WEEKS - 1) * WEEK
    hot = await store.hot_matters(pool, midnight(hot_since, zone), midnight(weeks[-1] + WEEK, zone))
    by_code: dict[str, list[Counted]] = {}
    for row in rows:
        by_code.setdefault(row.code, []).append(row)
    events = [_hot_weeks(event, hot_since, weeks[-1], zone) for event in hot]
    matters = [_matter(here, code, parts, weekly.get(code, {}), len(weeks), events) for code, parts in by_code.items()]
    streets = sum(unit.kind in {"street", "town"} for unit in here.engine.city.units.values())
    return Month(period, matters, known, streets)


def _hot_weeks(event: HotMatter, first: date, last: date, zone: ZoneInfo) -> HotWeeks:
    begin, end = (monday_of(at.astimezone(zone).date()) for at in (event.first_at, event.last_at))
    begin, end = max(first, begin), last if event.hot else min(last, end)
    weeks = frozenset(begin + number * WEEK for number in range((end - begin) // WEEK + 1))
    return HotWeeks(event.code, tuple(filter(None, (event.level1, event.level2, event.level3))), weeks)


def _matter(
    here: Here, code: str, parts: Sequence[Counted], weekly: dict[date, int], weeks: int, events: Sequence[HotWeeks]
) -> Matter:
    question = here.engine.city.catalogue.by_code.get(code)
    category = parts[0].category
    return Matter(
        codes=(code,), category=category, tally=sum((part.tally for part in parts), Tally()),
        districts=added({part.district: part.tally.tickets} for part in parts if part.district),
        streets=sum(part.streets for part in parts) / weeks, weekly=weekly,
        season=question.season if question else frozenset(),
        hot=frozenset(week for event in events if event.of(code, category) for week in event.weeks),
    )  # fmt: skip
