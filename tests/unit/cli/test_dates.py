"""Which way of writing dates a column follows."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.dates import FORMATS, ISO, DateFormat, DatesError, guess


@pytest.mark.parametrize(
    ("texts", "pattern"),
    [
        (["2019/2/28 11:25:05", "2019/12/1 8:03:00"], "%Y/%m/%d %H:%M:%S"),
        (["01/13/2015 12:19:31 AM", "01/02/2015 01:00:00 PM"], "%m/%d/%Y %I:%M:%S %p"),
        (["13/01/2015 09:30", "02/01/2015 10:00"], "%d/%m/%Y %H:%M"),
        (["2026-05-04T02:04:50.000", "2026-05-04"], ISO),
        (["2026年5月4日", "2026年12月31日"], "%Y年%m月%d日"),
    ],
)
def test_the_format_that_reads_all_is_found(texts: list[str], pattern: str) -> None:
    assert guess(texts).pattern == pattern


def test_a_day_that_may_be_a_month_is_asked_about() -> None:
    with pytest.raises(DatesError, match=r"%m/%d/%Y or %d/%m/%Y.*--date-format"):
        guess(["03/04/2026", "05/06/2026"])


def test_a_column_without_dates_is_told_so() -> None:
    with pytest.raises(DatesError, match="--date-format"):
        guess(["暖气不热", "没有水"])
    with pytest.raises(DatesError):
        guess([])


def test_a_few_values_that_are_no_dates_do_not_hide_the_format() -> None:
    assert guess(["2019/2/28 11:25"] * 19 + ["不详"]).pattern == "%Y/%m/%d %H:%M"


def test_iso_is_read_beside_any_other_format() -> None:
    assert DateFormat("%Y/%m/%d %H:%M:%S").read("2019-07-07 07:28:06") == datetime.fromisoformat("2019-07-07 07:28:06")


@given(st.sampled_from(FORMATS[1:]), st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 as read
def test_what_a_format_writes_it_reads(pattern: str, moment: datetime) -> None:
    text = moment.strftime(pattern)
    assert DateFormat(pattern).read(text).strftime(pattern) == text
