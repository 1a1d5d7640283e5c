"""The audit log: a chain of entries, each sealed together with the seal of the one before it.

The seals are keyed. Whoever can write to the database but does not hold the secret can change, insert, drop or swap
entries, and cannot make their seals fit. Only to cut off the newest entries takes no key: so the head of the chain is
published every day, and a chain is checked against a head that was published.
"""

import hmac
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

Action = Literal["contact", "file", "export", "erase", "retention", "prune"]
DONE = "done"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done, or tried, to what the vault holds. It names no person but who did it.

    `outcome` is "done" or a code of why not, `purpose` a code; `note` is redacted, or a file's id, or a number.
    """

    by: str
    action: Action
    ticket_id: UUID | None = None
    purpose: str | None = None
    outcome: str = DONE
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """An end of the chain: the number of an entry, and its seal."""

    seq: int
    seal: bytes


GENESIS = Head(0, bytes(32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited(Deed):
    """One entry of the log: a deed in its place in the chain."""

    seq: int
    at: datetime
    seal: bytes

    @property
    def head(self) -> Head:
        """This entry as the end of a chain."""
        return Head(self.seq, self.seal)


def chained(key: bytes, head: Head, at: datetime, deeds: Iterable[Deed]) -> list[Audited]:
    """Return deeds as the entries that follow `head`."""
    entries = []
    for deed in deeds:
        entry = Audited(**asdict(deed), seq=head.seq + 1, at=at, seal=seal_of(key, head, at, deed))
        entries.append(entry)
        head = entry.head
    return entries


def first_broken(key: bytes, head: Head, entries: Iterable[Audited]) -> int | None:
    """Return the number of the first entry behind `head` that is not there, or not as it was written; None if all are.

    What was inserted, dropped or swapped shows at the first entry that follows another than its own predecessor.
    """
    for entry in entries:
        right = entry.seq == head.seq + 1 and hmac.compare_digest(entry.seal, seal_of(key, head, entry.at, entry))
        if not right:
            return head.seq + 1
        head = entry.head
    return None


def seal_of(key: bytes, before: Head, at: datetime, deed: Deed) -> bytes:
    """Return the HMAC-SHA256 over the seal before an entry and all that the entry says."""
    said = (deed.by, deed.action, deed.ticket_id, deed.purpose, deed.outcome, deed.note)
    text = json.dumps([before.seq + 1, at.astimezone(UTC).isoformat(), *said], default=str)
    return hmac.digest(key, before.seal + text.encode(), "sha256")
