"""HTTP of the library of solutions: what was done about which questions, with what effect; what fits a ticket."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from libs.common.runtime.http import Body, Cursor, Line, Page, Redacted, RedactedLine, page
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal, require_everywhere
from services.feedback.api.around import Context, Limit, Reader, commanding
from services.feedback.api.campaigns import EffectView, effect_view
from services.feedback.domain.solutions import Solution, SolutionState, Standing
from services.feedback.handlers import solutions
from services.feedback.handlers.solutions import WantedSolution
from services.feedback.store import solutions as store

router = APIRouter()
Writer = Annotated[Principal, Depends(require_everywhere("supervisor", "analyst"))]
District = Annotated[str, Field(pattern=r"^\d{6}$")]
SUGGESTED = 10
"""So many are suggested at the most."""


class SolutionCommand(Body):
    """What was done: of which questions, in which districts (none: the whole city), with which articles.

    Of a campaign the effect is taken, and its questions and district where none are named. `articles` are ids of the
    knowledge base.
    """

    title: RedactedLine
    what: Redacted
    codes: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    districts: Annotated[tuple[District, ...], Field(max_length=50)] = ()
    articles: Annotated[tuple[Line, ...], Field(max_length=20)] = ()
    campaign_id: UUID | None = None


class WithdrawCommand(Body):
    """Why it is suggested no more."""

    note: Redacted


class SolutionView(BaseModel):
    """What was done. `standing` says whether its effect is proved, showed none, or cannot be told (yet)."""

    solution_id: UUID
    state: SolutionState
    title: str
    what: str
    codes: list[str]
    districts: list[str]
    articles: list[str]
    campaign_id: UUID | None
    standing: Standing
    effect: EffectView | None
    made_at: datetime
    made_by: str
    note: str | None


@router.get("/solutions")
async def list_solutions(
    here: Context,
    _: Reader,
    cursor: Cursor,
    code: Annotated[Line | None, Query(description="Of this question or its group, what fits best first")] = None,
    words: Annotated[Line | None, Query(description="With these words in its title or text")] = None,
    state: SolutionState | None = None,
    limit: Limit = 100,
) -> Page[SolutionView]:
    """Search the library, the oldest first; or, by `code`, list what is suggested for a question, in one page."""
    if code is not None:
        fitting = await solutions.solutions_of_codes(here, [code])
        kept = [one for one in fitting if words is None or words.lower() in f"{one.title} {one.what}".lower()]
        return Page(items=[_view(one) for one in kept[:limit]], next=None)
    found = await store.search_solutions(here.database.pool, state, words, cursor, limit)
    return page([_view(one) for one in found], limit, lambda one: (one.made_at, one.solution_id))


@router.post("/solutions")
async def post_solution(here: Context, who: Writer, command: SolutionCommand) -> SolutionView:
    """Keep what was done, to be found and suggested."""
    wanted = WantedSolution(**{name: getattr(command, name) for name in SolutionCommand.model_fields})
    async with here.database.begin() as tx:
        return _view(await solutions.add_solution(tx, here, wanted, who.name))


@router.get("/solutions/{solution_id}")
async def get_solution(here: Context, _: Reader, solution_id: UUID) -> SolutionView:
    """Show one solution."""
    found = await store.solution(here.database.pool, solution_id)
    if found is None:
        raise Problem(404, "no such solution")
    return _view(found)


@router.post("/solutions/{solution_id}/withdraw")
async def post_withdraw(here: Context, _: Writer, solution_id: UUID, command: WithdrawCommand) -> SolutionView:
    """Suggest a solution no more. It is kept, with the reason."""
    async with commanding(here) as tx:
        return _view(await solutions.withdraw_solution(tx, solution_id, command.note))


@router.get("/tickets/{ticket_id}/solutions")
async def ticket_solutions(here: Context, _: Reader, ticket_id: UUID) -> list[SolutionView]:
    """Suggest to who works on a ticket what was done about its question, or others of its group."""
    return [_view(one) for one in (await solutions.solutions_of_ticket(here, ticket_id))[:SUGGESTED]]


def _view(one: Solution) -> SolutionView:
    return SolutionView(
        solution_id=one.solution_id, state=one.state, title=one.title, what=one.what, codes=list(one.codes),
        districts=list(one.districts), articles=list(one.articles), campaign_id=one.campaign_id,
        standing=one.standing, effect=effect_view(one.effect), made_at=one.made_at, made_by=one.made_by,
        note=one.note,
    )  # fmt: skip
