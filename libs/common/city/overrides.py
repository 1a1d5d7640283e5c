"""calendar.csv: days a city works otherwise than the calendar has it: a day of snow, a short day before a feast."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from libs.common.city.days import read_hours
from libs.common.city.problems import Problems, Row, read_table

FILE = "calendar.csv"
COLUMNS = ("day", "hours", "why")
Overrides = Mapping[date, tuple[str, ...]]
"""The hours of such days, as spans like 09:00-12:00; none is a day of rest."""


def load_overrides(folder: Path, problems: Problems) -> Overrides:
    """Read calendar.csv, which a pack may lack."""
    path = folder / FILE
    found: dict[date, tuple[str, ...]] = {}
    for row in read_table(path, COLUMNS, problems) if path.is_file() else ():
        day = _day(row)
        if day is not None:
            found[day] = _hours(row)
        row.filled("why")
    return found


def _day(row: Row) -> date | None:
    try:
        return date.fromisoformat(row["day"])
    except ValueError:
        row.wrong("day", "should be a day such as 2026-12-28")
        return None


def _hours(row: Row) -> tuple[str, ...]:
    spans = row.many("hours")
    try:
        read_hours(spans)
    except ValueError as wrong:
        row.wrong("hours", str(wrong))
    return spans
