"""Clocks as pure decisions: from the facts known of a ticket to what its clocks must be now.

`decide` may be asked at any time and in any order of facts; it changes only what is not yet as it should be.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.common.contracts.envelope import Event
from services.sla.domain.clocks import missing, walk
from services.sla.domain.facts import Facts
from services.sla.domain.policy import Book
from services.sla.domain.times import Clock


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a decision came to: the clocks as they are now, and what to tell."""

    clocks: tuple[Clock, ...]
    events: tuple[Event, ...]


def decide(ticket_id: UUID, facts: Facts, clocks: Iterable[Clock], book: Book, now: datetime) -> Ruling:
    """Bring a ticket's clocks to where the facts and the time say they must be."""
    kept = list(clocks)
    begun = missing(ticket_id, facts, kept, book)
    walked = [walk(clock, facts, book, now) for clock in (*kept, *(clock for clock, _ in begun))]
    now_clocks = tuple(clock for clock, _ in walked)
    told = [event for _, said in (*begun, *walked) for event in said]
    return Ruling(now_clocks, tuple(told))
