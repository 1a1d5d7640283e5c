"""The record: each round of each ticket as it stands, of which everything is counted that is ever published.

A case holds what other stages did and when; the citizen's word on it is the review of the same ticket and round. A
ticket that repeats another has one too, without a unit: it is an appeal that came, and its reporter is asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from libs.common.contracts.dispatch import ReplyFault, ReplyWords
from libs.common.contracts.feedback import Outcome
from libs.common.contracts.vocabulary import Channel, Kind, ReporterType, UnitRef, Urgency
from services.feedback.domain.facts import Facts
from services.feedback.domain.tickets import Ticket

_OF_APPEAL = ("number", "channel", "reporter_type", "kind", "received_at")
_OF_JUDGEMENT = ("kind", "code", "category", "tag", "urgency", "elderly", "district", "street")
End = Outcome | Literal["reopened"]


@dataclass(frozen=True, slots=True)
class Case:
    """One round of a ticket. `district` has six digits, `street` is a unit's code; both None where not known.

    `unit` led when it was resolved, or when a limit passed. `returns` counts the order's returns in all rounds up to
    this one, `support` others with the same trouble. `excluded`: it was ruled to enter no rate. `parent` is the ticket
    it repeats. `ended` says how the round came to its end.
    """

    ticket_id: UUID
    round: int
    number: str | None = None
    channel: Channel | None = None
    reporter_type: ReporterType | None = None
    kind: Kind | None = None
    code: str = ""
    category: tuple[str, str, str] | None = None
    tag: str | None = None
    urgency: Urgency | None = None
    elderly: bool = False
    district: str | None = None
    street: str | None = None
    received_at: datetime | None = None
    parent: UUID | None = None
    support: int = 0
    excluded: bool = False
    unit_code: str | None = None
    unit_name: str | None = None
    dispatched_at: datetime | None = None
    accepted_at: datetime | None = None
    contacted_at: datetime | None = None
    resolved_at: datetime | None = None
    reply_faults: tuple[ReplyFault, ...] = ()
    reply_words: ReplyWords | None = None
    evidence: int = 0
    returns: int = 0
    response_in_time: bool | None = None
    completion_in_time: bool | None = None
    ended: End | None = None
    ended_at: datetime | None = None

    @property
    def unit(self) -> UnitRef | None:
        """Who led."""
        return UnitRef(code=self.unit_code, name=self.unit_name or "") if self.unit_code else None


def recorded(facts: Facts, ticket: Ticket, before: Iterable[Case]) -> list[Case]:
    """Return every round of a ticket as the facts have it by now; nothing until it is known what the appeal is."""
    if facts.classified is None and facts.appeal is None:
        return []
    known = {case.round: case for case in before}
    rounds = sorted({*known, ticket.round})
    return [_case(known.get(number) or Case(ticket.ticket_id, number), facts, ticket) for number in rounds]


def _case(case: Case, facts: Facts, ticket: Ticket) -> Case:
    return replace(case, **_appeal(facts), **_work(case, facts), **_clocks(case, facts), **_ended(case, ticket))


def _appeal(facts: Facts) -> dict[str, Any]:
    """Return what is the same in each round."""
    appeal, judged = facts.appeal, facts.classified
    said: dict[str, Any] = {
        "parent": facts.linked.parent if facts.linked else None, "support": facts.support, "excluded": facts.excluded,
    }  # fmt: skip
    if appeal:
        said |= {name: getattr(appeal, name) for name in _OF_APPEAL}
    if judged:
        said |= {name: getattr(judged, name) for name in _OF_JUDGEMENT}
    return said


def _work(case: Case, facts: Facts) -> dict[str, Any]:
    """Return what the unit did in this round; what it does in the next is not of this one."""
    done = facts.resolved
    if done is None or done.round != case.round:
        return {}
    return {
        "unit_code": done.unit.code, "unit_name": done.unit.name, "dispatched_at": done.dispatched_at,
        "accepted_at": done.accepted_at, "contacted_at": done.contacted_at, "resolved_at": done.at,
        "reply_faults": done.reply_faults, "reply_words": done.reply_words, "evidence": done.evidence,
        "returns": done.returns,
    }  # fmt: skip


def _ended(case: Case, ticket: Ticket) -> dict[str, Any]:
    if case.round < ticket.round:
        return {"ended": "reopened"}
    return {"ended": ticket.outcome, "ended_at": ticket.closed_at}


def _clocks(case: Case, facts: Facts) -> dict[str, Any]:
    """Return whether the limits of this round were kept, and who led when one passed."""
    said: dict[str, Any] = {}
    for name, clock in (("response_in_time", facts.response), ("completion_in_time", facts.completion)):
        if clock and clock.round == case.round:
            said[name] = clock.in_time
            if clock.unit and not (facts.resolved and facts.resolved.round == case.round):
                said |= {"unit_code": clock.unit.code, "unit_name": clock.unit.name}
    return said
