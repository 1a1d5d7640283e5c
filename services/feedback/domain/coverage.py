"""Coverage figures from outside, read from a table; each wrong cell is named by its line and column."""

import math
from collections.abc import Collection, Mapping
from datetime import date

from libs.common.city.indices import Indicator
from libs.common.city.problems import Problems, Row, read_rows
from services.feedback.domain.indices import Coverage

FILE = "coverage.csv"
COLUMNS = ("indicator", "district", "as_of", "value", "source")
EARLIEST = date(1949, 10, 1)
LONGEST_SOURCE = 300


def read_coverage(
    content: bytes, indicators: Mapping[str, Indicator], districts: Collection[str], today: date, problems: Problems
) -> list[Coverage]:
    """Return the figures of a CSV file in UTF-8 with COLUMNS; what is wrong is noted by line and column, unsaid."""
    found: dict[tuple[str, str, date], Coverage] = {}
    for row in read_rows(FILE, content, COLUMNS, problems):
        day, value = _day(row, today), _value(row)
        if row["indicator"] not in indicators:
            row.wrong("indicator", f"should be one of {', '.join(indicators)}")
        if row["district"] not in districts:
            row.wrong("district", "should be the six digits of a district of the city")
        if not 0 < len(row["source"]) <= LONGEST_SOURCE or not row["source"].isprintable():
            row.wrong("source", f"should say who counted it, in 1 to {LONGEST_SOURCE} characters")
        if day is None or value is None:
            continue
        if (row["indicator"], row["district"], day) in found:
            row.wrong("as_of", "the figure of this indicator, district and day stands here twice")
        made = Coverage(row["indicator"], row["district"], day, value, row["source"])
        found[made.indicator, made.district, day] = made
    return list(found.values())


def _day(row: Row, today: date) -> date | None:
    try:
        day = date.fromisoformat(row["as_of"])
    except ValueError:
        day = None
    if day is None or not EARLIEST <= day <= today:
        row.wrong("as_of", f"should be a day such as 2025-12-31, from {EARLIEST} to today")
        return None
    return day


def _value(row: Row) -> float | None:
    try:
        value = float(row["value"])
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > 1e12:
        row.wrong("value", "should be a number such as 4.5")
        return None
    return value
