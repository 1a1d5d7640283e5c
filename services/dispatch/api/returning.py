"""Returns, the rulings on them, and how they are counted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, StringConstraints

from libs.common.contracts.dispatch import Against, ReturnGround
from libs.common.contracts.vocabulary import UnitRef, Urgency
from libs.common.messaging.transaction import Tx
from libs.common.runtime.http import YEARS, Body, Cursor, Line, Page, Redacted, page
from libs.common.runtime.problems import Problem, wrong_field
from services.dispatch import handlers, store
from services.dispatch.api.around import Context, OrderView, Reader, Reading, Returner, Ruler, commanding, view
from services.dispatch.domain import EvidenceError, ReturnBarredError, ReturnState
from services.dispatch.handlers import Here

router = APIRouter()
Month = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


class ReturnCommand(Body):
    """Why the order is not this unit's. What a ground needs to be proved is under /grounds."""

    ground: ReturnGround
    note: Redacted


class RuleCommand(Body):
    """Whether a return is right; if so, whose the order is, or under which question the router shall look for it.

    `verification` is the look on the spot that the ruling rests on.
    """

    upheld: bool
    unit: Line | None = None
    right_code: Line | None = None
    verification: UUID | None = None
    note: Redacted


class GroundView(BaseModel):
    """A ground of returns in the language of Accept-Language, what proves it, and the minutes there are by class."""

    code: ReturnGround
    name: str
    evidence: str
    note: int
    files: int
    on_the_spot: bool
    centre: bool
    within_minutes: dict[Urgency, int]


class ReturnView(BaseModel):
    """A return, and the ruling on it once there is one. `rule` had sent the order to the unit.

    `due_at` is when it must be ruled on; it was `escalated_at` when that was over. If `centre`, only the centre rules
    on it, and its ruling is `final`. `needs_look`: it is upheld only on a look on the spot. An `overturned` one was
    upheld until the final ruling sent the order back. A `void` one was ruled on
    by nobody, for its order ended or began another round.
    """

    model_config = ConfigDict(from_attributes=True)
    return_id: UUID
    ticket_id: UUID
    number: str
    round: int
    turn: int
    state: ReturnState
    unit: UnitRef
    ground: ReturnGround
    note: str
    files: int
    at: datetime
    due_at: datetime
    urgency: Urgency
    centre: bool
    needs_look: bool
    rule: str
    code: str
    category: tuple[str, str, str]
    escalated_at: datetime | None
    ended_at: datetime | None
    final: bool
    ruling: str | None
    to_code: str | None
    to_name: str | None
    right_code: str | None
    against: Against | None
    verification: UUID | None


class Returns(BaseModel):
    """The returns of an order, in their order."""

    items: list[ReturnView]


class BounceView(BaseModel):
    """How often a unit returned orders on a ground with one outcome, and whom that counts against.

    `against` is the unit that pushed them back, or the rules, the judgement or the person that sent them there by
    `rule`.
    """

    unit: UnitRef
    ground: ReturnGround
    outcome: ReturnState
    against: Against
    rule: str | None
    count: int


class Bounces(BaseModel):
    """The returns that were ruled on in a month of the city, most frequent first."""

    period: str
    total: int
    items: list[BounceView]


