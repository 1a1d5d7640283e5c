"""Drafts as articles of one city: every field is checked, and everything that is wrong is named."""

import hashlib
import json
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from libs.common.city.pack import City
from libs.common.city.seeing import hierarchy
from services.classify.domain.knowledge import Content
from services.classify.knowledge.drafts import Draft, Fault, many
from services.classify.knowledge.passages import split

SLUG = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
RESERVED = {"articles", "complaints", "files", "reminders"}
"""Parts of paths beside articles."""
LONGEST_LINE, LONGEST_BODY, MOST_WAYS = 200, 50_000, 100
_YEARS = range(1900, 2200)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(slots=True)
class _Sheet:
    """A draft while it is checked."""

    draft: Draft
    faults: list[Fault] = field(default_factory=list)

    def wrong(self, name: str, message: str) -> None:
        line, _ = self.draft.fields.get(name, (self.draft.line, ""))
        self.faults.append(Fault(line, name, message))

    def line(self, name: str, *, needed: bool = False) -> str | None:
        """Return a field of one short line."""
        _, value = self.draft.fields.get(name, (0, ""))
        if needed and not value:
            self.wrong(name, "is needed")
        if len(value) > LONGEST_LINE or _CONTROL.search(value):
            self.wrong(name, f"must be one line of at most {LONGEST_LINE} characters")
        return value or None

    def list(self, name: str) -> tuple[str, ...]:
        """Return a field that holds a list."""
        values = tuple(dict.fromkeys(many(self.draft.fields.get(name, (0, ""))[1])))
        if len(values) > MOST_WAYS or any(len(value) > LONGEST_LINE or _CONTROL.search(value) for value in values):
            self.wrong(name, f"must be at most {MOST_WAYS} of at most {LONGEST_LINE} characters each, joined by |")
        return values

    def day(self, name: str) -> date | None:
        """Return a field that holds a date."""
        value = self.line(name)
        if value is None:
            return None
        try:
            day = date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) else None
        except ValueError:
            day = None
        if day is None or day.year not in _YEARS:
            self.wrong(name, "must be a day written like 2026-03-02")
            return None
        return day


class Shelf:
    """Makes articles of drafts. Safe to share between threads."""

    def __init__(self, city: City) -> None:
        self.units = city.units
        self.below = hierarchy({code: unit.parent for code, unit in city.units.items()})
        self.zone = ZoneInfo(city.timezone)
        self._codes: Collection[str] = city.catalogue.by_code

    def content(self, draft: Draft) -> tuple[Content | None, list[Fault]]:
        """Return what a draft says, or None with every fault in it."""
        sheet = _Sheet(draft, list(draft.faults))
        article_id, owner = sheet.line("id", needed=True), sheet.line("owner", needed=True)
        if article_id and (len(article_id) > 80 or article_id in RESERVED or not SLUG.fullmatch(article_id)):
            sheet.wrong("id", "must be of small letters, digits and hyphens, at most 80, such as id-card")
        if owner and owner not in self.units:
            sheet.wrong("owner", "must be the code of a unit in units.csv")
        codes = sheet.list("codes")
        if any(code not in self._codes for code in codes):
            sheet.wrong("codes", "must be questions of the city's catalogue")
        effective, expires = sheet.day("effective_from"), sheet.day("expires_on")
        if effective and expires and expires < effective:
            sheet.wrong("expires_on", "must not lie before effective_from")
        _check_body(sheet, draft.body)
        content = Content(
            article_id or "", sheet.line("title", needed=True) or "", draft.body, owner or "", self._begin(effective),
            self._begin(expires + timedelta(days=1) if expires else None), self._begin(sheet.day("review_by")),
            sheet.line("source"), sheet.line("audience"), codes, sheet.list("asked"), sheet.list("not_here"), b"",
        )  # fmt: skip
        return (None, sheet.faults) if sheet.faults else (_sealed(content), [])

    def day_of(self, at: datetime) -> date:
        """Return the city's day at a time."""
        return at.astimezone(self.zone).date()

    def last_day(self, expires_at: datetime | None) -> date | None:
        """Return the last day in force of what expires then."""
        return self.day_of(expires_at - timedelta(seconds=1)) if expires_at else None

    def _begin(self, day: date | None) -> datetime | None:
        return datetime.combine(day, time(), self.zone) if day else None


def _check_body(sheet: _Sheet, body: str) -> None:
    if len(body) > LONGEST_BODY:
        sheet.wrong("body", f"must have at most {LONGEST_BODY} characters; divide it into several articles")
    elif not split(body):
        sheet.wrong("body", "is needed: what the article says")


def _sealed(content: Content) -> Content:
    """Return the content with the fingerprint that tells whether it was imported before."""
    told = json.dumps(asdict(content) | {"digest": ""}, default=str, ensure_ascii=False, sort_keys=True)
    return replace(content, digest=hashlib.sha256(told.encode()).digest())
