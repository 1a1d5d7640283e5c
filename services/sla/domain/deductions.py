"""Deductions 扣分: points that a case proposes to take off a unit, with the facts it rests on. Feedback rules."""

from dataclasses import replace
from datetime import datetime
from uuid import NAMESPACE_OID, UUID, uuid5

from libs.common.city.supervision import Fault
from libs.common.contracts.sla import DeductionProposed, Evidence
from libs.common.contracts.vocabulary import UnitRef
from services.sla.domain.cases import Case, CaseStep, Proposal
from services.sla.domain.owners import Rules


def proposed(
    case: Case, fault: Fault, rules: Rules, now: datetime, unit: UnitRef | None = None, item: UUID | None = None
) -> CaseStep:
    """Propose what the city's terms say a fault costs, once a case, a unit and an item."""
    unit = unit or case.unit
    terms = (one for one in rules.terms.deductions if one.fault == fault and one.level in {None, case.level})
    terms_ = next(terms, None)
    if unit is None or terms_ is None:
        return case, []
    key = f"{case.subject}/{case.turn}/{fault}/{unit.code}/{terms_.level}/{item}"
    proposal = Proposal(uuid5(NAMESPACE_OID, key), unit, fault, terms_.points, now, case.level)
    if any(one.proposal_id == proposal.proposal_id for one in case.proposals):
        return case, []
    return with_proposal(case, proposal)


def with_proposal(case: Case, proposal: Proposal) -> CaseStep:
    """Put a proposal to feedback, which rules on it, with the facts it rests on."""
    case = replace(case, proposals=(*case.proposals, proposal))
    return case, [
        DeductionProposed(
            unit=proposal.unit, points=proposal.points, ground=proposal.fault, proposal=proposal.proposal_id,
            ticket=case.subject if case.about == "ticket" else None, evidence=evidence_of(case),
            by="person" if proposal.fault == "hand" else "rule", note=proposal.note or None, at=proposal.at,
        )
    ]  # fmt: skip


def evidence_of(case: Case) -> tuple[Evidence, ...]:
    """Return the facts of a case, in order of time; codes and numbers alone, no one's words."""
    facts = [Evidence(what="opened", at=case.opened_at, detail=f"level={case.level}")]
    for ground in case.grounds:
        facts += [Evidence(what=f"ground.{ground.code}", at=ground.at, detail=f"level={ground.level}")]
        facts += ground.evidence
    for answer in case.answers:
        said = {None: "open", True: "accepted", False: "refused"}[answer.accepted]
        facts.append(Evidence(what="answer", at=answer.at, detail=f"unit={answer.unit.code} judgement={said}"))
    if case.state == "open" and case.answer_due_at:
        facts.append(Evidence(what="answer_due", at=case.answer_due_at))
    for check in case.checks:
        found = f"holds={check.holds}".lower() if check.found_at else "open"
        facts.append(Evidence(what="check", at=check.found_at or check.ordered_at, detail=found))
    facts += [Evidence(what="duty_due", at=duty.due_at, detail=f"unit={duty.unit.code}") for duty in case.duties]
    return tuple(sorted(facts, key=lambda fact: fact.at))
