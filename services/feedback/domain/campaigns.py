"""Campaigns 专项治理: a topic that was taken up, who leads, what is to be done by whom until when, and how it ended."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.common.contracts.envelope import Event
from libs.common.contracts.feedback import TopicClosed, TopicOpened
from libs.common.contracts.vocabulary import UnitRef
from services.feedback.domain.effects import Effect, Estimate
from services.feedback.domain.reviews import NotPossibleError
from services.feedback.domain.topics import Topic

CampaignState = Literal["open", "closed"]
MOST_MEASURES = 100
MOST_NOTES = 1000
LARGEST = 7.0
"""A logarithm beyond a thousandfold is written as that: no interval says anything there."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """Something to be reached by the end of a day, `due` as YYYY-MM-DD in the city's time."""

    milestone_id: UUID
    what: str
    due: str
    done_at: datetime | None = None
    done_by: str | None = None
    note: str | None = None

    def late(self, today: date) -> bool:
        """Say whether its day is over and it is not reached."""
        return self.done_at is None and date.fromisoformat(self.due) < today


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing to do, who does it, for which sub-question (by its name), and its milestones."""

    measure_id: UUID
    what: str
    owner: UnitRef
    question: str | None = None
    milestones: tuple[Milestone, ...] = ()


@dataclass(frozen=True, slots=True)
class SubQuestion:
    """A part of the problem that is worked on by itself."""

    name: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProgressNote:
    """What somebody wrote on how it goes."""

    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """One topic taken up; it has the topic's id. Days are Mondays or dates as YYYY-MM-DD.

    `picked_by` is the first week of the month it was picked by, `acts_from` the day from which measures act.
    `tickets` and `since` are those of the topic.
    """

    campaign_id: UUID
    state: CampaignState
    title: str
    codes: tuple[str, ...]
    category: tuple[str, str]
    district: str | None
    lead_code: str
    lead_name: str
    co_leads: tuple[UnitRef, ...]
    questions: tuple[SubQuestion, ...]
    measures: tuple[Measure, ...]
    notes: tuple[ProgressNote, ...]
    tickets: int
    since: str
    picked_by: str
    acts_from: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None = None
    closed_by: str | None = None
    result: str | None = None
    effect: Effect | None = None

    @property
    def units(self) -> frozenset[str]:
        """Who takes part: the lead, the co-leads, who has a measure."""
        owners = {measure.owner.code for measure in self.measures}
        return frozenset({self.lead_code, *(unit.code for unit in self.co_leads), *owners})

    def late(self, today: date) -> Iterator[tuple[Measure, Milestone]]:
        """Yield what was to be reached before today and is not."""
        for measure in self.measures if self.state == "open" else ():
            yield from ((measure, milestone) for milestone in measure.milestones if milestone.late(today))


@dataclass(frozen=True, slots=True)
class Plan:
    """How a topic is taken up."""

    title: str
    lead: UnitRef
    co_leads: tuple[UnitRef, ...]
    questions: tuple[SubQuestion, ...]
    measures: tuple[Measure, ...]
    acts_from: date


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins in the city, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def opened(topic: Topic, plan: Plan, by: str, zone: ZoneInfo, now: datetime) -> tuple[Campaign, list[Event]]:
    """Return the campaign that a topic becomes."""
    campaign = Campaign(
        campaign_id=topic.topic_id, state="open", title=plan.title, codes=topic.codes, category=topic.category,
        district=topic.district, lead_code=plan.lead.code, lead_name=plan.lead.name, co_leads=plan.co_leads,
        questions=plan.questions, measures=plan.measures, notes=(), tickets=topic.tally.tickets, since=topic.since,
        picked_by=topic.first, acts_from=plan.acts_from.isoformat(), opened_at=now, opened_by=by,
    )  # fmt: skip
    return campaign, [TopicOpened(**_told(campaign, zone))]


def measured(campaign: Campaign, measure: Measure) -> Campaign:
    """Return it with one more measure. Raises NotPossibleError if it is closed, or has too many."""
    _open(campaign)
    if len(campaign.measures) >= MOST_MEASURES:
        raise NotPossibleError(f"a campaign has at most {MOST_MEASURES} measures")
    return replace(campaign, measures=(*campaign.measures, measure))


def found(campaign: Campaign, milestone_id: UUID) -> tuple[Measure, Milestone] | None:
    """Return a milestone and whose it is."""
    pairs = ((measure, one) for measure in campaign.measures for one in measure.milestones)
    return next((pair for pair in pairs if pair[1].milestone_id == milestone_id), None)


def reached(campaign: Campaign, milestone: Milestone, by: str, note: str | None, now: datetime) -> Campaign:
    """Return it with a milestone reached. Raises NotPossibleError if it is closed, or that was reached before."""
    _open(campaign)
    if milestone.done_at:
        raise NotPossibleError("the milestone was reached before")
    done = replace(milestone, done_at=now, done_by=by, note=note)
    measures = tuple(
        replace(measure, milestones=tuple(done if one == milestone else one for one in measure.milestones))
        for measure in campaign.measures
    )
    return replace(campaign, measures=measures)


def noted(campaign: Campaign, note: ProgressNote) -> Campaign:
    """Return it with one more note. Raises NotPossibleError if it is closed, or has too many."""
    _open(campaign)
    if len(campaign.notes) >= MOST_NOTES:
        raise NotPossibleError(f"a campaign has at most {MOST_NOTES} notes")
    return replace(campaign, notes=(*campaign.notes, note))


def closed(campaign: Campaign, by: str, result: str, zone: ZoneInfo, now: datetime) -> tuple[Campaign, list[Event]]:
    """Return it closed with what it came to. Raises NotPossibleError if it was before."""
    _open(campaign)
    ended = replace(campaign, state="closed", closed_at=now, closed_by=by, result=result)
    volume = campaign.effect.volume if campaign.effect else Estimate()
    effect, low, high = (fraction(value) for value in (volume.value, volume.low, volume.high))
    return ended, [TopicClosed(**_told(campaign, zone), effect=effect, effect_low=low, effect_high=high)]


def fraction(log: float | None) -> float | None:
    """Return a difference of logarithms as a fraction of what it was before: -0.3 is 30 % fewer."""
    return None if log is None else math.expm1(min(log, LARGEST))


def sees(campaign: Campaign, units: Collection[str] | None) -> bool:
    """Say whether one of these units takes part, None for whoever sees all."""
    return units is None or not campaign.units.isdisjoint(units)


def _open(campaign: Campaign) -> None:
    if campaign.state != "open":
        raise NotPossibleError("the campaign is closed")


def _told(campaign: Campaign, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "title": campaign.title, "codes": campaign.codes, "district": campaign.district, "tickets": campaign.tickets,
        "since": midnight(date.fromisoformat(campaign.since), zone),
    }  # fmt: skip
