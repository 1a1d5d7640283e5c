"""What feedback decides: on the facts it heard, about the questions it puts and the tickets it closes and reopens."""

from services.feedback.domain.bounces import Bounce, bounced
from services.feedback.domain.cases import Case, recorded
from services.feedback.domain.facts import Answered, Appeal, Classified, Facts, Linked, Method, OnTime, Resolved
from services.feedback.domain.reviews import (
    BAD,
    GOOD,
    Answer,
    By,
    NotPossibleError,
    Policy,
    Review,
    State,
    Try,
    TryOutcome,
    Word,
    answer,
    attempt,
    next_due,
)
from services.feedback.domain.tickets import Ruling, Ticket, decide, repeated

__all__ = [
    "BAD",
    "GOOD",
    "Answer",
    "Answered",
    "Appeal",
    "Bounce",
    "By",
    "Case",
    "Classified",
    "Facts",
    "Linked",
    "Method",
    "NotPossibleError",
    "OnTime",
    "Policy",
    "Resolved",
    "Review",
    "Ruling",
    "State",
    "Ticket",
    "Try",
    "TryOutcome",
    "Word",
    "answer",
    "attempt",
    "bounced",
    "decide",
    "next_due",
    "recorded",
    "repeated",
]
