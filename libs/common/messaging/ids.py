"""Ids in order of time: a UUIDv7 begins with the milliseconds since 1970 in which it was made."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

_UNIX_EPOCH = datetime.fromtimestamp(0, UTC)


def first_id(at: datetime) -> UUID:
    """Return what no id that is made at a moment or later is below."""
    # Whole milliseconds by whole numbers: those of a float fall short of them now and then.
    return UUID(int=max(0, (at - _UNIX_EPOCH) // timedelta(milliseconds=1)) << 80)
