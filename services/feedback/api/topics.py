"""HTTP of topics 每月一题: the candidates of each month with every part of their score, their briefs, and decisions."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, ConfigDict, Field

from libs.common.city.topics import ComponentCode, Half
from libs.common.runtime.http import Body, Line, Redacted, RedactedLine
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal, require, require_everywhere
from services.feedback.api.around import Context, commanding
from services.feedback.domain.campaigns import SubQuestion
from services.feedback.domain.candidates import Basis
from services.feedback.domain.periods import MONTH
from services.feedback.domain.topics import Topic, TopicState
from services.feedback.handlers import briefing, campaigns, solutions, topics
from services.feedback.handlers.campaigns import Wanted, WantedMeasure
from services.feedback.store import topics as store

router = APIRouter()
Reads = Annotated[Principal, Depends(require("supervisor", "analyst"))]
Decides = Annotated[Principal, Depends(require_everywhere("supervisor"))]
Day = Annotated[date, Field(ge=date(2000, 1, 1), lt=date(2200, 1, 1))]
Month = Annotated[str, Query(pattern=MONTH, description="A month, e.g. 2026-11")]


async def _reading(accept_language: Annotated[str, Header()] = "") -> str:
    return briefing.TEXTS.preferred(accept_language)


Reading = Annotated[str, Depends(_reading)]
"""The language to answer in, of those there are."""


class PartView(BaseModel):
    """One component of a score, 0 to 1 with the ends of its interval of 95 %; `weight` is of its half.

    `figure` is what was measured and `usual` what it is held against: appeals, times as many, shares, or weeks.
    """

    code: ComponentCode
    name: str
    about: str
    half: Half
    weight: float
    value: float
    low: float
    high: float
    figure: float | None
    usual: float | None


class ScoreView(BaseModel):
    """From 0 to 100: the geometric mean of how common the matter is and how hard. The `low` end ranks topics."""

    value: float
    low: float
    high: float
    parts: list[PartView]


class ShareView(BaseModel):
    """How many of the appeals have a code: a district, a question, a unit, a kind, an end."""

    model_config = ConfigDict(from_attributes=True)
    code: str
    name: str
    count: int


class TallyView(BaseModel):
    """The appeals of the month's weeks. `repeated` are linked, supported by others, or came back after their end."""

    model_config = ConfigDict(from_attributes=True)
    tickets: int
    linked: int
    supported: int
    again: int
    repeated: int
    returned: int
    answered: int
    solved: int


class TopicView(BaseModel):
    """A candidate. Its weeks run from `first` to the Monday `last`; it is so frequent `since` a Monday.

    `basis` says what its growth is held against; `district` is set if nearly all of it lies in one.
    """

    topic_id: UUID
    period: str
    rank: int
    state: TopicState
    title: str
    category: tuple[str, str]
    codes: list[str]
    district: str | None
    since: str
    first: str
    last: str
    basis: Basis | None
    hot_weeks: int
    tally: TallyView
    score: ScoreView
    districts: list[ShareView]
    questions: list[ShareView]
    units: list[ShareView]
    ends: list[ShareView]
    kinds: list[ShareView]
    proposed_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    note: str | None


class BriefView(BaseModel):
    """A topic in words, written by rules from counts; no words of citizens are in it."""

    topic_id: UUID
    language: str
    title: str
    sections: list[briefing.Section]


class MilestoneCommand(Body):
    """What is to be reached, by the end of which day of the city."""

    what: RedactedLine
    due: Day


class MeasureCommand(Body):
    """What is done by whom (a unit's code), for which of the sub-questions, with milestones."""

    what: RedactedLine
    owner: Line
    question: Line | None = None
    milestones: Annotated[tuple[MilestoneCommand, ...], Field(max_length=20)] = ()


class QuestionCommand(Body):
    """A part of the problem that is worked on by itself, with the codes of the topic it is about."""

    name: RedactedLine
    codes: Annotated[tuple[Line, ...], Field(max_length=50)] = ()


class AdoptCommand(Body):
    """How the topic is taken up: who leads, who leads beside it, what is asked and done, and from when that acts.

    The effect is measured from `acts_from` on, which is today if no day is named.
    """

    lead: Line
    co_leads: Annotated[tuple[Line, ...], Field(max_length=20)] = ()
    title: RedactedLine | None = None
    questions: Annotated[tuple[QuestionCommand, ...], Field(max_length=20)] = ()
    measures: Annotated[tuple[MeasureCommand, ...], Field(max_length=50)] = ()
    acts_from: Day | None = None


