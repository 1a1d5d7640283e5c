"""HTTP of work before the appeal 未诉先办: what each unit is to do, and what came of it; the seasons it is done for."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, ConfigDict, Field

from libs.common.contracts.feedback import DeclineGround
from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Body, Cursor, Line, Moment, Page, Redacted, page
from libs.common.runtime.security import Principal, require
from services.feedback.api.around import Context, Limit, Reader, commanding
from services.feedback.domain.proactive import Order, OrderState, Rule
from services.feedback.handlers import advising, proactive
from services.feedback.handlers.proactive import Wanted
from services.feedback.handlers.seeing import seen_units
from services.feedback.store import proactive as store

router = APIRouter()
Worker = Annotated[Principal, Depends(require("unit"))]
Supervisor = Annotated[Principal, Depends(require("supervisor"))]


async def _reading(accept_language: Annotated[str, Header()] = "") -> str:
    return advising.TEXTS.preferred(accept_language)


Reading = Annotated[str, Depends(_reading)]


class EffectView(BaseModel):
    """What came of a piece of work, so far or for good (`final`), in the `weeks` since it began to count.

    `ratio` with its 95 % interval is how what came stands to what it would have been had it gone as in `places` like
    places where nothing was done: 0.7 is three in ten fewer. `foreseen` is what came of the weeks that the forecasts of
    the time had `expected`, with their 80 % interval.
    """

    model_config = ConfigDict(from_attributes=True)
    measured_at: datetime
    final: bool
    weeks: int
    came: int
    before: int
    foreseen: int | None
    expected: float | None
    expected_low: float | None
    expected_high: float | None
    places: int
    ratio: float | None
    low: float | None
    high: float | None
    proven: bool


class WorkView(BaseModel):
    """Work to do before anyone asks. `codes` are the questions it is to keep from being asked.

    `district` has six digits, `street` is a unit's code. `effect` is null until two weeks after it began to count: when
    it was done, or with its season.
    """

    order_id: UUID
    rule: Rule
    unit: UnitRef
    codes: list[str]
    district: str | None
    street: str | None
    what: str
    why: str
    by_date: datetime
    proposed_at: datetime
    proposed_by: str | None
    state: OrderState
    in_time: bool
    note: str | None
    ground: DeclineGround | None
    evidence: int
    ended_at: datetime | None
    effect: EffectView | None


class AddCommand(Body):
    """Work that a supervisor adds by hand."""

    unit: Line
    codes: Annotated[list[Line], Field(min_length=1, max_length=50)]
    what: Redacted
    by_date: Moment
    district: Line | None = None
    street: Line | None = None


class DoneCommand(Body):
    """The unit's word: what was done, and how many pieces of evidence it keeps of that, such as pictures."""

    note: Redacted
    evidence: Annotated[int, Field(ge=0, le=1000)] = 0


class DeclineCommand(Body):
    """Why the unit will not do it."""

    ground: DeclineGround
    note: Redacted


class SeasonWorkView(BaseModel):
    """What is to be done before a season, by whom (a unit's code, or owner, district, street) and from when on."""

    by: str
    what: str
    starts: date


class SeasonView(BaseModel):
    """A season that is under way or comes next, and the questions that gather in it."""

    id: str
    name: str
    first: date
    last: date
    under_way: bool
    codes: list[str]
    work: list[SeasonWorkView]


class CreditView(BaseModel):
    """What counts for a unit in a time: work done in it, in time and with evidence, effects proven in it, points."""

    model_config = ConfigDict(from_attributes=True)
    unit_code: str
    orders: int
    proven: int
    points: float


