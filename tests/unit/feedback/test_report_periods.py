"""Of which days a report is, what it is compared with, and when it is due."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.days import kind_of_day, kinds_of
from libs.common.city.reports import ReportKind
from services.feedback.domain.reports import KINDS, holiday_of, last_over, spans_of

ZONE, HOUR = ZoneInfo("Asia/Shanghai"), timedelta(hours=1)


@pytest.mark.parametrize(
    ("kind", "name", "first", "before", "ago"),
    [
        ("daily", "2026-03-18", "2026-03-18", "2026-03-11", "2025-03-19"),
        ("weekly", "2026-W01", "2025-12-29", "2025-12-22", "2024-12-30"),
        ("monthly", "2026-01", "2026-01-01", "2025-12-01", "2025-01-01"),
        ("yearly", "2026", "2026-01-01", "2025-01-01", None),
        ("holiday", "2025-10-03", "2025-10-01", "2024-10-01", None),
    ],
)
def test_a_period_is_compared_with_one_like_it(
    kind: ReportKind, name: str, first: str, before: str, ago: str | None
) -> None:
    spans = spans_of(kind, name, kind_of_day)
    found = [span.first.isoformat() if span else None for span in (spans.now, spans.before, spans.ago)]
    assert found == [first, before, ago]


@pytest.mark.parametrize(
    ("kind", "name"),
    [("daily", "2026-03"), ("weekly", "2026-11"), ("monthly", "2026-Q1"), ("yearly", "2026-01"),
     ("daily", "2026-02-30"), ("holiday", "2026-03-18"),
     ("weekly", "2026-W54"), ("monthly", "1900-01"), ("yearly", "9999"), ("daily", "")],
)  # fmt: skip
def test_a_name_of_another_kind_or_of_no_day_is_refused_with_words(kind: ReportKind, name: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        spans_of(kind, name, kind_of_day)


def test_a_holiday_takes_in_the_weekend_beside_it_and_a_city_may_have_none() -> None:
    national = holiday_of(date(2025, 10, 8), kind_of_day)
    assert national
    assert (national.first, national.after) == (date(2025, 10, 1), date(2025, 10, 9))
    assert holiday_of(date(2025, 11, 1), kind_of_day) is None
    assert last_over("holiday", datetime(2025, 11, 1, tzinfo=UTC), ZONE, HOUR, kinds_of("")[0]) == ""


@given(st.integers(0, 220_000), st.sampled_from(KINDS))
def test_what_is_due_is_over_and_nothing_later_is(hours: int, kind: ReportKind) -> None:
    now = datetime(2005, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    spans = spans_of(kind, last_over(kind, now, ZONE, HOUR, kind_of_day), kind_of_day)
    assert spans.now.span(ZONE)[1] + HOUR <= now
    assert spans.before.after <= spans.now.first
    length = {"daily": 1, "weekly": 7, "monthly": 31, "yearly": 366, "holiday": 366}[kind]
    assert now - spans.now.span(ZONE)[1] <= timedelta(days=length) + HOUR
