"""Outward transfers as a table."""

from datetime import timedelta
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import TRANSFERS, NotPossibleError, Transferred, TransferState, receipted, returned
from tests.support.stages import NOON

SENT = Transferred(UUID(int=1), UUID(int=2), "out-court", "法院", "诉讼", "seat", NOON)


@given(st.lists(st.sampled_from(["receipt", "return"]), max_size=8))
def test_whatever_is_commanded_only_steps_of_the_table_are_made(commands: list[str]) -> None:
    transfer, now = SENT, NOON
    for command in commands:
        now += timedelta(hours=1)
        before = transfer
        try:
            transfer = receipted(transfer, "R", "s", now) if command == "receipt" else returned(transfer, "w", "s", now)
        except NotPossibleError:
            assert before.state == "returned"
            continue
        step = TRANSFERS["receipt" if command == "receipt" else "return"]
        assert before.state in step.sources
        assert transfer.state == step.to


def test_a_receipt_is_put_right_and_stays_when_the_appeal_comes_back() -> None:
    twice = receipted(receipted(SENT, "A", "one", NOON), "B", "two", NOON)
    back = returned(twice, "不属职责", "three", NOON)
    assert (back.receipt, back.state, back.why_returned) == ("B", "returned", "不属职责")
    assert (back.by, back.receipted_by, back.returned_by) == ("seat", "two", "three")
    with pytest.raises(NotPossibleError, match="the transfer was returned"):
        receipted(back, "C", "s", NOON)


def test_every_state_is_reached() -> None:
    assert {step.to for step in TRANSFERS.values()} == set(get_args(TransferState))
