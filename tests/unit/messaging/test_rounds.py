"""How a batch is cut into calls of handlers: an aggregate's events stay in order, and never meet in one call."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.intake import TicketSupplemented, TicketWithdrawn
from libs.common.messaging.consumer import On, rounds
from libs.common.messaging.transaction import Tx

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


async def on_words(_: Sequence[Envelope[Any]], __: Tx, ___: Any) -> None: ...


async def on_end(_: Sequence[Envelope[Any]], __: Tx, ___: Any) -> None: ...


CONSUMES: dict[type[Event], On] = {TicketSupplemented: On(on_words), TicketWithdrawn: On(on_end)}
KINDS = (TicketSupplemented(text="t", at=NOON), TicketWithdrawn(at=NOON))
batches = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(KINDS)), max_size=40).map(
    lambda pairs: [Envelope(UUID(int=n), subject, NOON, n, event) for n, (subject, event) in enumerate(pairs)]
)


@given(batches)
def test_nothing_is_lost_or_done_twice(events: list[Envelope[Event]]) -> None:
    called = [event.id for _, some in rounds(events, CONSUMES) for event in some]
    assert Counter(called) == Counter(event.id for event in events)


@given(batches)
def test_the_events_of_each_aggregate_keep_their_order(events: list[Envelope[Event]]) -> None:
    came, done = defaultdict(list), defaultdict(list)
    for event in events:
        came[event.subject].append(event.id)
    for _, some in rounds(events, CONSUMES):
        for event in some:
            done[event.subject].append(event.id)
    assert done == came


@given(batches)
def test_the_kth_event_of_each_aggregate_is_done_before_the_next_of_any(events: list[Envelope[Event]]) -> None:
    seen: Counter[str] = Counter()
    turns = []
    for _, some in rounds(events, CONSUMES):
        for event in some:
            turns.append(seen[event.subject])
            seen[event.subject] += 1
    assert turns == sorted(turns)


@given(batches)
def test_one_call_holds_one_event_of_an_aggregate_and_only_the_handlers_own(events: list[Envelope[Event]]) -> None:
    for handler, some in rounds(events, CONSUMES):
        assert len({event.subject for event in some}) == len(some)
        assert {CONSUMES[type(event.data)].handler for event in some} == {handler}
