"""What classify decides: on the words it read and the facts it heard, what an appeal is about and how grave it is."""

from services.classify.domain.deciding import correct, decide, next_due, opened
from services.classify.domain.grading import grade
from services.classify.domain.telling import alternatives
from services.classify.domain.verdicts import (
    Facts,
    JudgedBy,
    Label,
    Named,
    NotPossibleError,
    Ruled,
    Rules,
    Ruling,
    State,
    Verdict,
)
from services.classify.domain.words import Appeal, Guess, Reading, appeal_of

__all__ = [
    "Appeal",
    "Facts",
    "Guess",
    "JudgedBy",
    "Label",
    "Named",
    "NotPossibleError",
    "Reading",
    "Ruled",
    "Rules",
    "Ruling",
    "State",
    "Verdict",
    "alternatives",
    "appeal_of",
    "correct",
    "decide",
    "grade",
    "next_due",
    "opened",
]
