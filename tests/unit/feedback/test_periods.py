"""Periods of the calendar in the city's time."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.domain.periods import before, month_of, period_of

BEIJING = ZoneInfo("Asia/Shanghai")
DAYS = st.dates(date(1902, 1, 1), date(2197, 12, 31))


def names(day: date) -> list[str]:
    week = day.isocalendar()
    quarter = (day.month + 2) // 3
    return [f"{day}", f"{week.year}-W{week.week:02}", f"{day:%Y-%m}", f"{day.year}-Q{quarter}", f"{day.year}"]


@given(DAYS)
def test_a_day_lies_in_its_week_month_quarter_and_year_and_in_none_before(day: date) -> None:
    for name in names(day):
        period = period_of(name)
        assert period.first <= day < period.after
        assert before(period).after == period.first
        assert period_of(before(period).name) == before(period)


@given(DAYS)
def test_periods_follow_one_another_without_a_gap_or_an_overlap_whatever_the_clocks_do(day: date) -> None:
    for zone in (BEIJING, ZoneInfo("America/New_York")):
        for name in names(day):
            period = period_of(name)
            assert before(period).span(zone)[1] == period.span(zone)[0]


def test_a_month_begins_at_midnight_of_the_city() -> None:
    begin, end = period_of("2026-03").span(BEIJING)
    assert (begin, end) == (datetime(2026, 2, 28, 16, tzinfo=UTC), datetime(2026, 3, 31, 16, tzinfo=UTC))
    assert month_of(begin, BEIJING).name == "2026-03"
    assert month_of(begin - timedelta(microseconds=1), BEIJING).name == "2026-02"


@pytest.mark.parametrize("name", ["", "2026-13", "2026-02-30", "2026-W54", "2026-Q5", "0000", "9999-12", "2026-3", "x"])
def test_what_the_calendar_does_not_have_is_refused_with_what_would_be_right(name: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        period_of(name)
