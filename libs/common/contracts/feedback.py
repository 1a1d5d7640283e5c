"""What feedback 回访·考评 says: the citizen's word, closing and reopening, scores, topics."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import Part, Resolution, UnitRef

Outcome = Literal["solved", "partly", "unsolved", "no_answer", "answered", "linked", "withdrawn"]


class ReviewRequested(Event, name="review.requested", emitter="feedback"):
    """The citizen is to be asked: by a seat's callback 回访 or by a one-tap link 好差评."""

    method: Literal["callback", "link"]
    round: int
    at: datetime
    until: datetime


class ReviewSubmitted(Event, name="review.submitted", emitter="feedback"):
    """The citizen's word. `comment` is redacted; `explained`: the policy was explained clearly, None if not asked."""

    resolved: Resolution
    satisfied: int
    comment: str | None = None
    by: Literal["citizen", "seat"]
    round: int
    at: datetime
    unit: UnitRef | None = None
    explained: bool | None = None


class TicketClosed(Event, name="ticket.closed", emitter="feedback"):
    """The end, with what it came to."""

    outcome: Outcome
    round: int
    at: datetime


class TicketReopened(Event, name="ticket.reopened", emitter="feedback"):
    """Closed is not solved: the lead works again. `round` is the new round."""

    reason: Literal["not_solved", "repeat", "ruling"]
    round: int
    at: datetime


class _Score(Part):
    """The three rates of one unit in one period, as fractions, with what they were computed from."""

    unit: UnitRef
    period: str
    version: int
    responded: float | None = None
    solved: float | None = None
    satisfied: float | None = None
    total: float | None = None
    counted: int


class ScorePublished(_Score, Event, name="score.published", emitter="feedback"):
    """A unit's three rates for a period were fixed."""


class ScoreAppealed(Event, name="score.appealed", emitter="feedback"):
    """A unit disputes that a ticket counts."""

    unit: UnitRef
    period: str
    ticket: UUID
    ground: str


class ScoreRuled(Event, name="score.ruled", emitter="feedback"):
    """An appeal was ruled on; when upheld the period is recomputed."""

    unit: UnitRef
    period: str
    ticket: UUID
    upheld: bool
    note: str


class _Topic(Part):
    title: str
    codes: tuple[str, ...]
    district: str | None = None
    tickets: int
    since: datetime


class TopicProposed(_Topic, Event, name="topic.proposed", emitter="feedback"):
    """A question so frequent that it deserves a rule of its own 每月一题."""


class TopicOpened(_Topic, Event, name="topic.opened", emitter="feedback"):
    """A topic was taken up."""


class TopicClosed(_Topic, Event, name="topic.closed", emitter="feedback"):
    """A topic ended, with its measured effect as a fraction of the earlier rate."""

    effect: float | None = None


class ProactiveProposed(Event, name="proactive.proposed", emitter="feedback"):
    """Work to do before anyone asks 未诉先办."""

    unit: UnitRef
    code: str
    why: str
    by_date: datetime


class ProactiveDone(Event, name="proactive.done", emitter="feedback"):
    """Such work was done."""

    unit: UnitRef
    code: str
    note: str
