"""What a service remembers does not depend on the order in which topics were read."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.dispatch import TicketAccepted, TicketProgressed
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.intake import (
    TicketLinked,
    TicketReceived,
    TicketSupplemented,
    TicketUnlinked,
    TicketWithdrawn,
)
from libs.common.contracts.vocabulary import Receipt, UnitRef
from libs.common.messaging.facts import Memory
from libs.common.messaging.transaction import Aggregate, NotLockedError, Speaker, Tx

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
UNIT = UnitRef(code="dept-water", name="市水务局")
RECEIPT = Receipt(number="1", channel="web", text="t", received_at=NOON)


@dataclass(frozen=True, slots=True)
class Word:
    """The last words, and when they were said."""

    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What the tested service knows: three fields of one emitter, two of another."""

    number: str | None = None
    word: Word | None = None
    ended: Literal["withdrawn", "linked"] | None = None
    unit: UnitRef | None = None
    even: int | None = None


MEMORY = Memory(
    Facts,
    {
        TicketReceived: {"number": lambda event: event.number, "ended": lambda _: None},
        TicketSupplemented: ("word", lambda event: Word(event.text, event.at)),
        TicketWithdrawn: ("ended", lambda _: "withdrawn"),
        TicketLinked: ("ended", lambda _: "linked"),
        TicketUnlinked: ("ended", lambda _: None),
        TicketAccepted: ("unit", lambda event: event.unit),
        TicketProgressed: (lambda event: None if event.round % 2 else "even", lambda event: event.round),
    },
)


def _intake(n: int) -> st.SearchStrategy[Event]:
    return st.sampled_from(
        [
            TicketReceived(**{**dict(RECEIPT), "number": str(n)}),
            TicketSupplemented(text=f"word {n}", at=NOON),
            TicketWithdrawn(at=NOON),
            TicketLinked(**dict(RECEIPT), parent=UUID(int=n), reason="r"),
            TicketUnlinked(parent=UUID(int=n), reason="r"),
        ]
    )


def _dispatch(n: int) -> st.SearchStrategy[Event]:
    accepted = TicketAccepted(unit=UnitRef(code=f"unit-{n}", name="单位"), round=1, at=NOON)
    return st.sampled_from([accepted, TicketProgressed(unit=UNIT, note="n", round=n, at=NOON)])


@st.composite
def _said(draw: st.DrawFn, about: Callable[[int], st.SearchStrategy[Event]]) -> list[Envelope[Event]]:
    """Draw what one emitter says of two tickets, in its order, numbered with gaps as in life."""
    count = draw(st.integers(0, 12))
    subjects = draw(st.lists(st.sampled_from("ab"), min_size=count, max_size=count))
    return [
        Envelope(UUID(int=n), subject, NOON, 1000 * n, draw(about(n))) for n, subject in enumerate(subjects, start=1)
    ]


def _tx(*subjects: str) -> Tx:
    speaker = Speaker("tested", frozenset(), lambda: NOON, lambda: UUID(int=0))
    return Tx(None, speaker, held={subject: Aggregate(1, {}) for subject in subjects})


def _learned(
    events: Sequence[Envelope[Event]], batch: int = 100, memory: Memory[Facts] = MEMORY
) -> tuple[Facts, Facts]:
    """Return what is known of both tickets after these events, kept as JSON from batch to batch."""
    tx = _tx("a", "b")
    for start in range(0, len(events), batch):
        memory.learn(tx, events[start : start + batch])
        for held in tx.held.values():
            held.facts = json.loads(json.dumps(held.facts))
    return memory.of(tx, "a"), memory.of(tx, "b")


@given(st.data(), _said(_intake), _said(_dispatch), st.integers(1, 5))
def test_any_interleaving_and_any_repeat_gives_the_same_facts(
    data: st.DataObject, intake: list[Envelope[Event]], dispatch: list[Envelope[Event]], batch: int
) -> None:
    everything = [*intake, *dispatch]
    repeats = data.draw(st.lists(st.sampled_from(everything), max_size=5)) if everything else []
    shuffled = data.draw(st.permutations([*everything, *repeats]))
    assert _learned(shuffled, batch) == _learned(everything)


