"""When something happened, is happening or happens again, in the words of somebody who speaks at a known time.

Words are read as marks (a day, a part of the day, an hour, "from", "every" …); marks that stand together make one time.
Who appeals tells of what was: 十点 and 周三 are the last ones, unless the words look ahead (明天, 下周).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

from libs.common.contracts.classify import When
from services.classify.facts.marks import MARKS, READERS
from services.classify.facts.moments import settled
from services.classify.facts.rows import Row

_GLUE = re.compile(r"[\s的]{0,2}")
_MOST = 6
"""Times that are kept of a text; a long letter tells its whole history."""


def times(text: str, now: datetime, zone: tzinfo) -> tuple[When, ...]:
    """Return the times of a text that somebody wrote or said at `now`, in their order."""
    here = now.astimezone(zone)
    found: dict[tuple[object, ...], When] = {}
    for row in _rows(text, here):
        when = _told(row, here)
        if when and len(found) < _MOST:
            found.setdefault((when.start, when.end, when.every, when.since), when)
    return tuple(found.values())


def _rows(text: str, now: datetime) -> Iterator[Row]:
    """Yield the times of a text: marks with nothing but glue between them belong together."""
    row, start, end = Row(), 0, 0
    for mark in MARKS.finditer(text):
        kind = str(mark.lastgroup)
        if row.kinds and (row.closed_to(kind) or not _GLUE.fullmatch(text, end, mark.start())):
            row.words = text[start:end]
            yield row
            row = Row()
        if not row.kinds:
            start = mark.start()
        READERS[kind](mark, row, now)
        row.kinds.append(kind)
        end = mark.end()
    if row.kinds:
        row.words = text[start:end]
        yield row


def _told(row: Row, now: datetime) -> When | None:
    words = row.words.strip(" 的从到至-—~")
    if row.every:
        since, until = row.hours()
        start = _utc(settled(row, now)[0]) if row.first else None
        return When(words=words, start=start, every=row.every, since=since, until=until)
    if row.part and row.kinds == ["part"]:
        since, until = row.hours()
        return When(words=words, since=since, until=until)
    start, end = settled(row, now)
    return When(words=words, start=_utc(start), end=_utc(end)) if start or end else None


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None
