"""Clocks and supervision as pure decisions: from the facts known of a ticket to what its clocks must be now.

`decide` may be asked at any time and in any order of facts; it changes only what is not yet as it should be.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.common.contracts.envelope import Event
from services.sla.domain.clocks import Clock, missing, walk
from services.sla.domain.facts import Facts
from services.sla.domain.policy import Policy
from services.sla.domain.supervision import Case, supervise


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a decision came to: the clocks and the case as they are now, and what to tell."""

    clocks: tuple[Clock, ...]
    case: Case | None
    events: tuple[Event, ...]


def decide(
    ticket_id: UUID, facts: Facts, clocks: Iterable[Clock], case: Case | None, policy: Policy, now: datetime
) -> Ruling:
    """Bring a ticket's clocks and its supervision case to where the facts and the time say they must be."""
    kept = list(clocks)
    begun = missing(ticket_id, facts, kept, policy)
    walked = [walk(clock, facts, policy, now) for clock in (*kept, *(clock for clock, _ in begun))]
    now_clocks = tuple(clock for clock, _ in walked)
    case, supervised = supervise(ticket_id, case, now_clocks, policy, now)
    told = [event for _, said in (*begun, *walked) for event in said]
    return Ruling(now_clocks, case, (*told, *supervised))
