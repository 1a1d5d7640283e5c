"""The three rates: fractions of what counts, weighted as the city sets."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.settings import Rates as Weights
from libs.common.contracts.vocabulary import UnitRef
from services.feedback.domain.rates import Rates, Tally, rates

UNIT = UnitRef(code="dept-water", name="市水务局")
WEIGHTS = Weights(0.3, 0.4, 0.3, timedelta(days=7), 2)


def test_each_rate_is_a_share_of_what_counts_and_the_total_is_weighted() -> None:
    shares = rates(Tally(UNIT, counted=4, responded=4, solved=2, satisfied=1), WEIGHTS)
    assert (shares.responded, shares.solved, shares.satisfied) == (1.0, 0.5, 0.25)
    assert shares.total == pytest.approx(0.3 * 1.0 + 0.4 * 0.5 + 0.3 * 0.25)


def test_where_nothing_counts_there_is_no_rate_and_not_a_zero() -> None:
    assert rates(Tally(UNIT, 0, 0, 0, 0), WEIGHTS) == Rates(None, None, None, None)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.just(n), *[st.integers(0, n)] * 3)))
def test_every_rate_lies_between_nothing_and_all(counts: tuple[int, int, int, int]) -> None:
    shares = rates(Tally(UNIT, *counts), WEIGHTS)
    for share in (shares.responded, shares.solved, shares.satisfied, shares.total):
        assert share is not None
        assert 0 <= share <= 1 + 1e-9
