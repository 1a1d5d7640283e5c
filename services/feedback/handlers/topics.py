"""Topics 每月一题: once a month the matters that deserve a rule of their own are proposed, and people decide."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from libs.common.contracts.feedback import TopicProposed
from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import alone
from libs.common.runtime.problems import Problem
from services.feedback.domain.campaigns import midnight
from services.feedback.domain.candidates import Candidate, Month, candidates
from services.feedback.domain.matters import WEEK, months_before, weeks_of
from services.feedback.domain.periods import Period, before, month_of
from services.feedback.domain.topics import Share, Topic, overlaps, topic_of
from services.feedback.handlers.around import Here
from services.feedback.handlers.effects import measure_all
from services.feedback.handlers.matters import count_next, month_of_record, zone_of
from services.feedback.store import campaigns as campaigns_store
from services.feedback.store import matters as matters_store
from services.feedback.store import topics as store

LOOK_SECONDS = 600.0
NAMED = 3
"""So many of its questions name a topic."""


async def keep_topics(here: Here) -> float:
    """Count a week, or propose the month's topics and measure what campaigns came to. A step of a job."""
    async with alone(here.database.pool, matters_store.COUNT_LOCK) as leads:
        if not leads:
            return LOOK_SECONDS
        if await count_next(here):
            return 0
        await _propose_last(here)
        await measure_all(here)
    return LOOK_SECONDS


async def _propose_last(here: Here) -> None:
    """Propose the topics of the last month whose answers had time to come in, unless that was done."""
    zone, rules = zone_of(here), here.engine.city.topics
    now = here.clock.now()
    month = before(month_of(now, zone))
    if now < midnight(weeks_of(month)[-1] + WEEK, zone) + rules.wait:
        month = before(month)
    counted = await matters_store.counted_weeks(here.database.pool, weeks_of(month)[0])
    if counted.keys() >= set(weeks_of(month)) and not await store.is_proposed(here.database.pool, month.name):
        await propose(here, month)


async def propose(here: Here, period: Period) -> list[Topic]:
    """Keep and tell the candidates of a month: none that a campaign is about, or that was dismissed lately."""
    rules = here.engine.city.topics
    month = await month_of_record(here, period)
    ranked = await asyncio.to_thread(candidates, month, rules)
    resting = await _resting(here, period)
    found = [one for one in ranked if one.score.low >= rules.least]
    chosen = [one for one in found if not any(overlaps(one.matter.codes, codes) for codes in resting)][: rules.most]
    made = [await _topic(here, month, one, rank) for rank, one in enumerate(chosen, 1)]
    async with here.database.begin() as tx:
        await _keep(tx, here, period, made)
    return made


async def _resting(here: Here, period: Period) -> list[tuple[str, ...]]:
    """Return the questions of open campaigns, and of topics that were dismissed and may not come again yet."""
    campaigns = await campaigns_store.open_campaigns(here.database.pool)
    oldest = [period, *months_before(period, here.engine.city.topics.rest)][-1].name
    dismissed = await store.topics(here.database.pool, state="dismissed")
    return [one.codes for one in campaigns] + [one.codes for one in dismissed if one.period >= oldest]


async def _topic(here: Here, month: Month, found: Candidate, rank: int) -> Topic:
    """Return a candidate with all that its brief says of its appeals."""
    topic = topic_of(month, found, rank, _title(here, found), here.clock.now())
    begin, end = (midnight(week, zone_of(here)) for week in (month.weeks[0], month.weeks[-1] + WEEK))
    units, ends, kinds = await store.facets(here.database.pool, topic.codes, begin, end, topic.district)
    asked = {code: matter.tally.tickets for matter in month.matters for code in matter.codes}
    return replace(
        topic, questions=tuple(Share(code, asked[code]) for code in topic.codes), units=tuple(units),
        ends=tuple(ends), kinds=tuple(kinds),
    )  # fmt: skip


def _title(here: Here, found: Candidate) -> str:
    """Return what a topic is called: its question, or its group with the foremost of its questions."""
    known = here.engine.city.catalogue.by_code
    names = [known[code].l3 for code in found.matter.codes if code in known]
    group = found.matter.category[1]
    if len(names) == 1:
        return names[0]
    return f"{group}：{'、'.join(names[:NAMED])}{'等' if len(names) > NAMED else ''}" if names else group


async def _keep(tx: Tx, here: Here, period: Period, made: Sequence[Topic]) -> None:
    """Store the topics of a month, and put them in place of those that nobody decided on before."""
    stand = await store.topics(tx.connection, state="proposed")
    await tx.lock([str(one.topic_id) for one in (*stand, *made)])
    if await store.is_proposed(tx.connection, period.name):
        return
    # Those that nobody decided on while the lock was waited for.
    earlier = await store.topics(tx.connection, state="proposed")
    await store.save_topics(tx, [replace(one, state="superseded") for one in earlier])
    await store.save_topics(tx, made)
    await store.save_month(tx, period.name, len(made))
    for one in made:
        since = midnight(date.fromisoformat(one.since), zone_of(here))
        event = TopicProposed(
            title=one.title, codes=one.codes, district=one.district, tickets=one.tally.tickets, since=since
        )
        tx.emit(str(one.topic_id), event)


async def dismiss(tx: Tx, topic_id: UUID, by: str, note: str) -> Topic:
    """Let a topic rest. Raises Problem 404, and NotPossibleError if it was decided on before."""
    topic = (await held(tx, topic_id)).decided("dismissed", by, note, tx.now)
    await store.save_topics(tx, [topic])
    return topic


async def held(tx: Tx, topic_id: UUID) -> Topic:
    """Return a topic that stands still until the commit. Raises Problem 404."""
    await tx.lock([str(topic_id)])
    topic = await store.topic(tx.connection, topic_id)
    if topic is None:
        raise Problem(404, "no such topic")
    return topic
