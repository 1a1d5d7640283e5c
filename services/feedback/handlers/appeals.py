"""Appeals of units against what was counted, and the rulings on them."""

from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import Redactor
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal
from services.feedback.domain import NotPossibleError
from services.feedback.domain.appeals import ScoreAppeal, rule
from services.feedback.handlers.around import Here
from services.feedback.handlers.scores import amend, subject_of, unit_of
from services.feedback.handlers.seeing import may_rule, viewer
from services.feedback.store import appeals as store
from services.feedback.store import scores as scores_store


async def appeal(
    tx: Tx, here: Here, who: Principal, period: str, unit: str, ticket: UUID, ground: str, note: str
) -> ScoreAppeal:  # fmt: skip
    """Keep a unit's appeal against a ticket that a published month counts.

    Raises Problem 403 and 422, NotPossibleError with the reason.
    """
    if not viewer(here, who).acts_for(unit):
        raise Problem(403, "a unit appeals for itself")
    grounds = [one.code for one in here.engine.city.scoring.grounds]
    if ground not in grounds:
        raise wrong_field("ground", f"must be one of {', '.join(grounds)}")
    await tx.lock([subject_of(period)])
    await _require_time(tx, here, period)
    if await store.appeals_against(tx, period, unit, ticket):
        raise NotPossibleError("the unit appealed against this ticket in this month already")
    rounds = await scores_store.counted_rounds(tx, period, unit, ticket)
    if not rounds:
        raise NotPossibleError("this ticket is not counted for the unit in this month")
    made = ScoreAppeal(
        here.clock.new_id(), period, ticket, rounds, unit, unit_of(here, unit).name, ground, Redactor().redact(note),
        "open", tx.now, who.name,
    )  # fmt: skip
    await store.save_appeal(tx, made)
    await tx.lock([unit])
    tx.emit(unit, made.told)
    return made


async def _require_time(tx: Tx, here: Here, period: str) -> None:
    first = await scores_store.publication_of(tx.connection, period, 1)
    if first is None:
        raise NotPossibleError("the scores of this month are not published")
    if tx.now > first.at + here.engine.city.scoring.appeal_within:
        raise NotPossibleError("the time for appeals against this month is over")


async def rule_on_appeal(
    tx: Tx, here: Here, who: Principal, appeal_id: UUID, note: str, *, upheld: bool
) -> ScoreAppeal:  # fmt: skip
    """Rule on an appeal; upheld, its ticket counts no more and the month's next version says so of this unit alone.

    Raises Problem 403 and 404, NotPossibleError if it was ruled on already.
    """
    found = await store.appeal_of(tx.connection, appeal_id)
    if found is None:
        raise Problem(404, "no such appeal")
    may_rule(here, who, found.unit_code)
    await tx.lock([subject_of(found.period)])
    standing = await store.appeal_of(tx.connection, appeal_id) or found
    last = await scores_store.last_publication(tx.connection, standing.period)
    version = last.version + 1 if upheld and last else None
    ruled, said = rule(standing, who.name, Redactor().redact(note), tx.now, version)
    await store.save_appeal(tx, ruled)
    await tx.lock([ruled.unit_code])
    tx.emit(ruled.unit_code, said)
    if upheld and last:
        await scores_store.leave_out(tx, last.version + 1, ruled)
        await amend(tx, here, last, [ruled.unit_code], "appeal", who.name)
    return ruled
