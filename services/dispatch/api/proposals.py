"""HTTP of what rulings propose to change in the rules of routing."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict

from libs.common.city.problems import CityError
from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Body, Redacted
from libs.common.runtime.problems import FieldError, Problem
from libs.common.runtime.security import Principal, require, require_everywhere
from services.dispatch.api.around import Context, possible
from services.dispatch.domain.proposals import ProposalState, conditions
from services.dispatch.handlers import proposals
from services.dispatch.handlers.proposals import Proposed, UnknownProposalError
from services.dispatch.store import proposals as store

router = APIRouter()
Reads = Annotated[Principal, Depends(require("analyst", "supervisor", "operator"))]
Answers = Annotated[Principal, Depends(require_everywhere("supervisor"))]
ProposalId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


class ProposalView(BaseModel):
    """Orders of one kind that `rule` sent to `from_unit`, and rulings to `to_unit`: `tickets` of them since `first_at`.

    `proposed` is a rule as routing.toml has it, to stand before `rule`; `numbers` are up to 100 of the tickets.
    """

    proposal_id: str
    rule: str
    from_unit: UnitRef
    to_unit: UnitRef
    category: tuple[str, str]
    conditions: dict[str, list[str]]
    tickets: int
    numbers: list[str]
    first_at: datetime
    last_at: datetime
    proposed: str


class AnswerView(BaseModel):
    """How a proposal was answered. `version` are the rules it is in once adopted, to be backtested and activated."""

    model_config = ConfigDict(from_attributes=True)
    proposal_id: str
    at: datetime
    state: ProposalState
    by: str
    note: str | None
    version: str | None


class AdoptCommand(Body):
    """Why it is adopted, if there is something to say."""

    note: Redacted | None = None


class DismissCommand(Body):
    """Why it is not."""

    note: Redacted


class AdoptedView(BaseModel):
    """The version of the rules that holds the proposal. Nothing is routed by it before it is activated."""

    proposal_id: str
    version: str
    rules: int
    new: bool


@router.get("/proposals")
async def list_proposals(here: Context, _: Reads) -> list[ProposalView]:
    """List the changes of rules that rulings propose, what most of them do first."""
    return [_view(one) for one in await proposals.proposed(here)]


@router.get("/proposals/answers")
async def list_answers(
    here: Context, _: Reads, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[AnswerView]:  # fmt: skip
    """List how proposals were answered, the newest first."""
    return [AnswerView.model_validate(one) for one in await store.answers(here.database.pool, limit)]


@router.post("/proposals/{proposal_id}/adopt")
async def adopt(
    here: Context, who: Answers, proposal_id: ProposalId, said: AdoptCommand | None = None
) -> AdoptedView:  # fmt: skip
    """Make a version of the rules with a proposal, to be backtested and activated like any other."""
    try:
        taken = await possible(proposals.adopt(here, proposal_id, said.note if said else None, who.name))
    except UnknownProposalError as error:
        raise Problem(404, str(error)) from error
    except CityError as error:
        found = [FieldError(where, what) for where, _, what in (one.partition(": ") for one in error.problems)]
        raise Problem(409, "the rules do not hold with this one; change them by hand", errors=found) from error
    version = taken.version
    return AdoptedView(proposal_id=proposal_id, version=version.version, rules=version.rules, new=taken.new)


@router.post("/proposals/{proposal_id}/dismiss")
async def dismiss(here: Context, who: Answers, proposal_id: ProposalId, said: DismissCommand) -> AnswerView:
    """Let a proposal rest until as many rulings more say the same."""
    try:
        return AnswerView.model_validate(await proposals.dismiss(here, proposal_id, said.note, who.name))
    except UnknownProposalError as error:
        raise Problem(404, str(error)) from error


def _view(one: Proposed) -> ProposalView:
    p = one.proposal
    return ProposalView(
        proposal_id=p.proposal_id, rule=p.rule, from_unit=UnitRef(code=p.from_code, name=p.from_name),
        to_unit=UnitRef(code=p.to_code, name=p.to_name), category=p.category,
        conditions={name: list(values) for name, values in conditions(p).items()}, tickets=p.tickets,
        numbers=list(p.numbers), first_at=p.first_at, last_at=p.last_at, proposed=one.rule,
    )  # fmt: skip
