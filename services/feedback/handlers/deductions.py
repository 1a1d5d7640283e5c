"""Points that it is proposed to take off units: kept as they come, and ruled on."""

from collections.abc import Sequence
from uuid import UUID

from libs.common.contracts import sla
from libs.common.contracts.envelope import Envelope
from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import Redactor
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal
from services.feedback.domain.deductions import Deduction, proposed, rule
from services.feedback.domain.periods import month_of
from services.feedback.handlers.around import Here
from services.feedback.handlers.scores import amend, subject_of
from services.feedback.handlers.seeing import may_rule
from services.feedback.store import deductions as store
from services.feedback.store import scores as scores_store


async def on_deduction(events: Sequence[Envelope[sla.DeductionProposed]], tx: Tx, here: Here) -> None:
    """Keep each proposal under the month it was made in."""
    made = {}
    for event in events:
        at = event.data.at or event.time
        period = month_of(at, here.engine.policy.timezone).name
        # An earlier release numbered none.
        proposal = event.data.proposal or event.id
        made[proposal] = proposed(event.data, proposal, period, at)
    known = await store.known(tx, made)
    await store.save_deductions(tx, [one for proposal, one in made.items() if proposal not in known])


async def rule_on_deduction(
    tx: Tx, here: Here, who: Principal, proposal: UUID, points: float, note: str
) -> Deduction:  # fmt: skip
    """Take points off for a proposal, or none. Of a month that is published already the next version shows them.

    Raises Problem 403 and 404, NotPossibleError if it was ruled on already, or for more than was proposed.
    """
    found = await store.deduction_of(tx.connection, proposal)
    if found is None:
        raise Problem(404, "no such proposal")
    may_rule(here, who, found.unit_code)
    await tx.lock([subject_of(found.period)])
    standing = await store.deduction_of(tx.connection, proposal) or found
    last = await scores_store.last_publication(tx.connection, standing.period)
    version = last.version + 1 if last else 1
    ruled = rule(standing, points, who.name, Redactor().redact(note), tx.now, version)
    await store.save_deductions(tx, [ruled])
    if ruled.imposed and last:
        await amend(tx, here, last, [ruled.unit_code], "deduction", who.name)
    return ruled
