"""What work before the appeal averted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.domain.averting import Counts, against

LEAST = 10


def test_what_fell_as_everywhere_is_no_effect() -> None:
    found = against(Counts(100, 50), [Counts(100, 50)] * 5, LEAST)
    assert found is not None
    assert found.ratio == pytest.approx(1, abs=0.01)
    assert found.low < 1 < found.high


def test_what_fell_while_others_rose_is_one() -> None:
    found = against(Counts(100, 40), [Counts(90, 110), Counts(120, 140), Counts(80, 100)], LEAST)
    assert found is not None
    assert found.high < 0.6


def test_places_that_differ_widely_among_themselves_prove_less() -> None:
    calm = against(Counts(100, 70), [Counts(100, 100)] * 6, LEAST)
    wild = against(Counts(100, 70), [Counts(100, 40), Counts(100, 190), Counts(100, 70)] * 2, LEAST)
    assert calm is not None
    assert wild is not None
    assert wild.high - wild.low > 1.5 * (calm.high - calm.low)


@pytest.mark.parametrize(
    ("here", "elsewhere"),
    [(Counts(9, 0), [Counts(12, 12)]), (Counts(100, 50), []), (Counts(100, 50), [Counts(20, 20), Counts(900, 9)])],
)
def test_of_few_appeals_or_without_like_places_nothing_is_said(here: Counts, elsewhere: list[Counts]) -> None:
    assert against(here, elsewhere, LEAST) is None


COUNTS = st.builds(Counts, st.integers(0, 10_000), st.integers(0, 10_000))


@given(COUNTS, st.lists(COUNTS, max_size=30))
def test_the_interval_holds_the_ratio_whatever_came(here: Counts, elsewhere: list[Counts]) -> None:
    found = against(here, elsewhere, LEAST)
    if found:
        assert 0 <= found.low <= found.ratio <= found.high
        assert found.places <= len(elsewhere)
