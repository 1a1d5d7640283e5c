"""What rulings propose: shown with its evidence, taken into the rules as a version to be tried, or dismissed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from libs.common.city.rules import RuleSet
from libs.common.city.versions import TextVersion
from libs.common.runtime.database import alone
from libs.common.versions import Taken, UnknownVersionError
from services.dispatch.domain import NotPossibleError
from services.dispatch.domain.proposals import Answer, Proposal, only_adds, proposed_rule, with_rule
from services.dispatch.domain.rules import Change
from services.dispatch.handlers.around import Here
from services.dispatch.handlers.returning import centre_of
from services.dispatch.handlers.rules import read_version, take_in
from services.dispatch.store import proposals as store


class UnknownProposalError(LookupError):
    """Rulings do not propose this, or not any more."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal, with the rule as routing.toml would have it."""

    proposal: Proposal
    rule: str


async def proposed(here: Here) -> Sequence[Proposed]:
    """Return what rulings of late propose to change in the rules."""
    wanted = here.engine.returns.proposals
    found = await store.proposals(
        here.database.pool, here.clock.now() - wanted.within, centre_of(here), wanted.rulings
    )  # fmt: skip
    rules = await _built_on(here) if found else None
    return [Proposed(one, _rule(here, one, rules)) for one in found if rules]


async def _built_on(here: Here) -> RuleSet:
    """Return the rules in force, with what was adopted of late and is still to be: activating both loses neither."""
    now = here.clock.now()
    rules = await read_version(here, here.engine.router.schedule.at(now).version)
    version = await store.newest_adopted(here.database.pool, now - here.engine.returns.proposals.within, now)
    try:
        adopted = await read_version(here, version) if version else rules
    except UnknownVersionError:  # a newer release adopted it
        return rules
    return adopted if only_adds(rules, adopted) else rules


def _rule(here: Here, proposal: Proposal, rules: RuleSet) -> str:
    say = here.engine.messages.say
    why = [say(language, "proposal", "why", count=proposal.tickets, unit="{unit}") for language in ("zh", "en")]
    return proposed_rule(proposal, {rule.id for rule in rules.rules}, (why[0], why[1]))


async def adopt(here: Here, proposal_id: str, note: str | None, by: str) -> Taken[TextVersion, Change]:
    """Take a proposal into the rules as a version of its own, which decides only once it is activated.

    It holds what was adopted before it and is not in force yet. Raises UnknownProposalError, NotPossibleError, and
    CityError if the rules do not hold with it, as when another takes all of it.
    """
    async with alone(here.database.pool, store.ADOPT_LOCK) as leads:
        if not leads:
            raise NotPossibleError("another proposal is being adopted; try again in a moment")
        one = await _one(here, proposal_id)
        text = await asyncio.to_thread(with_rule, await _built_on(here), one.proposal.rule, one.rule)
        taken = await take_in(here, text.encode(), note, by, dry_run=False)
        await _answer(here, Answer(proposal_id, here.clock.now(), "adopted", by, note, taken.version.version))
    return taken


async def dismiss(here: Here, proposal_id: str, note: str, by: str) -> Answer:
    """Let a proposal rest; it comes again when as many rulings more say the same. Raises UnknownProposalError."""
    await _one(here, proposal_id)
    return await _answer(here, Answer(proposal_id, here.clock.now(), "dismissed", by, note))


async def _one(here: Here, proposal_id: str) -> Proposed:
    found = next((one for one in await proposed(here) if one.proposal.proposal_id == proposal_id), None)
    if found is None:
        raise UnknownProposalError("rulings do not propose this, or not any more")
    return found


async def _answer(here: Here, answer: Answer) -> Answer:
    async with here.database.begin() as tx:
        await store.save_answer(tx, answer)
    return answer