@router.get("/proactive")
async def list_work(
    here: Context, who: Reader, cursor: Cursor, reading: Reading,
    unit: Line | None = None, state: OrderState | None = None, rule: Rule | None = None, limit: Limit = 100,
) -> Page[WorkView]:  # fmt: skip
    """List work before the appeal, proposed first first. A unit's key sees its own and that of units under it."""
    filters = store.Filters(seen_units(here, who, unit), state, rule)
    found = await store.list_work(here.database.pool, filters, cursor, limit)
    return page([_view(order, reading) for order in found], limit, lambda work: (work.proposed_at, work.order_id))


@router.post("/proactive", status_code=201)
async def add_work(here: Context, who: Supervisor, command: AddCommand, reading: Reading) -> WorkView:
    """Add work for a unit by hand."""
    wanted = Wanted(
        command.unit, command.codes, command.district, command.street, command.what, command.by_date
    )  # fmt: skip
    async with here.database.begin() as tx:
        return _view(await proactive.add(tx, here, who, wanted), reading)


@router.get("/proactive/credits")
async def list_credits(
    here: Context, who: Reader,
    since: Annotated[Moment, Query(description="Done from then on")],
    until: Annotated[Moment, Query(description="And before then")],
) -> list[CreditView]:  # fmt: skip
    """List what units did in a time before anyone asked, and the points it is worth to their scores."""
    seen = seen_units(here, who)
    found = await store.done_of(here.database, since, until, here.engine.city.seasons.bonus)
    return [CreditView.model_validate(one) for one in found if seen is None or one.unit_code in seen]


@router.get("/proactive/{order_id}")
async def show_work(here: Context, who: Reader, order_id: UUID, reading: Reading) -> WorkView:
    """Show one piece of work and what came of it."""
    return _view(await proactive.show(here, who, order_id), reading)


@router.post("/proactive/{order_id}/done")
async def post_done(
    here: Context, who: Worker, order_id: UUID, command: DoneCommand, reading: Reading
) -> WorkView:  # fmt: skip
    """Say that the work is done. It counts for the unit's score if it is in time and there is evidence of it."""
    async with commanding(here) as tx:
        return _view(await proactive.finish(tx, here, who, order_id, command.note, command.evidence), reading)


@router.post("/proactive/{order_id}/decline")
async def post_decline(
    here: Context, who: Worker, order_id: UUID, command: DeclineCommand, reading: Reading
) -> WorkView:  # fmt: skip
    """Decline the work, with a ground; supervisors see it among the declined."""
    async with commanding(here) as tx:
        return _view(await proactive.decline(tx, here, who, order_id, command.ground, command.note), reading)


@router.get("/seasons")
async def list_seasons(here: Context, _: Reader, reading: Reading) -> list[SeasonView]:
    """List the seasons of the city, the next to come first, with what is to be done before each."""
    today = here.clock.now().astimezone(here.engine.policy.timezone).date()
    texts, seasons = advising.TEXTS, here.engine.city.seasons
    spans = sorted(((season.coming(today), season) for season in seasons.seasons), key=lambda pair: pair[0])
    return [
        SeasonView(
            id=season.id, name=texts.read({"zh": season.name.zh, "en": season.name.en}, reading), first=first,
            last=last, under_way=first <= today, codes=[question.code for question in seasons.questions[season.id]],
            work=[
                SeasonWorkView(by=w.by, what=texts.read({"zh": w.what.zh, "en": w.what.en}, reading),
                               starts=first - w.lead)
                for w in season.work
            ],
        )
        for (first, last), season in spans
    ]  # fmt: skip


def _view(order: Order, reading: str) -> WorkView:
    return WorkView(
        order_id=order.order_id, rule=order.rule, unit=order.unit, codes=list(order.codes), district=order.district,
        street=order.street, what=advising.what(reading, order), why=advising.why(reading, order),
        by_date=order.by_date, proposed_at=order.proposed_at, proposed_by=order.proposed_by, state=order.state,
        in_time=order.in_time, note=order.note, ground=order.ground, evidence=order.evidence, ended_at=order.ended_at,
        effect=EffectView.model_validate(order.effect) if order.effect else None,
    )  # fmt: skip
