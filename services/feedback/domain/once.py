"""Nobody is asked twice for one thing: who repeated an appeal several times is asked through one ticket of theirs."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Sibling:
    """A ticket of one person among those that repeat one other, and whether it was asked about the word that stands."""

    ticket_id: UUID
    asked: bool


def asked_through(siblings: Iterable[Sibling]) -> UUID:
    """Return the ticket through which their reporter is asked: one that was asked already, else the first."""
    return min(siblings, key=lambda sibling: (not sibling.asked, sibling.ticket_id)).ticket_id
