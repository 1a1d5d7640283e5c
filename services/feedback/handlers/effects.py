"""Measuring what campaigns came to, from the weeks that were counted."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from services.feedback.domain.campaigns import Campaign, midnight
from services.feedback.domain.effects import Effect, Span, Weeks, effect
from services.feedback.domain.matters import WEEK, monday_of
from services.feedback.domain.solutions import group_of
from services.feedback.handlers.around import Here
from services.feedback.handlers.matters import zone_of
from services.feedback.store import campaigns as store
from services.feedback.store import matters
from services.feedback.store.matters import Weekly

TREATED = ""
"""The name of the series that is measured, which is no group's and no district's."""


async def measure_all(here: Here) -> None:
    """Bring the effect of each open campaign up to the last week that was counted."""
    for campaign in await store.open_campaigns(here.database.pool):
        made = await measured(here, campaign)
        if made:
            await _keep(here, campaign.campaign_id, made)


async def measure_one(here: Here, campaign_id: UUID) -> None:
    """Do the same for one campaign, before it is closed."""
    campaign = await store.campaign(here.database.pool, campaign_id)
    made = await measured(here, campaign) if campaign and campaign.state == "open" else None
    if made:
        await _keep(here, campaign_id, made)


async def _keep(here: Here, campaign_id: UUID, made: Effect) -> None:
    async with here.database.begin() as tx:
        await tx.lock([str(campaign_id)])
        campaign = await store.campaign(tx.connection, campaign_id)
        if campaign and campaign.state == "open":
            await store.save_campaign(tx, replace(campaign, effect=made))


async def measured(here: Here, campaign: Campaign) -> Effect | None:
    """Return what a campaign came to by the weeks that were counted; None if none was, or nothing new."""
    rules, picked = here.engine.city.topics.effect, date.fromisoformat(campaign.picked_by)
    acts = date.fromisoformat(campaign.acts_from)
    known = await matters.counted_weeks(here.database.pool, picked - rules.window * WEEK)
    if not known:
        return None
    until = max(known) + WEEK
    if campaign.effect and campaign.effect.until == until:
        return None
    start = until
    while start - WEEK in known:
        start -= WEEK
    ends = min(picked, monday_of(acts))
    begins = monday_of(acts) if acts == monday_of(acts) else monday_of(acts) + WEEK
    before, begin, length = (max(0, (at - start) // WEEK) for at in (ends, begins, until))
    treated, others = await _series(here, campaign, start, until)
    return await asyncio.to_thread(effect, treated, others, Span(before, begin, length), until, rules)


async def _series(here: Here, campaign: Campaign, start: date, until: date) -> tuple[Weeks, list[Weeks]]:
    """Return the weeks of a campaign's questions and of all they may be held beside, on which no campaign acted.

    These are groups of questions, of which those count that have the same season; and of a topic of one district its
    questions in others.
    """
    pool, codes, district = here.database.pool, campaign.codes, campaign.district
    acted = await store.campaigns_since(pool, midnight(start, zone_of(here)))
    groups = {group_of(one.category) for one in [campaign, *acted]}
    places = await matters.weekly_places(pool, start, until, codes)
    own = [replace(row, name=TREATED) for row in places if district is None or row.name == district]
    others = await matters.weekly_groups(
        pool, start, until, {*codes, *_of_other_seasons(here, codes)}, district, groups
    )
    elsewhere = [row for row in places if district and row.name not in {district, ""}]
    (treated,) = _weeks(own, start, until, {TREATED})
    return treated, _weeks([*others, *elsewhere], start, until, {row.name for row in [*others, *elsewhere]})


def _of_other_seasons(here: Here, codes: Collection[str]) -> list[str]:
    known = here.engine.city.catalogue.by_code
    seasons = {known[code].season for code in codes if code in known}
    return [question.code for question in known.values() if question.season not in seasons]


def _weeks(rows: Sequence[Weekly], start: date, until: date, names: Collection[str]) -> list[Weeks]:
    length = (until - start) // WEEK
    sums = {name: ([0] * length, [0] * length, [0] * length) for name in sorted(names)}
    for row in rows:
        for column, count in zip(sums[row.name], (row.tickets, row.answered, row.solved), strict=True):
            column[(row.week - start) // WEEK] += count
    return [Weeks(name, *columns) for name, columns in sums.items()]
