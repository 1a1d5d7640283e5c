"""HTTP of campaigns 专项治理: who leads, what is done by when, what is late, how it ended and with what effect."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.transaction import Tx
from libs.common.runtime.http import Body, Cursor, Line, Page, Redacted, page
from libs.common.runtime.security import Principal, require
from services.feedback.api.around import Context, Limit, Reader, commanding
from services.feedback.api.topics import Decides, MeasureCommand, wanted_measure
from services.feedback.domain.campaigns import Campaign, CampaignState, Measure, fraction
from services.feedback.domain.effects import Effect, Estimate, WhyNot
from services.feedback.handlers import campaigns, effects
from services.feedback.handlers.matters import zone_of
from services.feedback.handlers.seeing import seen_units
from services.feedback.store import campaigns as store

router = APIRouter()
Worker = Annotated[Principal, Depends(require("unit", "supervisor"))]


class EstimateView(BaseModel):
    """An effect with its interval of 95 %; without a value, `why_not` says why it cannot be told.

    `peers` are the series it is held against, `placebos` on how many others the same was done though nothing acted on
    them, `chance` the share of these, itself counted, that changed as much.
    """

    value: float | None
    low: float | None
    high: float | None
    chance: float | None
    peers: list[str]
    placebos: int
    why_not: WhyNot | None


class EffectView(BaseModel):
    """What came of a campaign, with all weeks before the Monday `until`.

    `volume` is how many more appeals there are than there would have been, as a fraction: -0.3 is 30 % fewer.
    `solving` is by how much the share of answers that say solved is above what it would have been: 0.1 is ten points.
    Pairs are before and since: weeks, appeals a week, shares solved.
    """

    until: date
    volume: EstimateView
    solving: EstimateView
    weeks: tuple[int, int]
    weekly: tuple[float | None, float | None]
    solved: tuple[float | None, float | None]


class MilestoneView(BaseModel):
    """Something to be reached by the end of the day `due`. `late`: that is over, and it is not reached."""

    milestone_id: UUID
    what: str
    due: str
    done_at: datetime | None
    done_by: str | None
    note: str | None
    late: bool


class MeasureView(BaseModel):
    """One thing to do, and who does it."""

    measure_id: UUID
    what: str
    owner: UnitRef
    question: str | None
    milestones: list[MilestoneView]


class QuestionView(BaseModel):
    """A part of the problem."""

    model_config = ConfigDict(from_attributes=True)
    name: str
    codes: list[str]


class NoteView(BaseModel):
    """What somebody wrote on how it goes."""

    model_config = ConfigDict(from_attributes=True)
    at: datetime
    by: str
    text: str


class CampaignView(BaseModel):
    """A topic that was taken up; `campaign_id` is the topic's id. `tickets` and `since` are the topic's too."""

    campaign_id: UUID
    state: CampaignState
    title: str
    category: tuple[str, str]
    codes: list[str]
    district: str | None
    lead: UnitRef
    co_leads: list[UnitRef]
    questions: list[QuestionView]
    measures: list[MeasureView]
    notes: list[NoteView]
    tickets: int
    since: str
    acts_from: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    closed_by: str | None
    result: str | None
    effect: EffectView | None


class LateView(BaseModel):
    """A milestone that was not reached in time, and whose it is."""

    campaign_id: UUID
    title: str
    measure_id: UUID
    measure: str
    owner: UnitRef
    lead: UnitRef
    milestone_id: UUID
    what: str
    due: str


class ReachedCommand(Body):
    """What there is to say of a milestone that is reached."""

    note: Redacted | None = None


class NoteCommand(Body):
    """How it goes."""

    text: Redacted


class CloseCommand(Body):
    """What it came to."""

    result: Redacted


@router.get("/campaigns")
async def list_campaigns(
    here: Context, who: Reader, cursor: Cursor, state: CampaignState | None = None, unit: Line | None = None,
    limit: Limit = 100,
) -> Page[CampaignView]:  # fmt: skip
    """List campaigns, the oldest first: of all units, or those in which the key's units take part."""
    units = seen_units(here, who, unit)
    found = await store.campaigns(here.database.pool, state, units, cursor, limit)
    return page([_view(here, one) for one in found], limit, lambda one: (one.opened_at, one.campaign_id))


@router.get("/campaigns/late")
async def list_late(here: Context, who: Reader, unit: Line | None = None) -> list[LateView]:
    """List the milestones that were not reached in time, the longest overdue first."""
    units = seen_units(here, who, unit)
    late = [
        LateView(
            campaign_id=one.campaign_id, title=one.title, measure_id=measure.measure_id, measure=measure.what,
            owner=measure.owner, lead=UnitRef(code=one.lead_code, name=one.lead_name),
            milestone_id=milestone.milestone_id, what=milestone.what, due=milestone.due,
        )
        for one in await store.open_campaigns(here.database.pool)
        for measure, milestone in one.late(_today(here))
        if units is None or not {measure.owner.code, one.lead_code}.isdisjoint(units)
    ]  # fmt: skip
    return sorted(late, key=lambda one: (one.due, one.campaign_id))


