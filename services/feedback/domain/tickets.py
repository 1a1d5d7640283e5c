"""Asking and judging as pure decisions: from the facts known of a ticket to what is asked and how it ends.

`decide` may be asked at any time and in any order of facts; it changes only what is not yet as it should be.

Linked tickets: whoever repeated an appeal is asked about the word its parent's unit gave, in each round of the parent;
the answer is recorded and counts for that unit, but moves neither ticket. The child is closed (`linked`) when its
parent is, yet its reporter may answer until the question lapses. A parent that is withdrawn takes its children along,
for no order is left to wait for; whose trouble goes on is unlinked by intake, which brings the ticket back to life.

Answered tickets: an answer belongs to the round in which it was given. Whoever says that it was none has the ticket
reopened, for a unit to act on in the next round; not where no unit of the city could do more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from libs.common.contracts.envelope import Event
from libs.common.contracts.feedback import Outcome, TicketClosed, TicketReopened
from libs.common.contracts.vocabulary import Resolution
from services.feedback.domain.facts import Answered, Facts
from services.feedback.domain.reviews import NotPossibleError, Policy, Review, Word, ask, drop, follow, lapse, timed

OUTCOMES: Mapping[Resolution, Outcome] = {"yes": "solved", "partly": "partly", "no": "unsolved"}
WORKED: frozenset[Outcome] = frozenset({"solved", "partly", "unsolved", "no_answer"})
"""Ends to which a unit's work came."""
Reason = Literal["not_solved", "repeat", "ruling"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """Where a ticket stands: the word given in its current round, and its end. Its children look at both.

    `answered_in` is the round in which the answer that stands was given at once. `reporter` is the pseudonym of who is
    asked; None while nobody is.
    """

    ticket_id: UUID
    parent: UUID | None = None
    round: int = 1
    word: Word | None = None
    outcome: Outcome | None = None
    closed_at: datetime | None = None
    answered_in: int | None = None
    reporter: str | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a decision came to: the ticket and its reviews as they are now, and what to tell."""

    ticket: Ticket
    reviews: tuple[Review, ...]
    events: tuple[Event, ...]


def decide(
    facts: Facts, ticket: Ticket, reviews: Iterable[Review], parent: Ticket | None, policy: Policy, now: datetime,
    *, elsewhere: bool = False,
) -> Ruling:  # fmt: skip
    """Bring a ticket and its reviews to where the facts, its parent and the time say they must be.

    `elsewhere`: its reporter is asked about the same word through another ticket.
    """
    ticket, events = _revive(ticket, facts, now)
    linked_to = facts.linked.parent if facts.linked else None
    answered_in = (ticket.answered_in or ticket.round) if facts.answered else None
    ticket = _with(ticket, parent=linked_to, answered_in=answered_in)
    ticket = _with(ticket, word=_word(facts, ticket, parent))
    word = ticket.word if _asks(facts, ticket) and not elsewhere else None
    kept = {}
    for review in reviews:
        review = follow(review, facts)  # noqa: PLW2901 the review walks through its steps
        review = drop(review, word, linked_to is not None, policy, now)  # noqa: PLW2901 the same
        kept[review.round] = lapse(review, policy, now)
    if word:
        kept[word.round], said = ask(kept.get(word.round), ticket.ticket_id, facts, word, policy, now)
        events += said
    judged = kept.get(ticket.word.round) if ticket.word else None
    ticket, said = _end(ticket, _outcome(facts, ticket, parent, judged), policy, now)
    # Kept while somebody may be asked twice: what is only on its way costs no row.
    ticket = _with(ticket, reporter=facts.reporter if linked_to or ticket.word else None)
    ruling = Ruling(ticket, tuple(timed(review, policy) for review in kept.values()), (*events, *said))
    return _without_words(ruling) if facts.wordless else ruling


def _with(ticket: Ticket, **values: Any) -> Ticket:
    """Return the ticket with these values: itself if it has them, as with most events it does."""
    if all(getattr(ticket, name) == value for name, value in values.items()):
        return ticket
    return replace(ticket, **values)


def _without_words(ruling: Ruling) -> Ruling:
    word = ruling.ticket.word
    ticket = replace(ruling.ticket, word=word.without_words if word else None)
    return replace(ruling, ticket=ticket, reviews=tuple(review.without_words for review in ruling.reviews))


def repeated(closed: Ticket, received_at: datetime, policy: Policy, now: datetime) -> tuple[Ticket, list[Event]]:
    """Reopen what units had done with when someone appeals about it again: after the closing, or it would say nothing.

    Intake joins no appeal to what it knows to be closed; this is the one that came before the closing was known.
    """
    if closed.outcome not in WORKED or closed.answered_in == closed.round or closed.round > policy.reopen_limit:
        return closed, []
    if closed.closed_at is None or received_at <= closed.closed_at:
        return closed, []
    return _reopened(closed, "repeat", now)


def reopened_by_ruling(ticket: Ticket, round_: int, policy: Policy, now: datetime) -> tuple[Ticket, list[Event]]:
    """Reopen what closed in silence, once it was ruled that it was not done. Raises NotPossibleError for another end.

    What a citizen said stands, and what was reopened as often as the city allows is under supervision.
    """
    if (ticket.outcome, ticket.round) != ("no_answer", round_) or ticket.round > policy.reopen_limit:
        raise NotPossibleError(
            "only what closed without an answer in that round is reopened, as often as the city allows"
        )
    return _reopened(ticket, "not_solved", now)


def _revive(ticket: Ticket, facts: Facts, now: datetime) -> tuple[Ticket, list[Event]]:
    """Reopen a ticket whose closing stands on nothing any more: its link was wrong, its answer was none."""
    unlinked = ticket.outcome == "linked" and facts.linked is None
    unanswered = ticket.outcome is not None and ticket.answered_in == ticket.round and facts.answered is None
    if (unlinked or unanswered) and not facts.withdrawn:
        return _reopened(ticket, "ruling", now)
    return ticket, []


def _word(facts: Facts, ticket: Ticket, parent: Ticket | None) -> Word | None:
    """Return the word the citizen is asked about in the current round; a child is asked about its parent's."""
    if facts.withdrawn:
        return None
    if facts.linked:
        return parent.word if parent else None
    if given := _answer(facts, ticket):
        return Word(ticket.ticket_id, ticket.round, given.answer, final=given.final)
    said = facts.resolved
    if said is None or said.round != ticket.round:
        return None
    return Word(ticket.ticket_id, said.round, said.reply, said.contacted, said.unit)


def _answer(facts: Facts, ticket: Ticket) -> Answered | None:
    """Return the answer given at once in this round."""
    return facts.answered if ticket.answered_in == ticket.round else None


def _asks(facts: Facts, ticket: Ticket) -> bool:
    """Say whether a question may stand. A linked ticket's outlives its closing; nobody can ask a sensor."""
    return not facts.by_sensor and ticket.outcome in {None, "linked"}


def _outcome(facts: Facts, ticket: Ticket, parent: Ticket | None, review: Review | None) -> Outcome | None:
    """Return what a ticket comes to by the facts and the answer; None while that is open.

    A sensor cannot be asked: by the callback rule its matter is solved when the unit says so, for a device whose
    trouble goes on reports again. Nothing of it enters the rates.
    """
    if facts.withdrawn:
        return "withdrawn"
    if facts.linked:
        return "linked" if parent and parent.outcome else None
    given = _answer(facts, ticket)
    if ticket.word and facts.by_sensor:
        return "answered" if given else "solved"
    if review is None or review.state == "lapsed":
        return "no_answer" if review else None
    if review.state != "answered" or review.resolved is None:
        return None
    return "answered" if given and (given.final or review.resolved != "no") else OUTCOMES[review.resolved]


def _end(ticket: Ticket, outcome: Outcome | None, policy: Policy, now: datetime) -> tuple[Ticket, list[Event]]:
    """Close, or reopen what is not solved as often as the city allows. The first end stands."""
    if ticket.outcome or outcome is None:
        return ticket, []
    if outcome == "unsolved" and ticket.round <= policy.reopen_limit:
        return _reopened(ticket, "not_solved", now)
    closed = replace(ticket, outcome=outcome, closed_at=now)
    return closed, [TicketClosed(outcome=outcome, round=ticket.round, at=now)]


def _reopened(ticket: Ticket, reason: Reason, now: datetime) -> tuple[Ticket, list[Event]]:
    again = replace(ticket, round=ticket.round + 1, word=None, outcome=None, closed_at=None)
    return again, [TicketReopened(reason=reason, round=again.round, at=now)]
