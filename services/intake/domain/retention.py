"""How long what is kept of a ticket may be kept, and what of it must wait."""

from datetime import datetime, timedelta
from typing import Literal

from services.intake.domain.opening import ended_at
from services.intake.domain.progress import Facts, status
from services.intake.domain.tickets import State

Stays = Literal["goes_on", "disputed", "erased"]
ERASED = "personal_data.deleted"
"""The type of the timeline's line that says so."""


def must_stay(state: State, facts: Facts, *, disputed: bool) -> Stays | None:
    """Return why the personal data of a ticket may not be deleted yet, None if it may.

    Source: Personal Information Protection Law, article 47: it is deleted when its purpose is achieved. It is not
    while someone works on the ticket, nor while a ruling on it is awaited or disputed.
    """
    if status(state, facts) not in {"closed", "withdrawn"}:
        return "goes_on"
    return "disputed" if disputed else None


def is_over(state: State, facts: Facts, span: timedelta, now: datetime, *, disputed: bool) -> bool:
    """Say whether a ticket has been over for `span`, so that what is kept for so long goes."""
    end = ended_at(facts)
    return end is not None and now - end >= span and must_stay(state, facts, disputed=disputed) is None