@given(_said(_intake), _said(_dispatch))
def test_the_facts_are_the_last_of_each_kind(intake: list[Envelope[Event]], dispatch: list[Envelope[Event]]) -> None:
    words = [e.data.text for e in intake if e.subject == "a" and isinstance(e.data, TicketSupplemented)]
    units = [e.data.unit for e in dispatch if e.subject == "a" and isinstance(e.data, TicketAccepted)]
    known, _ = _learned([*dispatch, *intake])
    assert known.word == (Word(words[-1], NOON) if words else None)
    assert known.unit == (units[-1] if units else None)


def _wordless_when_withdrawn(facts: Facts) -> Facts:
    return replace(facts, word=None) if facts.ended == "withdrawn" and facts.word else facts


DISCREET = Memory(
    Facts,
    {
        TicketSupplemented: ("word", lambda event: Word(event.text, event.at)),
        TicketWithdrawn: ("ended", lambda _: "withdrawn"),
        TicketAccepted: ("unit", lambda event: event.unit),
    },
    may_keep=_wordless_when_withdrawn,
)


@given(st.data(), st.integers(1, 5))
def test_what_a_fact_forbids_to_keep_is_gone_whichever_came_first(data: st.DataObject, batch: int) -> None:
    said = [
        Envelope(UUID(int=1), "a", NOON, 1, TicketSupplemented(text="first", at=NOON)),
        Envelope(UUID(int=2), "a", NOON, 2, TicketSupplemented(text="second", at=NOON)),
        Envelope(UUID(int=3), "a", NOON, 3, TicketWithdrawn(at=NOON)),
        Envelope(UUID(int=4), "a", NOON, 4, TicketAccepted(unit=UNIT, round=1, at=NOON)),
    ]
    known, _ = _learned(data.draw(st.permutations(said)), batch, DISCREET)
    assert known == Facts(ended="withdrawn", unit=UNIT)


def test_what_is_stale_is_dropped_and_reported_as_nothing_new() -> None:
    tx = _tx("a")
    newer, older = (Envelope(UUID(int=n), "a", NOON, n, TicketSupplemented(text=f"word {n}", at=NOON)) for n in (2, 1))
    assert MEMORY.learn(tx, [newer]) == {"a": Facts(word=Word("word 2", NOON))}
    assert MEMORY.learn(tx, [older, newer]) == {}
    assert MEMORY.of(tx, "a").word == Word("word 2", NOON)


def test_an_event_of_several_fields_fills_those_that_hold_nothing_later() -> None:
    tx = _tx("a")
    linked = Envelope(UUID(int=2), "a", NOON, 2, TicketLinked(**dict(RECEIPT), parent=UUID(int=9), reason="r"))
    first, again = (Envelope(UUID(int=n), "a", NOON, n, TicketReceived(**dict(RECEIPT))) for n in (1, 3))
    assert MEMORY.learn(tx, [linked, first]) == {"a": Facts(number="1", ended="linked")}
    assert MEMORY.learn(tx, [again]) == {"a": Facts(number="1")}
    assert MEMORY.learn(tx, [again, first]) == {}


def test_an_event_with_nothing_to_remember_changes_nothing() -> None:
    tx = _tx("a")
    odd = Envelope(UUID(int=1), "a", NOON, 1, TicketProgressed(unit=UNIT, note="n", round=1, at=NOON))
    assert MEMORY.learn(tx, [odd]) == {}
    assert not tx.aggregate("a").changed


def test_nothing_is_learned_of_an_aggregate_that_is_not_held() -> None:
    with pytest.raises(NotLockedError):
        MEMORY.learn(_tx("a"), [Envelope(UUID(int=1), "b", NOON, 1, TicketWithdrawn(at=NOON))])


def test_facts_kept_by_an_older_release_are_read_without_what_it_did_not_know() -> None:
    assert MEMORY.read({"ended": {"seq": 1, "is": "linked"}}) == Facts(ended="linked")
