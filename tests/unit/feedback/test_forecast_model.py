"""The model of appeals to come: levels, days, seasons, hot events, intervals."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.city.days import CHINA, kinds_of
from services.feedback.domain.forecasts import Matter
from services.feedback.forecasts import DAYS, LEAST_DAYS, WEEKS, Counted, Panel, kinds, measured, outlook, panel
from services.feedback.forecasts.kinds import BACK, HOLIDAY, LONG_HOLIDAY, MADE_UP

MONDAY = date(2025, 1, 6)
ROOT = np.array([-1])
CHINESE, _ = kinds_of(CHINA)
NONE, _ = kinds_of("")


def plain(days: int) -> npt.NDArray[np.int64]:
    return kinds(MONDAY, days + 7 * WEEKS, NONE)


def alone(counts: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.array([counts], dtype=float)


def test_kinds_of_days_tell_holidays_and_what_is_worked_for_them() -> None:
    first = date(2025, 9, 27)
    found = dict(zip((first + timedelta(days=n) for n in range(14)), kinds(first, 14, CHINESE), strict=True))
    assert found[date(2025, 9, 28)] == MADE_UP
    assert found[date(2025, 10, 1)] == found[date(2025, 10, 8)] == LONG_HOLIDAY
    assert found[date(2025, 10, 9)] == BACK
    assert found[date(2025, 10, 10)] == 4
    assert kinds(date(2025, 4, 4), 1, CHINESE)[0] == HOLIDAY


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 500), st.integers(LEAST_DAYS, 150))
def test_what_never_changes_is_forecast_as_it_is(each: int, days: int) -> None:
    said = outlook(alone([each] * days), ROOT, plain(days))
    assert said.days.shape == (1, DAYS)
    np.testing.assert_allclose(said.days, each)
    np.testing.assert_allclose(said.weeks, 7 * each)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=LEAST_DAYS, max_size=90))
def test_whatever_came_the_interval_holds_the_forecast_and_nothing_is_below_zero(counts: list[int]) -> None:
    said = outlook(alone(counts), ROOT, plain(len(counts)))
    for low, middle, high in (
        (said.days_low, said.days, said.days_high), (said.weeks_low, said.weeks, said.weeks_high),
    ):  # fmt: skip
        assert np.isfinite(high).all()
        assert (low >= 0).all()
        assert (low <= middle + 1e-9).all()
        assert (middle <= high + 1e-9).all()


def test_the_week_has_its_shape() -> None:
    week = [40, 30, 30, 30, 30, 10, 5]
    said = outlook(alone(week * 20), ROOT, plain(140))
    np.testing.assert_allclose(said.days[0, :7], week, rtol=0.3)


def test_a_hot_event_does_not_lift_the_forecast_for_long() -> None:
    counts = [20.0] * 140
    counts[-3] = 2000.0
    said = outlook(alone(counts), ROOT, plain(140))
    assert said.days[0, 0] < 25


def test_a_new_level_is_followed() -> None:
    said = outlook(alone([20.0] * 112 + [40.0] * 28), ROOT, plain(140))
    assert 32 < said.days[0, 0] <= 41


def test_a_thin_series_takes_its_days_from_the_one_it_leans_on() -> None:
    whole = np.array([140, 70, 70, 70, 70, 7, 7] * 20, dtype=float)
    thin = np.zeros(140)
    thin[::10] = 7.0
    said = outlook(np.stack([whole, thin]), np.array([-1, 0]), plain(140))
    assert said.days[1, 5] < 0.35 * said.days[1, 1]


@pytest.mark.parametrize("kind_of", [CHINESE, NONE])
def test_a_season_of_last_year_is_expected_again(kind_of: Callable[..., str]) -> None:
    days = 700
    # Of a year before, the season begins on day 343; the record ends a week before it does so again.
    counts = [100.0 if 343 <= day % 364 < 364 else 10.0 for day in range(days)]
    said = outlook(alone(counts), ROOT, kinds(MONDAY, days + 7 * WEEKS, kind_of))  # type: ignore[arg-type]
    assert said.weeks[0, 3] > 2 * said.weeks[0, 0]


def test_intervals_hold_four_of_five_by_day_and_by_week() -> None:
    rng = np.random.default_rng(7)
    counts = rng.negative_binomial(10, 0.2, (60, 250)).astype(float)
    parents = np.zeros(60, dtype=np.int64)
    parents[0] = -1
    series = Panel(tuple(Matter(str(n)) for n in range(60)), parents, counts)
    found = measured(series, plain(250), 8)
    assert 0.76 < found.inside.mean() < 0.88
    assert 0.72 < found.weeks_inside.mean() < 0.95
    assert found.error.sum() < 0.85 * found.naive.sum()


def test_each_week_is_measured_on_what_was_not_known_before() -> None:
    counts = alone([10.0] * 63 + [30.0] * 7)
    found = measured(Panel((Matter(),), ROOT, counts), plain(70), 4)
    assert (found.weeks, found.appeals[0]) == (2, 280.0)
    assert found.error[0] == pytest.approx(140.0)


def test_a_panel_has_what_is_thick_enough_each_behind_the_one_it_leans_on() -> None:
    day = list(range(60))
    found = panel(
        [
            Counted(Matter("水", "供水", "water-1", "110101"), day, [2] * 60),
            Counted(Matter("水", "供水", "water-2", "110102"), [59], [3]),
            Counted(Matter(district="110101"), [59], [1]),
        ],
        60,
    )
    assert Matter("水", "供水", "water-2") not in found.matters
    assert {Matter(), Matter("水"), Matter("水", "供水", "water-1", "110101")} <= set(found.matters)
    assert found.matters[0] == Matter()
    assert all(parent < row for row, parent in enumerate(found.parents))
    assert found.counts[0].sum() == 124
    parts = list(found.parts())
    assert sorted(m.key for part in parts for m in part.matters[1:]) == sorted(m.key for m in found.matters[1:])
    assert all(part.matters[0] == Matter() for part in parts)
