"""Bulletins of supervision 督办通报: what was raised in a period and how it ended, by level and unit."""

import html
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

COUNTS = ("raised", "still_open", "ended", "done", "solved", "explained", "unfounded", "void")
_PERIOD = re.compile(r"(\d{4})-(?:(\d{2})(?:-(\d{2}))?|W(\d{2}))")


@dataclass(frozen=True, slots=True)
class Raised:
    """What came under supervision in a span, on one level and of one unit, and how what ended in it did.

    `seconds` is how long the cases that ended took on average, `points` what was proposed to take off.
    """

    level: int
    unit_code: str
    unit_name: str
    raised: int
    still_open: int
    ended: int
    done: int
    solved: int
    explained: int
    unfounded: int
    void: int
    seconds: float | None
    points: float


def span_of(period: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the ends of a day (2026-03-02), a week (2026-W10, ISO 8601) or a month (2026-03) of a city.

    Raises ValueError for anything else.
    """
    found = _PERIOD.fullmatch(period)
    if found is None:
        raise ValueError(period)
    year, month, day, week = (int(part) if part else None for part in found.groups())
    if week:
        first = date.fromisocalendar(year or 0, week, 1)
        last = first + timedelta(days=7)
    elif day:
        first = date(year or 0, month or 0, day)
        last = first + timedelta(days=1)
    else:
        first = date(year or 0, month or 0, 1)
        last = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return datetime.combine(first, time(), zone), datetime.combine(last, time(), zone)


Say = Callable[[str], str]


def table(rows: Sequence[Raised], level: Callable[[int], str], say: Say) -> list[list[str]]:
    """Return a bulletin as a table of text, its head first and its sum last."""
    head = [say(name) for name in ("level", "unit", *COUNTS, "days", "points")]
    lines = [
        [
            level(row.level), row.unit_name or say("nobody"), *(str(getattr(row, name)) for name in COUNTS),
            f"{row.seconds / 86400:.1f}" if row.seconds is not None else "", f"{row.points:g}",
        ]
        for row in rows
    ]  # fmt: skip
    sums = [str(sum(getattr(row, name) for row in rows)) for name in COUNTS]
    return [head, *lines, [say("total"), "", *sums, "", f"{sum(row.points for row in rows):g}"]]


def markdown(title: str, lines: Sequence[Sequence[str]], none: str) -> str:
    """Return a bulletin in Markdown; without lines it says that there was nothing."""
    if len(lines) <= 2:
        return f"# {title}\n\n{none}\n"
    ruler = ["---"] * len(lines[0])
    return f"# {title}\n\n" + "".join(_row(line) for line in (lines[0], ruler, *lines[1:]))


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"


def page(title: str, lines: Sequence[Sequence[str]], none: str, language: str) -> str:
    """Return a bulletin as an HTML page of its own."""
    name = html.escape(title)
    if len(lines) <= 2:
        body = f"<p>{html.escape(none)}</p>"
    else:
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in lines[0])
        rows = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in line) + "</tr>\n" for line in lines[1:])
        body = f"<table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>"
    return (
        f'<!doctype html>\n<html lang="{html.escape(language)}"><head><meta charset="utf-8">'
        f"<title>{name}</title></head>\n<body><h1>{name}</h1>\n{body}</body></html>\n"
    )
