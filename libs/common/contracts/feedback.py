"""What feedback 回访·考评 says: the citizen's word, closing and reopening, scores, topics."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import Part, Resolution, UnitRef

Outcome = Literal["solved", "partly", "unsolved", "no_answer", "answered", "linked", "withdrawn"]
DeclineGround = Literal["not_our_duty", "done_already", "no_means", "not_needed"]


class ReviewRequested(Event, name="review.requested", emitter="feedback"):
    """The citizen is to be asked: by a seat's callback 回访 or by a one-tap link 好差评."""

    method: Literal["callback", "link"]
    round: int
    at: datetime
    until: datetime


class ReviewSubmitted(Event, name="review.submitted", emitter="feedback"):
    """The citizen's word. `comment` is redacted; `explained`: the policy was explained clearly, None if not asked.

    `reasons` are codes of the city's list, why it was good or not.
    """

    resolved: Resolution
    satisfied: int
    comment: str | None = None
    by: Literal["citizen", "seat"]
    round: int
    at: datetime
    unit: UnitRef | None = None
    explained: bool | None = None
    reasons: tuple[str, ...] = ()


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


class ClosingRuled(Event, name="closing.ruled", emitter="feedback"):
    """A person ruled on a doubt whether what a unit said was done was done 虚假办结; the last ruling of a round counts.

    Upheld, it counts against the unit as a false closing. `signs` are the kinds of suspicion it rested on; a doubt that
    nobody ruled on is told to nobody.
    """

    unit: UnitRef
    upheld: bool
    signs: tuple[str, ...]
    note: str
    resolved_at: datetime
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


Standing = Literal["above", "usual", "below", "few"]
"""Where a unit's fair score lies: above or below what is expected beyond chance, neither, or of too few answers."""


class ScorePublished(_Score, Event, name="score.published", emitter="feedback"):
    """A unit's three rates for a period were fixed. A later version stands in place of an earlier one.

    `fair` is the total made comparable: against what units of the kind had with the same matters, few answers shrunk.
    Points out of 100: `deducted` by rulings, `earned` by work before the appeal; `points` is the total with both.
    """

    fair: float | None = None
    standing: Standing | None = None
    deducted: float = 0.0
    earned: float = 0.0
    points: float | None = None


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
    """A topic ended, with its measured effect as a fraction of the earlier rate, and its interval of 95 %."""

    effect: float | None = None
    effect_low: float | None = None
    effect_high: float | None = None


class ProactiveProposed(Event, name="proactive.proposed", emitter="feedback"):
    """Work to do before anyone asks 未诉先办; its id is the subject. `code` is the first of `codes`."""

    unit: UnitRef
    code: str
    why: str
    by_date: datetime
    rule: Literal["season", "surge", "places", "hand"] | None = None
    what: str | None = None
    codes: tuple[str, ...] = ()
    district: str | None = None
    street: str | None = None
    at: datetime | None = None


class ProactiveDone(Event, name="proactive.done", emitter="feedback"):
    """Such work was done. `evidence` is how many pieces of it the unit has."""

    unit: UnitRef
    code: str
    note: str
    evidence: int = 0
    at: datetime | None = None


class ProactiveDeclined(Event, name="proactive.declined", emitter="feedback"):
    """The unit will not do such work, and says on which ground."""

    unit: UnitRef
    code: str
    ground: DeclineGround
    note: str
    at: datetime
