"""Campaigns 专项治理: a topic is taken up, worked on by its units, and closed with what it came to."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal
from services.feedback.domain.campaigns import (
    Campaign,
    Measure,
    Milestone,
    Plan,
    ProgressNote,
    SubQuestion,
    closed,
    found,
    measured,
    noted,
    opened,
    reached,
    sees,
)
from services.feedback.handlers.around import Here
from services.feedback.handlers.matters import zone_of
from services.feedback.handlers.seeing import seen_units, viewer
from services.feedback.handlers.topics import held
from services.feedback.store import campaigns as store
from services.feedback.store import topics as topics_store


@dataclass(frozen=True, slots=True)
class WantedMeasure:
    """A measure as it is asked for: what, whose (a unit's code), for which sub-question, and milestones by day."""

    what: str
    owner: str
    question: str | None
    milestones: Sequence[tuple[str, date]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a topic is to be taken up. Without a title it keeps its own; measures act from today if no day is named."""

    lead: str
    co_leads: Sequence[str]
    title: str | None
    questions: Sequence[SubQuestion]
    measures: Sequence[WantedMeasure]
    acts_from: date | None


async def adopt(tx: Tx, here: Here, topic_id: UUID, wanted: Wanted, by: str) -> Campaign:
    """Make a topic a campaign.

    Raises:
        Problem: 404 without such a topic, 422 for a unit or a question that the city does not have.
        NotPossibleError: it was decided on before.
    """
    zone = zone_of(here)
    decided = (await held(tx, topic_id)).decided("adopted", by, None, tx.now)
    questions = tuple(_known(one, decided.codes) for one in wanted.questions)
    plan = Plan(
        title=wanted.title or decided.title, lead=_unit(here, "lead", wanted.lead),
        co_leads=tuple(_unit(here, "co_leads", code) for code in wanted.co_leads), questions=questions,
        measures=tuple(_measure(here, one, questions) for one in wanted.measures),
        acts_from=wanted.acts_from or tx.now.astimezone(zone).date(),
    )  # fmt: skip
    campaign, said = opened(decided, plan, by, zone, tx.now)
    await topics_store.save_topics(tx, [decided])
    await store.save_campaign(tx, campaign)
    for event in said:
        tx.emit(str(topic_id), event)
    return campaign


async def add_measure(tx: Tx, here: Here, who: Principal, campaign_id: UUID, wanted: WantedMeasure) -> Campaign:
    """Add a measure, as the lead or who oversees it. Raises Problem 403, 404, 422, NotPossibleError."""
    campaign = await _leading(tx, here, who, campaign_id)
    return await _save(tx, measured(campaign, _measure(here, wanted, campaign.questions)))


async def reach(
    tx: Tx, here: Here, who: Principal, campaign_id: UUID, milestone_id: UUID, note: str | None
) -> Campaign:
    """Say that a milestone is reached, as its owner or the lead. Raises Problem 403, 404, NotPossibleError."""
    campaign = await _held(tx, here, who, campaign_id)
    pair = found(campaign, milestone_id)
    if pair is None:
        raise Problem(404, "the campaign has no such milestone")
    measure, milestone = pair
    _may(here, who, campaign, measure.owner.code)
    return await _save(tx, reached(campaign, milestone, who.name, note, tx.now))


async def add_note(tx: Tx, here: Here, who: Principal, campaign_id: UUID, text: str) -> Campaign:
    """Write how it goes, as a unit that takes part or who oversees it. Raises Problem 403, 404, NotPossibleError."""
    campaign = await _held(tx, here, who, campaign_id)
    _may(here, who, campaign, *campaign.units)
    return await _save(tx, noted(campaign, ProgressNote(tx.now, who.name, text)))


async def close(tx: Tx, here: Here, campaign_id: UUID, result: str, by: str) -> Campaign:
    """End a campaign with what it came to. Raises Problem 404, NotPossibleError."""
    await tx.lock([str(campaign_id)])
    ended, said = closed(await _one(tx, campaign_id), by, result, zone_of(here), tx.now)
    for event in said:
        tx.emit(str(campaign_id), event)
    return await _save(tx, ended)


async def seen(here: Here, who: Principal, campaign_id: UUID) -> Campaign:
    """Return a campaign. Raises Problem 404, and 403 to a unit that takes no part in it."""
    return _seen(here, who, await store.campaign(here.database.pool, campaign_id))


def _seen(here: Here, who: Principal, campaign: Campaign | None) -> Campaign:
    if campaign is None:
        raise Problem(404, "no such campaign")
    if not sees(campaign, seen_units(here, who)):
        raise Problem(403, "none of this key's units takes part in the campaign")
    return campaign


async def _one(tx: Tx, campaign_id: UUID) -> Campaign:
    campaign = await store.campaign(tx.connection, campaign_id)
    if campaign is None:
        raise Problem(404, "no such campaign")
    return campaign


async def _held(tx: Tx, here: Here, who: Principal, campaign_id: UUID) -> Campaign:
    await tx.lock([str(campaign_id)])
    return _seen(here, who, await _one(tx, campaign_id))


async def _leading(tx: Tx, here: Here, who: Principal, campaign_id: UUID) -> Campaign:
    campaign = await _held(tx, here, who, campaign_id)
    _may(here, who, campaign)
    return campaign


def _may(here: Here, who: Principal, campaign: Campaign, *others: str) -> None:
    """Let pass the lead, these other units, and whoever oversees one of them. Raises Problem 403."""
    view = viewer(here, who)
    if not any(view.acts_for(unit) or view.oversees(unit) for unit in (campaign.lead_code, *others)):
        raise Problem(403, "this is for the unit it is about, the lead, or a supervisor above them")


async def _save(tx: Tx, campaign: Campaign) -> Campaign:
    await store.save_campaign(tx, campaign)
    return campaign


def _unit(here: Here, field: str, code: str) -> UnitRef:
    unit = here.engine.city.units.get(code)
    if unit is None:
        raise wrong_field(field, "should be the code of a unit of the city")
    return UnitRef(code=code, name=unit.name.zh)


def _known(question: SubQuestion, codes: Iterable[str]) -> SubQuestion:
    if not set(question.codes) <= set(codes):
        raise wrong_field("questions", "should have codes of the topic only")
    return question


def _measure(here: Here, wanted: WantedMeasure, questions: Sequence[SubQuestion]) -> Measure:
    if wanted.question is not None and wanted.question not in {one.name for one in questions}:
        raise wrong_field("measures.question", "should be the name of one of the sub-questions")
    new_id: Callable[[], UUID] = here.clock.new_id
    milestones = tuple(Milestone(new_id(), what, due.isoformat()) for what, due in wanted.milestones)
    return Measure(new_id(), wanted.what, _unit(here, "measures.owner", wanted.owner), wanted.question, milestones)
