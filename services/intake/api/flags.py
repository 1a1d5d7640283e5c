"""Flags on appeals over HTTP: put by who works on them, ruled on by a supervisor, appealed by the citizen."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from libs.common.city.scope import Verdict
from libs.common.runtime.http import Body, Cursor, Line, Note, Page, page
from libs.common.runtime.problems import FieldError, Problem
from libs.common.runtime.security import Principal, Role, authenticate, require, require_everywhere
from services.intake import handlers
from services.intake.api.around import Code, Context, InLanguage, Reading, possible
from services.intake.api.scope import NameView
from services.intake.api.tickets import TicketView, view
from services.intake.domain import TRANSITIONS, Flag, FlagState
from services.intake.handlers import Here, Seen

router = APIRouter()
Flagger = Annotated[Principal, Depends(require(*cast(tuple[Role, ...], TRANSITIONS["flag"].roles)))]
Ruler = Annotated[Principal, Depends(require_everywhere(*cast(tuple[Role, ...], TRANSITIONS["uphold"].roles)))]
BURST_NAME = {"zh": "同一人短时间内大量诉求", "en": "Many appeals of one person in a short time"}


class FlagView(BaseModel):
    """A flag. `by` is the key that put it, `rule` where it was noticed; a burst has no verdict, a reporter and a count.

    `note` is the ruling's reason, `appeal` what the citizen says against it, `review_note` what was ruled of that.
    """

    flag_id: UUID
    ticket_id: UUID
    number: str
    ground: str
    name: NameView
    verdict: Verdict | None
    evidence: str
    by: str
    at: datetime
    state: FlagState
    reporter: str | None
    count: int | None
    ruled_by: str | None
    ruled_at: datetime | None
    note: str | None
    appeal: str | None
    appealed_at: datetime | None
    reviewed_by: str | None
    reviewed_at: datetime | None
    review_note: str | None


class FlagCommand(Body):
    """On which listed ground, and what proves it."""

    ground: Line
    evidence: Note


class RuleCommand(Body):
    """Whether the ground holds; `note` is the reason that the citizen reads."""

    upheld: bool
    note: Note


class AppealCommand(Body):
    """Why the ruling is wrong."""

    text: Note


@router.post("/tickets/{ticket_id}/flag")
async def flag(here: Context, who: Flagger, ticket_id: UUID, command: FlagCommand) -> FlagView:
    """Flag an appeal on a listed ground, as a seat or the unit that leads. Nothing changes until a supervisor rules."""
    seen = await handlers.look(here, ticket_id)
    lead = seen.facts.led.unit if seen.facts.led else None
    if not who.may_everywhere("seat", "supervisor") and not (lead and who.acts_for(lead.code)):
        raise Problem(403, "only the unit that leads the order may flag its appeal")
    async with here.database.begin() as tx:
        put = await possible(handlers.flag(tx, here, ticket_id, command.ground, command.evidence, who.name))
    return _view(here, put, seen.number)


@router.get("/flags")
async def get_flags(
    here: Context, _: Ruler, cursor: Cursor,
    state: FlagState = "open", language: InLanguage = None, limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[FlagView]:  # fmt: skip
    """List flags in a state, oldest first: `open` and `appealed` wait for a ruling."""
    found = await handlers.list_flags(here, state, language, cursor, limit)
    return page([_view(here, one, number) for one, number in found], limit, lambda one: (one.at, one.flag_id))


@router.post("/flags/{flag_id}/rule")
async def rule(here: Context, who: Ruler, flag_id: UUID, command: RuleCommand) -> FlagView:
    """Rule on a flag, or on the citizen's appeal against it; not by who flagged or ruled before.

    A verdict bears on scoring only. The citizen is told of it, with the reason and how to appeal.
    """
    async with here.database.begin() as tx:
        ruled = await possible(handlers.rule_on_flag(tx, here, flag_id, command.upheld, command.note, who.name))
    return _view(here, ruled, (await handlers.look(here, ruled.ticket_id)).number)


@router.post("/tickets/{ticket_id}/appeal-screening")
async def appeal(
    request: Request, here: Context, ticket_id: UUID, command: AppealCommand, language: Reading, code: Code = None
) -> TicketView:
    """Appeal against a ruling, once: the citizen by the query code, or a seat or the sender on the citizen's word."""
    _may_appeal(request, here, await handlers.look(here, ticket_id), ticket_id, code)
    async with here.database.begin() as tx:
        await possible(handlers.appeal_ruling(tx, here, ticket_id, command.text))
    return view(here, ticket_id, await handlers.look(here, ticket_id), language, ask=False)


def _may_appeal(request: Request, here: Here, seen: Seen, ticket_id: UUID, code: str | None) -> None:
    if code is not None:
        if not here.engine.codes.matches(ticket_id, code):
            raise Problem(403, "code: does not belong to this ticket", errors=[FieldError("code", "is wrong")])
        return
    who = authenticate(request)
    if not who.may("seat") and who.name != seen.client:
        raise Problem(403, "only the citizen, the sender of the ticket, or a seat may appeal")


def _view(here: Here, flag: Flag, number: str) -> FlagView:
    name = handlers.ground_name(here, flag.ground) if flag.verdict else BURST_NAME
    return FlagView(**asdict(flag), number=number, name=NameView(**name))