@router.get("/grounds")
async def list_grounds(here: Context, _: Reader, language: Reading) -> list[GroundView]:
    """List on which grounds orders may be returned, what proves them, and how soon after the hand-over."""
    terms, read = here.engine.returns, here.engine.messages.read
    return [
        GroundView(
            code=g.code, name=read({"zh": g.name.zh, "en": g.name.en}, language),
            evidence=read({"zh": g.evidence.zh, "en": g.evidence.en}, language), note=g.note, files=g.files,
            on_the_spot=g.on_the_spot, centre=g.centre,
            within_minutes={name: int(s.total_seconds() // 60) for name, s in (g.within or terms.within).items()},
        )
        for g in terms.grounds
    ]  # fmt: skip


@router.post("/orders/{ticket_id}/return")
async def return_order(
    here: Context, who: Returner, language: Reading, ticket_id: UUID, said: ReturnCommand
) -> OrderView:
    """Say that an order is not this unit's; it leads until a ruling. A refusal says what is possible instead."""
    async with _returning(here, language, said.ground) as tx:
        return view(await handlers.give_back(tx, here, who, ticket_id, said.ground, said.note))


@asynccontextmanager
async def _returning(here: Here, language: str, ground: ReturnGround) -> AsyncIterator[Tx]:
    """Run a return in a transaction, and say what bars it in the language of who reads it."""
    say = here.engine.messages.say
    try:
        async with commanding(here) as tx:
            yield tx
    except EvidenceError as error:
        listed = here.engine.returns.ground(ground)
        proof = {"zh": listed.evidence.zh, "en": listed.evidence.en} if listed else ""
        raise wrong_field(
            error.field, say(language, "return", error.field, least=error.least, evidence=proof)
        ) from error
    except Problem as problem:
        if isinstance(problem.__cause__, ReturnBarredError):
            raise _barred(here, language, problem.__cause__) from problem
        raise


def _barred(here: Here, language: str, error: ReturnBarredError) -> Problem:
    zone = ZoneInfo(here.engine.router.city.timezone)
    at = f"{error.at.astimezone(zone):%Y-%m-%d %H:%M}" if error.at else ""
    text = here.engine.messages.say(language, "return", error.bar, at=at)
    return wrong_field("ground", text) if error.bar == "unlisted" else Problem(409, text)


@router.post("/orders/{ticket_id}/rule")
async def rule_on_return(here: Context, who: Ruler, ticket_id: UUID, said: RuleCommand) -> OrderView:
    """Rule on a return. Refused, the order stays with its unit; after the second return only the centre rules."""
    if said.unit and not said.upheld:
        raise wrong_field("unit", "must be left out of a refusal: the order stays with its unit")
    ruled = handlers.Ruled(said.upheld, said.note, said.unit, said.right_code, said.verification)
    async with commanding(here) as tx:
        return view(await handlers.rule_on(tx, here, who, ticket_id, ruled))


@router.get("/orders/{ticket_id}/returns")
async def list_returns_of(here: Context, who: Reader, ticket_id: UUID) -> Returns:
    """List the returns of an order with their rulings, to who sees the whole of it; who helps sees none."""
    async with commanding(here) as tx:
        _, _, sight = await handlers.show(tx, here, who, ticket_id)
        found = (await store.returns_of(tx.connection, [ticket_id])).get(ticket_id, [])
    return Returns(items=[ReturnView.model_validate(one) for one in found if sight == "whole"])


@router.get("/returns")
async def list_returns(
    here: Context, who: Reader, cursor: Cursor,
    state: ReturnState = "open",
    unit: Annotated[Line | None, Query(description="Whose returns")] = None,
    centre: Annotated[bool, Query(description="Only what the centre rules on")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[ReturnView]:  # fmt: skip
    """List returns, due for a ruling soonest first: what is overdue stands on top, and alike ones oldest first."""
    units = handlers.listed(here, who, unit)
    found = await store.list_returns(here.database, state, units, cursor, limit, for_centre=centre)
    return page([ReturnView.model_validate(one) for one in found], limit, lambda one: (one.due_at, one.return_id))


@router.get("/bounces")
async def count_bounces(
    here: Context, who: Reader,
    period: Annotated[Month | None, Query(description="YYYY-MM in the city's time; this month if left out")] = None,
    unit: Annotated[Line | None, Query(description="Whose returns")] = None,
) -> Bounces:  # fmt: skip
    """Count the returns that were ruled on: by unit, ground, outcome, and what had sent the orders there."""
    zone = ZoneInfo(here.engine.router.city.timezone)
    period = period or f"{here.clock.now().astimezone(zone):%Y-%m}"
    year, month = map(int, period.split("-"))
    if year not in YEARS:
        raise wrong_field("period", f"must lie in the years {YEARS.start} to {YEARS.stop - 1}")
    until = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
    since = datetime(year, month, 1, tzinfo=zone)
    found = await store.bounces(here.database.pool, handlers.listed(here, who, unit), since, until)
    return Bounces(period=period, total=sum(one.count for one in found), items=[_bounce(one) for one in found])


def _bounce(one: store.Bounces) -> BounceView:
    return BounceView(
        unit=UnitRef(code=one.unit_code, name=one.unit_name), ground=one.ground, outcome=one.outcome,
        against=one.against, rule=one.rule, count=one.count,
    )  # fmt: skip
