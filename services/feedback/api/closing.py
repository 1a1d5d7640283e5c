"""False closings: what is doubted of what units say is done, with the evidence, and rulings on it."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi import Path as InPath
from pydantic import BaseModel, Field

from libs.common.city.closing import SignKind
from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Body, Cursor, Line, Note, Page, page
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal, require
from services.feedback import handlers, store
from services.feedback.api.around import Context, Limit, Reader, commanding
from services.feedback.domain import Doubted, Ruled
from services.feedback.domain.periods import PATTERN, period_of
from services.feedback.handlers import Here
from services.feedback.handlers.seeing import seen_units

router = APIRouter(tags=["feedback"])
Ruler = Annotated[Principal, Depends(require("supervisor"))]
Round = Annotated[int, InPath(alias="round", ge=1, le=1000)]
PeriodName = Annotated[str, Query(pattern=PATTERN, description="When it was resolved, such as 2026-11 or 2026-W45")]
Least = Annotated[float | None, Query(ge=0, le=1, description="Of at least this weight; the city's own if not given")]
UnitCode = Annotated[Line | None, Query(description="A unit's code")]


class SignView(BaseModel):
    """One reason to doubt, its weight by itself, and what it rests on."""

    kind: SignKind
    weight: float
    evidence: dict[str, Any]
    found_at: datetime


class DoubtView(BaseModel):
    """A round of which it is doubted that it was done. `weight`: what the signs say together; `upheld` null: not ruled.

    Upheld it counts against the unit as a false closing; before, and refused, it counts for nothing.
    """

    ticket_id: UUID
    round: int
    number: str | None
    category: tuple[str, str, str] | None
    district: str | None
    street: str | None
    unit: UnitRef
    resolved_at: datetime
    weight: float
    kinds: list[SignKind]
    found_at: datetime
    upheld: bool | None
    ruled_at: datetime | None
    ruled_by: str | None
    note: str | None


class DoubtWhole(DoubtView):
    """The same with its signs."""

    signs: list[SignView]


class RulingCommand(Body):
    """A ruling and why. `reopen`: what closed without an answer is worked on once more; only with `upheld`."""

    upheld: bool
    note: Note
    reopen: bool = False


class StandingView(BaseModel):
    """How the rounds stand that a unit resolved in a period. `rate` is the share ruled to be closed falsely."""

    unit: UnitRef
    resolved: Annotated[int, Field(ge=0)]
    open: int
    upheld: int
    refused: int
    rate: float


@router.get("/doubts")
async def list_doubts(
    here: Context, who: Reader, period: PeriodName, cursor: Cursor, unit: UnitCode = None, ruled: Ruled | None = None,
    least: Least = None, limit: Limit = 100,
) -> Page[DoubtView]:  # fmt: skip
    """List what is doubted of the rounds that units in your sight resolved in a period, oldest first.

    What the citizen said yes to is not among it, unless another reporter of the same said no.
    """
    weight = here.engine.suspicion.rules.rule_from if least is None else least
    units, span = seen_units(here, who, unit), _span(here, period)
    found = await store.doubts(here.database, units, span, weight, ruled, cursor, limit)
    return page([DoubtView(**_fields(one)) for one in found], limit, lambda one: (one.resolved_at, one.ticket_id))


@router.get("/false-closings")
async def list_standings(
    here: Context, who: Reader, period: PeriodName, unit: UnitCode = None, least: Least = None
) -> list[StandingView]:
    """Count by unit, of the rounds resolved in a period, what is doubted and what was ruled."""
    weight = here.engine.suspicion.rules.rule_from if least is None else least
    found = await store.standings(here.database, seen_units(here, who, unit), _span(here, period), weight)
    return [StandingView(**asdict(one) | {"unit": one.unit, "rate": one.upheld / one.resolved}) for one in found]


@router.get("/doubts/{ticket_id}/{round}")
async def show_doubt(here: Context, who: Reader, ticket_id: UUID, round_: Round) -> DoubtWhole:
    """Show a doubt with its signs and their evidence."""
    found = await store.doubt_of(here.database.pool, ticket_id, round_)
    if found is None:
        raise Problem(404, "nothing is doubted of that round")
    seen_units(here, who, found.doubt.unit_code)
    return _whole(found)


@router.post("/doubts/{ticket_id}/{round}/ruling")
async def post_ruling(here: Context, who: Ruler, ticket_id: UUID, round_: Round, command: RulingCommand) -> DoubtWhole:
    """Rule on a doubt, as a supervisor above the unit. The last ruling counts."""
    if command.reopen and not command.upheld:
        raise wrong_field("reopen", "goes with upheld only")
    async with commanding(here) as tx:
        ruled = await handlers.rule_doubt(
            tx, here, ticket_id, round_, who, upheld=command.upheld, note=command.note, reopen=command.reopen
        )
    return _whole(ruled)


def _span(here: Here, name: str) -> tuple[datetime, datetime]:
    try:
        return period_of(name).span(here.engine.policy.timezone)
    except ValueError as error:
        raise wrong_field("period", str(error)) from error


def _whole(found: Doubted) -> DoubtWhole:
    signs = [
        SignView(kind=sign.kind, weight=sign.weight, evidence=dict(sign.evidence), found_at=sign.found_at)
        for sign in found.signs
    ]
    return DoubtWhole(**_fields(found), signs=signs)


def _fields(found: Doubted) -> dict[str, Any]:
    doubt = found.doubt
    return {
        "ticket_id": doubt.ticket_id, "round": doubt.round, "number": found.number, "category": found.category,
        "district": found.district, "street": found.street, "unit": doubt.unit, "resolved_at": doubt.resolved_at,
        "weight": round(doubt.weight, 4), "kinds": list(doubt.kinds), "found_at": doubt.found_at,
        "upheld": doubt.upheld, "ruled_at": doubt.ruled_at, "ruled_by": doubt.ruled_by, "note": doubt.note,
    }  # fmt: skip
