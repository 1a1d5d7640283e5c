"""Topics 每月一题: the candidates of a month as they are kept, and what is decided of them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid5

from services.feedback.domain.candidates import Basis, Candidate, Month, Score
from services.feedback.domain.matters import Tally
from services.feedback.domain.reviews import NotPossibleError

ALMOST_ALL = 0.8
"""A matter with so much of it in one district is that district's."""
TopicState = Literal["proposed", "adopted", "dismissed", "superseded"]
_NAMES = UUID("6d1f6a36-0d4c-5c0e-9a3a-3a0f6f4a7c11")


@dataclass(frozen=True, slots=True)
class Share:
    """How many of a topic's appeals have a code: a district, unit, question, kind or end; `name` where it has one."""

    code: str
    count: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """A candidate of a month as it is kept, with all its brief says, and what was decided of it.

    `since`, `first` and `last` are Mondays, as YYYY-MM-DD. `district` is set if nearly all of it lies in one.
    """

    topic_id: UUID
    period: str
    rank: int
    state: TopicState
    codes: tuple[str, ...]
    category: tuple[str, str]
    title: str
    district: str | None
    since: str
    first: str
    last: str
    tally: Tally
    score: Score
    low: float
    basis: Basis | None
    hot_weeks: int
    streets: float
    districts: tuple[Share, ...]
    questions: tuple[Share, ...] = ()
    units: tuple[Share, ...] = ()
    ends: tuple[Share, ...] = ()
    kinds: tuple[Share, ...] = ()
    proposed_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    note: str | None = None

    def decided(self, state: TopicState, by: str, note: str | None, now: datetime) -> "Topic":
        """Return it as adopted or dismissed. Raises NotPossibleError if it was decided or superseded before."""
        if self.state != "proposed":
            raise NotPossibleError(f"the topic is {self.state} already")
        return replace(self, state=state, decided_at=now, decided_by=by, note=note)


def topic_of(month: Month, found: Candidate, rank: int, title: str, now: datetime) -> Topic:
    """Return a candidate as it is kept. Its id follows from the month and the matter, so that no month has it twice."""
    matter, (first, *_, last) = found.matter, month.weeks
    ranked = sorted(matter.districts.items(), key=lambda pair: (-pair[1], pair[0]))
    placed = sum(matter.districts.values())
    almost_all = bool(placed) and ranked[0][1] >= ALMOST_ALL * placed
    return Topic(
        topic_id=uuid5(_NAMES, "/".join((month.period.name, *matter.category))),
        period=month.period.name, rank=rank, state="proposed", codes=matter.codes, category=matter.category,
        title=title, district=ranked[0][0] if almost_all else None, since=found.since.isoformat(),
        first=first.isoformat(), last=last.isoformat(), tally=matter.tally, score=found.score, low=found.score.low,
        basis=found.basis, hot_weeks=len(matter.hot), streets=matter.streets,
        districts=tuple(Share(code, count) for code, count in ranked), proposed_at=now,
    )  # fmt: skip


def overlaps(codes: Collection[str], other: Collection[str]) -> bool:
    """Say whether two topics are of the same problem: they have a question in common."""
    return not set(codes).isdisjoint(other)
