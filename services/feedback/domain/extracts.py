"""Extracts of the record 数据共享: asked for by a unit for a purpose, granted or refused, made, downloaded, gone.

An extract is a choice of whole classes of releases (see releases.py), so what it tells is of at least k people each,
and no two extracts tell more together than the releases do. What is done with one is kept, act by act.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from libs.common.contracts.vocabulary import UnitRef
from services.feedback.domain.periods import Period, before, period_of
from services.feedback.domain.reviews import NotPossibleError

State = Literal["asked", "refused", "granted", "ready", "too_large", "expired"]
Deed = Literal["asked", "granted", "refused", "made", "downloaded", "denied", "expired"]
Field = Literal[
    "day", "district", "street", "category1", "category2", "category3", "channel", "urgency", "level", "ended",
    "resolved", "satisfied", "response_in_time", "completion_in_time", "contact_within", "done_within", "reopened",
]  # fmt: skip
FIELDS: tuple[Field, ...] = get_args(Field)
"""What may be asked for. Each row has its month before them, and how many appeals it is of behind them."""
MOST_ROWS = 500_000


@dataclass(frozen=True, slots=True)
class Extract:
    """A request for an extract and what became of it; empty `districts` and `categories` (level 1) are all there are.

    `rows` and `appeals` are those of its file, `sha256` that of its bytes.
    """

    extract_id: UUID
    unit_code: str
    unit_name: str
    purpose: str
    words: str
    fields: tuple[Field, ...]
    months: tuple[str, ...]
    districts: tuple[str, ...]
    categories: tuple[str, ...]
    state: State
    asked_at: datetime
    asked_by: str
    ruled_at: datetime | None = None
    ruled_by: str | None = None
    note: str | None = None
    expires_at: datetime | None = None
    made_at: datetime | None = None
    rows: int | None = None
    appeals: int | None = None
    sha256: str | None = None

    @property
    def unit(self) -> UnitRef:
        """Who asked."""
        return UnitRef(code=self.unit_code, name=self.unit_name)

    def open(self, now: datetime) -> bool:
        """Say whether its file may be fetched."""
        return self.state == "ready" and self.expires_at is not None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did with an extract, and when; of a download, how many rows of which file."""

    extract_id: UUID
    act: Deed
    by: str
    at: datetime
    rows: int | None = None
    sha256: str | None = None


def months(first: str, last: str, settled: Period, most: int) -> tuple[str, ...]:
    """Return the months from the first to the last. Raises ValueError, saying what would be right."""
    begin, month = period_of(first), period_of(last)
    if month.first > settled.first:
        raise ValueError(f"must be {settled.name} or before: later months are not told of yet")
    found: list[str] = []
    while month.first >= begin.first:
        found.insert(0, month.name)
        if len(found) > most:
            raise ValueError(f"must be at most {most} months from the first")
        month = before(month)
    if not found:
        raise ValueError("must not be before the first")
    return tuple(found)


def rule(extract: Extract, *, granted: bool, note: str, days: int, by: str, now: datetime) -> Extract:
    """Grant an extract for so many days, or refuse it. Raises NotPossibleError if that was ruled."""
    if extract.state != "asked":
        raise NotPossibleError(f"the extract is {extract.state}; one that is asked for is ruled on")
    return replace(
        extract, state="granted" if granted else "refused", ruled_at=now, ruled_by=by, note=note,
        expires_at=now + timedelta(days=days) if granted else None,
    )  # fmt: skip


def made(extract: Extract, rows: int, appeals: int, sha256: str | None, now: datetime) -> Extract:
    """Keep what its file came to; without one it is too large."""
    state: State = "ready" if sha256 else "too_large"
    return replace(extract, state=state, made_at=now, rows=rows, appeals=appeals, sha256=sha256)


def columns(chosen: Sequence[Field]) -> list[str]:
    """Return the columns of a file, in the order of the list of fields."""
    return ["period", *(name for name in FIELDS if name in chosen), "appeals"]
