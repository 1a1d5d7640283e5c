"""Bulletins of supervision 督办通报: what was raised in a period and how it ended, by level and unit."""

import html
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from libs.common.contracts.sla import SupervisionGround

COUNTS = ("raised", "still_open", "ended", "done", "solved", "explained", "unfounded", "void")
_PERIOD = re.compile(r"(\d{4})-(?:(\d{2})(?:-(\d{2}))?|W(\d{2}))")


@dataclass(frozen=True, slots=True)
class Raised:
    """What was under supervision in a span, on the level it reached and of one unit, and how what ended in it did.

    `raised` were opened in it, `still_open` were not ended at its end. `seconds` is how long the cases that ended took
    on average, `points` what was proposed in it to take off.
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


@dataclass(frozen=True, slots=True)
class OpenedFor:
    """How many cases were opened on a ground and reached a level."""

    ground: SupervisionGround
    level: int
    raised: int


@dataclass(frozen=True, slots=True)
class Bulletin:
    """Both of a span: by level and unit, highest level first, and by ground and level."""

    units: tuple[Raised, ...]
    grounds: tuple[OpenedFor, ...]


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
Table = list[list[str]]


def units_table(rows: Sequence[Raised], level: Callable[[int], str], unit: Callable[[Raised], str], say: Say) -> Table:
    """Return how cases stood by level and unit as a table of text, its head first and its sum last."""
    head = [say(name) for name in ("level", "unit", *COUNTS, "days", "points")]
    lines = [
        [
            level(row.level), unit(row) or say("nobody"), *(str(getattr(row, name)) for name in COUNTS),
            f"{row.seconds / 86400:.1f}" if row.seconds is not None else "", f"{row.points:g}",
        ]
        for row in rows
    ]  # fmt: skip
    sums = [str(sum(getattr(row, name) for row in rows)) for name in COUNTS]
    return [head, *lines, [say("total"), "", *sums, "", f"{sum(row.points for row in rows):g}"]]


def grounds_table(
    rows: Sequence[OpenedFor], level: Callable[[int], str], ground: Callable[[SupervisionGround], str], say: Say
) -> Table:
    """Return what cases were opened for as a table of text, its head first."""
    lines = [[ground(row.ground), level(row.level), str(row.raised)] for row in rows]
    return [[say("ground"), say("level"), say("raised")], *lines]


def markdown(title: str, tables: Sequence[Table], none: str) -> str:
    """Return a bulletin in Markdown; without any table it says that there was nothing."""
    if not tables:
        return f"# {title}\n\n{none}\n"
    return f"# {title}\n" + "".join("\n" + "".join(map(_row, (t[0], ["---"] * len(t[0]), *t[1:]))) for t in tables)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"


def page(title: str, tables: Sequence[Table], none: str, language: str) -> str:
    """Return a bulletin as an HTML page of its own."""
    name = html.escape(title)
    body = "\n".join(map(_html, tables)) if tables else f"<p>{html.escape(none)}</p>"
    return (
        f'<!doctype html>\n<html lang="{html.escape(language)}"><head><meta charset="utf-8">'
        f"<title>{name}</title></head>\n<body><h1>{name}</h1>\n{body}</body></html>\n"
    )


def _html(table: Table) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table[0])
    rows = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in line) + "</tr>\n" for line in table[1:])
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>"