class DismissCommand(Body):
    """Why it is not taken up."""

    note: Redacted


class AdoptedView(BaseModel):
    """The campaign that a topic became: /feedback/v1/campaigns/{campaign_id}."""

    campaign_id: UUID


@router.get("/topics")
async def list_topics(
    here: Context, _: Reads, language: Reading, period: Month | None = None, state: TopicState | None = None
) -> list[TopicView]:
    """List the candidates of a month by rank, or of the last month that has any; with a state, of all months."""
    if period is None and state is None:
        period = await store.latest_month(here.database.pool)
        if period is None:
            return []
    return [_view(here, one, language) for one in await store.topics(here.database.pool, period, state)]


@router.get("/topics/{topic_id}")
async def get_topic(here: Context, _: Reads, topic_id: UUID, language: Reading) -> TopicView:
    """Show one candidate."""
    return _view(here, await _topic(here, topic_id), language)


@router.get("/topics/{topic_id}/brief")
async def get_brief(here: Context, _: Reads, topic_id: UUID, language: Reading) -> BriefView:
    """Tell what it is, how many, since when, where, who handles it, how it ends, and what was tried before."""
    topic = await _topic(here, topic_id)
    tried = await solutions.solutions_of_codes(here, topic.codes, topic.district)
    return BriefView(
        topic_id=topic_id, language=language, title=briefing.title_of(here.engine.city, topic, language),
        sections=briefing.sections(here.engine.city, topic, tried, language),
    )  # fmt: skip


@router.post("/topics/{topic_id}/adopt")
async def adopt(here: Context, who: Decides, topic_id: UUID, command: AdoptCommand) -> AdoptedView:
    """Take a topic up as a campaign, by a supervisor of the whole city."""
    wanted = Wanted(
        lead=command.lead, co_leads=command.co_leads, title=command.title,
        questions=[SubQuestion(one.name, tuple(one.codes)) for one in command.questions],
        measures=[wanted_measure(one) for one in command.measures], acts_from=command.acts_from,
    )  # fmt: skip
    async with commanding(here) as tx:
        campaign = await campaigns.adopt(tx, here, topic_id, wanted, who.name)
    return AdoptedView(campaign_id=campaign.campaign_id)


@router.post("/topics/{topic_id}/dismiss")
async def dismiss(
    here: Context, who: Decides, topic_id: UUID, command: DismissCommand, language: Reading
) -> TopicView:  # fmt: skip
    """Let a topic rest, by a supervisor of the whole city; for some months it is not proposed again."""
    async with commanding(here) as tx:
        topic = await topics.dismiss(tx, topic_id, who.name, command.note)
    return _view(here, topic, language)


def wanted_measure(command: MeasureCommand) -> WantedMeasure:
    """Return a measure as handlers take it."""
    milestones = [(one.what, one.due) for one in command.milestones]
    return WantedMeasure(command.what, command.owner, command.question, milestones)


async def _topic(here: Context, topic_id: UUID) -> Topic:
    topic = await store.topic(here.database.pool, topic_id)
    if topic is None:
        raise Problem(404, "no such topic")
    return topic


def _view(here: Context, topic: Topic, language: str) -> TopicView:
    city = here.engine.city
    return TopicView(
        topic_id=topic.topic_id, period=topic.period, rank=topic.rank, state=topic.state,
        title=briefing.title_of(city, topic, language), category=topic.category, codes=list(topic.codes),
        district=topic.district, since=topic.since, first=topic.first, last=topic.last, basis=topic.basis,
        hot_weeks=topic.hot_weeks, tally=TallyView.model_validate(topic.tally), score=_score(here, topic, language),
        **{
            name: [ShareView.model_validate(one) for one in shares]
            for name, shares in briefing.named(city, topic, language).items()
        },
        proposed_at=topic.proposed_at, decided_at=topic.decided_at, decided_by=topic.decided_by, note=topic.note,
    )  # fmt: skip


def _score(here: Context, topic: Topic, language: str) -> ScoreView:
    known = {one.code: one for one in here.engine.city.topics.components}
    parts = [
        PartView(
            code=part.code, name=briefing.read(known[part.code].name, language),
            about=briefing.read(known[part.code].about, language), half=part.half, weight=part.weight,
            value=part.value, low=part.low, high=part.high, figure=part.figure, usual=part.usual,
        )
        for part in topic.score.parts
    ]  # fmt: skip
    return ScoreView(value=topic.score.value, low=topic.score.low, high=topic.score.high, parts=parts)
