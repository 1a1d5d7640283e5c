"""The library of solutions: what was done about which questions, where, and with what effect."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.feedback.domain.effects import Effect
from services.feedback.domain.reviews import NotPossibleError
from services.feedback.domain.topics import overlaps

SolutionState = Literal["current", "withdrawn"]
Standing = Literal["proved", "untold", "unproved"]
"""Of its effect: an interval that chance does not explain, no interval (yet), or one that holds none at all."""


@dataclass(frozen=True, slots=True)
class Solution:
    """What was done. `groups` are levels 1 and 2 of its questions, `districts` six digits, none for the whole city.

    `articles` are ids of the knowledge base, which has the documents. `campaign_id` is where it was tried.
    """

    solution_id: UUID
    state: SolutionState
    title: str
    what: str
    codes: tuple[str, ...]
    groups: tuple[str, ...]
    districts: tuple[str, ...]
    articles: tuple[str, ...]
    campaign_id: UUID | None
    effect: Effect | None
    made_at: datetime
    made_by: str
    note: str | None = None

    @property
    def standing(self) -> Standing:
        """What is known of its effect: fewer appeals, or more of them solved, beyond what chance explains."""
        volume, solving = (self.effect.volume, self.effect.solving) if self.effect else (None, None)
        if (volume and volume.high is not None and volume.high < 0) or (
            solving and solving.low is not None and solving.low > 0
        ):
            return "proved"
        told = (one for one in (volume, solving) if one and one.value is not None)
        return "unproved" if any(told) else "untold"

    def withdrawn(self, note: str) -> "Solution":
        """Return it as no longer suggested. Raises NotPossibleError if it was withdrawn before."""
        if self.state == "withdrawn":
            raise NotPossibleError("the solution was withdrawn before")
        return replace(self, state="withdrawn", note=note)


_RANK: dict[Standing, int] = {"proved": 0, "untold": 1, "unproved": 2}


def group_of(category: tuple[str, ...]) -> str:
    """Return the name of a group of questions: levels 1 and 2."""
    return "/".join(category[:2])


def suggested(solutions: Iterable[Solution], codes: Collection[str], district: str | None) -> list[Solution]:
    """Return solutions for some questions: of these very ones first, then of the district, then what had an effect."""

    def fit(one: Solution) -> tuple[bool, bool, int]:
        elsewhere = bool(one.districts) and district not in one.districts
        return not overlaps(one.codes, codes), elsewhere, _RANK[one.standing]

    newest = sorted(solutions, key=lambda one: one.made_at, reverse=True)
    return sorted(newest, key=fit)
