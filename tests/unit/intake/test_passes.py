"""Passes, tokens and stops open what they were signed for, and nothing else."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.intake.passes import Passes
from tests.support.stages import NOON

PASSES = Passes(b"k" * 32)
ONE, OTHER = UUID(int=1), UUID(int=2)


def test_a_pass_opens_its_ticket_for_two_hours() -> None:
    given_ = PASSES.of(ONE, NOON)
    assert PASSES.opens(given_, ONE, NOON)
    assert PASSES.opens(given_, ONE, NOON + timedelta(minutes=119))
    assert not PASSES.opens(given_, ONE, NOON + timedelta(hours=2))
    assert not PASSES.opens(given_, OTHER, NOON)
    assert not Passes(b"x" * 32).opens(given_, ONE, NOON)


def test_nobody_lengthens_a_pass() -> None:
    until, _, signature = PASSES.of(ONE, NOON).partition(".")
    assert not PASSES.opens(f"{int(until) + 1}.{signature}", ONE, NOON)


@given(st.text(max_size=60))
def test_what_was_not_signed_opens_nothing(text: str) -> None:
    assert not PASSES.opens(text, ONE, NOON)
    assert PASSES.holder(text) is None
    assert not PASSES.stops(text, ONE)


def test_a_token_stands_for_one_holder_and_each_new_one_for_another() -> None:
    token = PASSES.token()
    assert PASSES.holder(token) == PASSES.holder(token)
    assert PASSES.holder(token) != PASSES.holder(PASSES.token())
    assert not PASSES.stops(token, ONE)


def test_a_stop_is_for_one_follower() -> None:
    assert PASSES.stops(PASSES.stop(ONE), ONE)
    assert not PASSES.stops(PASSES.stop(ONE), OTHER)
