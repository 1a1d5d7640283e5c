"""The library of solutions: what is put into it, and what of it fits a ticket."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, unknown_ticket, wrong_field
from services.feedback.domain.campaigns import Campaign
from services.feedback.domain.solutions import Solution, group_of, suggested
from services.feedback.handlers.around import Here
from services.feedback.store import campaigns as campaigns_store
from services.feedback.store import solutions as store


@dataclass(frozen=True, slots=True)
class WantedSolution:
    """What is to be kept: of which questions (a campaign's own if none are named), where, with which articles."""

    title: str
    what: str
    codes: Sequence[str]
    districts: Sequence[str]
    articles: Sequence[str]
    campaign_id: UUID | None


async def add_solution(tx: Tx, here: Here, wanted: WantedSolution, by: str) -> Solution:
    """Keep what was done, with the effect its campaign has. Raises Problem 422 for what the city does not have."""
    campaign = await _campaign(tx, wanted.campaign_id)
    codes = tuple(dict.fromkeys(wanted.codes or (campaign.codes if campaign else ())))
    places = (campaign.district,) if campaign and campaign.district else ()
    solution_id = here.clock.new_id()
    await tx.lock([str(solution_id)])
    solution = Solution(
        solution_id=solution_id, state="current", title=wanted.title, what=wanted.what, codes=codes,
        groups=_groups(here, codes), districts=_districts(here, wanted.districts) or places,
        articles=tuple(wanted.articles), campaign_id=wanted.campaign_id, effect=campaign.effect if campaign else None,
        made_at=tx.now, made_by=by,
    )  # fmt: skip
    await store.save_solution(tx, solution)
    return solution


async def _campaign(tx: Tx, campaign_id: UUID | None) -> Campaign | None:
    if campaign_id is None:
        return None
    campaign = await campaigns_store.campaign(tx.connection, campaign_id)
    if campaign is None:
        raise wrong_field("campaign_id", "should be the id of a campaign")
    return campaign


async def withdraw_solution(tx: Tx, solution_id: UUID, note: str) -> Solution:
    """Suggest a solution no more. Raises Problem 404, NotPossibleError."""
    await tx.lock([str(solution_id)])
    solution = await store.solution(tx.connection, solution_id)
    if solution is None:
        raise Problem(404, "no such solution")
    withdrawn = solution.withdrawn(note)
    await store.save_solution(tx, withdrawn)
    return withdrawn


async def solutions_of_codes(here: Here, codes: Sequence[str], district: str | None = None) -> list[Solution]:
    """Return what was done about these questions or their groups, what fits the first of them best first."""
    known = here.engine.city.catalogue.by_code
    groups = {group_of(known[code].category) for code in codes if code in known}
    return suggested(await store.solutions_for(here.database.pool, codes, groups), codes, district)


async def solutions_of_ticket(here: Here, ticket_id: UUID) -> list[Solution]:
    """Return what was done about appeals like a ticket's, what fits best first. Raises Problem 404 or 409."""
    matter = await store.matter_of(here.database.pool, ticket_id)
    if matter is None:
        raise unknown_ticket(ticket_id, here.clock)
    code, category, district = matter
    groups = [group_of(category)] if category else []
    return suggested(await store.solutions_for(here.database.pool, [code], groups), [code], district)


def _groups(here: Here, codes: Sequence[str]) -> tuple[str, ...]:
    known = here.engine.city.catalogue.by_code
    if not codes or any(code not in known for code in codes):
        raise wrong_field("codes", "should hold codes of the city's catalogue, one at least")
    return tuple(dict.fromkeys(group_of(known[code].category) for code in codes))


def _districts(here: Here, wanted: Sequence[str]) -> tuple[str, ...]:
    known = {unit.district for unit in here.engine.city.units.values() if unit.kind == "district"}
    if not known.issuperset(wanted):
        raise wrong_field("districts", "should hold six-digit codes of the city's districts")
    return tuple(dict.fromkeys(wanted))
