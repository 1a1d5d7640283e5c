"""HTTP of backtests: what rules, or another catalogue, would have moved of the tickets routed already."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from libs.common.contracts.classify import OwnerKind
from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Body, Moment
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.versions.http import Changes, Hash, Reads
from services.dispatch.api.around import Context
from services.dispatch.domain.backtests import Backtest, JobState, Owner, Report
from services.dispatch.handlers import Here, backtests
from services.dispatch.store import backtests as store

router = APIRouter()
LONGEST = timedelta(days=92)
MOST_CODES = 10_000
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")]


class OwnerBody(Body):
    """Whose duty a question is in another catalogue."""

    owner_kind: OwnerKind
    owner: Code | None = None
    co_handlers: Annotated[tuple[Code, ...], Field(max_length=20)] = ()


class BacktestCommand(Body):
    """Which tickets to route again: those routed from an instant to before another.

    `catalogue` says of the codes whose owner is another one than it was whose duty they are.
    """

    since: Annotated[Moment, Field(alias="from")]
    until: Moment
    catalogue: dict[Code, OwnerBody] = Field(default_factory=dict, max_length=MOST_CODES)


class MovesView(BaseModel):
    """Tickets that would go from one unit to another; `share` is of all, `examples` are numbers of some."""

    before: UnitRef = Field(serialization_alias="from")
    after: UnitRef = Field(serialization_alias="to")
    tickets: int
    share: float
    examples: list[str]


class GroupView(BaseModel):
    """Of the tickets of one level-1 category, or that one of the tried rules takes, how many would move."""

    model_config = ConfigDict(from_attributes=True)
    name: str
    tickets: int
    moved: int


class ReportView(BaseModel):
    """What would move. `moves` are the most frequent ways of `ways`.

    `unmeasured` counts tickets that hang on what is not kept: how busy units were, so a rule by load does not apply,
    and the words that a model of the city's history read, so what it led it still leads.
    """

    tickets: int
    moved: int
    share: float
    ways: int
    moves: list[MovesView]
    by_category: list[GroupView]
    by_rule: list[GroupView]
    unmeasured: int


class BacktestView(BaseModel):
    """A backtest. `read` counts the tickets looked at so far; the report comes when it is done."""

    backtest_id: UUID
    version: str
    since: datetime = Field(serialization_alias="from")
    until: datetime
    codes: int
    by: str
    state: JobState
    asked_at: datetime
    ended_at: datetime | None
    read: int
    report: ReportView | None
    error: str | None


@router.post("/rules/{version}/backtest")
async def request_backtest(here: Context, who: Changes, version: Hash, said: BacktestCommand) -> BacktestView:
    """Find out what rules would have moved; nothing is moved. It is done in the background."""
    if not said.since < said.until <= said.since + LONGEST:
        raise wrong_field("until", f"must lie behind from, by at most {LONGEST.days} days")
    owners = {code: Owner(body.owner_kind, body.owner, body.co_handlers) for code, body in said.catalogue.items()}
    _check_units(here, owners)
    asked = await backtests.request_backtest(here, version, said.since, said.until, owners, who.name)
    here.loops["backtests"].wake()
    return _view(here, asked)


@router.get("/rules/backtests/{backtest_id}")
async def show_backtest(here: Context, _: Reads, backtest_id: UUID) -> BacktestView:
    """Show a backtest, with its report once it is done."""
    found = await store.backtest_of(here.database.pool, backtest_id)
    if found is None:
        raise Problem(404, "no backtest has this id")
    return _view(here, found)


@router.get("/rules/{version}/backtests")
async def list_backtests(
    here: Context, _: Reads, version: Hash, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> list[BacktestView]:
    """List the backtests of rules, the newest first."""
    return [_view(here, one) for one in await store.backtests(here.database.pool, version, limit)]


def _check_units(here: Here, owners: Mapping[str, Owner]) -> None:
    """Refuse a catalogue that names units the city does not have: its tickets would all go to the centre."""
    units = here.engine.router.city.units
    if any(code not in units for owner in owners.values() for code in (owner.owner, *owner.co_handlers) if code):
        raise wrong_field("catalogue", "every owner and co-handler must be the code of a unit of the city")


def _view(here: Here, one: Backtest) -> BacktestView:
    return BacktestView(
        backtest_id=one.backtest_id, version=one.version, since=one.from_at, until=one.until_at, codes=len(one.owners),
        by=one.by, state=one.state, asked_at=one.asked_at, ended_at=one.ended_at, read=one.read,
        report=_report(here, one.report) if one.report else None, error=one.error,
    )  # fmt: skip


def _report(here: Here, report: Report) -> ReportView:
    def unit(code: str) -> UnitRef:
        return here.engine.router.unit(code) or UnitRef(code=code, name=code)

    moves = [
        MovesView(
            before=unit(m.before), after=unit(m.after), tickets=m.tickets, share=m.share, examples=list(m.examples)
        )
        for m in report.moves
    ]
    return ReportView(
        tickets=report.tickets, moved=report.moved, share=report.share, ways=report.ways, moves=moves,
        by_category=[GroupView.model_validate(group) for group in report.by_category],
        by_rule=[GroupView.model_validate(group) for group in report.by_rule], unmeasured=report.unmeasured,
    )  # fmt: skip
