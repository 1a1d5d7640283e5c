"""Sessions with a person: what may happen to one, whatever comes in which order."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import (
    NotPossibleError,
    Patience,
    Session,
    ended,
    left,
    missed,
    offer_callback,
    released,
    taken,
    turned_callback,
)
from services.intake.domain.sessions import AGAIN_AFTER

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
PATIENCE = Patience(3, timedelta(minutes=2))


def session(**changes: Any) -> Session:
    """Return a chat that waits."""
    values: dict[str, Any] = {
        "session_id": UUID(int=1), "kind": "chat", "asked_kind": "chat", "state": "waiting", "client": "app",
        "needs": (), "language": "zh", "opened_at": NOON, "seen_at": NOON, "card": b"",
    }  # fmt: skip
    return Session(**(values | changes))


def test_whoever_waits_long_or_far_behind_is_offered_a_call() -> None:
    assert not offer_callback(session(), 2, PATIENCE, NOON)
    assert offer_callback(session(), 3, PATIENCE, NOON)
    assert offer_callback(session(), 0, PATIENCE, NOON + timedelta(minutes=2))
    assert not offer_callback(session(kind="callback"), 9, PATIENCE, NOON)


def test_a_call_that_nobody_takes_is_tried_three_times() -> None:
    call = session(kind="callback")
    for _ in range(2):
        call = missed(taken(call, "seat", NOON), NOON)
        assert (call.state, call.call_after) == ("waiting", NOON + AGAIN_AFTER)
    call = missed(taken(call, "seat", NOON), NOON)
    assert (call.state, call.outcome, call.tries) == ("ended", "unreachable", 3)


def test_a_chat_cannot_be_missed_and_a_call_not_be_asked_for_twice() -> None:
    with pytest.raises(NotPossibleError):
        missed(taken(session(), "seat", NOON), NOON)
    with pytest.raises(NotPossibleError):
        turned_callback(session(kind="callback"), b"", "p_1")


def test_put_back_into_the_queue_the_place_and_the_first_wait_stay() -> None:
    first = taken(session(), "a", NOON + timedelta(seconds=9))
    again = taken(released(first), "b", NOON + timedelta(seconds=60))
    assert (again.opened_at, again.first_taken_at) == (NOON, NOON + timedelta(seconds=9))


COMMANDS: dict[str, Callable[[Session], Session]] = {
    "take": lambda s: taken(s, "a", NOON),
    "release": released,
    "end": lambda s: ended(s, "helped", None, NOON),
    "missed": lambda s: missed(s, NOON),
    "leave": lambda s: left(s, NOON),
    "call": lambda s: turned_callback(s, b"card", "p_1"),
}


@given(st.lists(st.sampled_from(sorted(COMMANDS)), max_size=15))
def test_whatever_is_tried_a_session_ends_once_and_stays_ended(names: list[str]) -> None:
    now = session()
    for name in names:
        before = now
        try:
            now = COMMANDS[name](now)
        except NotPossibleError:
            continue
        assert now == before if before.over else True
    assert now.over == (now.ended_at is not None) == (now.outcome is not None)
    assert (now.state == "taken") <= (now.taken_by is not None)
    assert not (now.over and now.room)