@router.get("/campaigns/{campaign_id}")
async def get_campaign(here: Context, who: Reader, campaign_id: UUID) -> CampaignView:
    """Show a campaign to who takes part in it, and to the city's seats, analysts and supervisors."""
    return _view(here, await campaigns.seen(here, who, campaign_id))


@router.post("/campaigns/{campaign_id}/measures")
async def post_measure(here: Context, who: Worker, campaign_id: UUID, command: MeasureCommand) -> CampaignView:
    """Add a measure, as the lead or a supervisor above it."""
    wanted = wanted_measure(command)
    return await _done(here, lambda tx: campaigns.add_measure(tx, here, who, campaign_id, wanted))


@router.post("/campaigns/{campaign_id}/milestones/{milestone_id}/reached")
async def post_reached(
    here: Context, who: Worker, campaign_id: UUID, milestone_id: UUID, command: ReachedCommand | None = None
) -> CampaignView:
    """Say that a milestone is reached, as its owner, the lead or a supervisor above them."""
    note = command.note if command else None
    return await _done(here, lambda tx: campaigns.reach(tx, here, who, campaign_id, milestone_id, note))


@router.post("/campaigns/{campaign_id}/notes")
async def post_note(here: Context, who: Worker, campaign_id: UUID, command: NoteCommand) -> CampaignView:
    """Write how it goes, as a unit that takes part or a supervisor above it."""
    return await _done(here, lambda tx: campaigns.add_note(tx, here, who, campaign_id, command.text))


@router.post("/campaigns/{campaign_id}/close")
async def post_close(here: Context, who: Decides, campaign_id: UUID, command: CloseCommand) -> CampaignView:
    """End a campaign with what it came to and its effect by the last week counted; by a supervisor of all units."""
    await effects.measure_one(here, campaign_id)
    return await _done(here, lambda tx: campaigns.close(tx, here, campaign_id, command.result, who.name))


async def _done(here: Context, command: Callable[[Tx], Awaitable[Campaign]]) -> CampaignView:
    async with commanding(here) as tx:
        return _view(here, await command(tx))


def _today(here: Context) -> date:
    return here.clock.now().astimezone(zone_of(here)).date()


def _view(here: Context, one: Campaign) -> CampaignView:
    today = _today(here)
    return CampaignView(
        campaign_id=one.campaign_id, state=one.state, title=one.title, category=one.category, codes=list(one.codes),
        district=one.district, lead=UnitRef(code=one.lead_code, name=one.lead_name), co_leads=list(one.co_leads),
        questions=[QuestionView.model_validate(question) for question in one.questions],
        measures=[_measure(measure, today, one.state == "open") for measure in one.measures],
        notes=[NoteView.model_validate(note) for note in one.notes], tickets=one.tickets, since=one.since,
        acts_from=one.acts_from, opened_at=one.opened_at, opened_by=one.opened_by, closed_at=one.closed_at,
        closed_by=one.closed_by, result=one.result, effect=effect_view(one.effect),
    )  # fmt: skip


def _measure(measure: Measure, today: date, open_: bool) -> MeasureView:
    milestones = [
        MilestoneView(
            milestone_id=one.milestone_id, what=one.what, due=one.due, done_at=one.done_at, done_by=one.done_by,
            note=one.note, late=open_ and one.late(today),
        )
        for one in measure.milestones
    ]  # fmt: skip
    return MeasureView(
        measure_id=measure.measure_id, what=measure.what, owner=measure.owner, question=measure.question,
        milestones=milestones,
    )  # fmt: skip


def effect_view(effect: Effect | None) -> EffectView | None:
    """Return an effect as routes show it: of appeals as a fraction, of solving in points."""
    if effect is None:
        return None
    volume, solving = effect.volume, effect.solving
    return EffectView(
        until=effect.until, weeks=effect.weeks, weekly=effect.weekly, solved=effect.solved,
        volume=_estimate(volume, fraction(volume.value), fraction(volume.low), fraction(volume.high)),
        solving=_estimate(solving, solving.value, solving.low, solving.high),
    )  # fmt: skip


def _estimate(one: Estimate, value: float | None, low: float | None, high: float | None) -> EstimateView:
    return EstimateView(
        value=value, low=low, high=high, chance=one.chance, peers=list(one.peers), placebos=one.placebos,
        why_not=one.why_not,
    )  # fmt: skip
