"""Which way of writing dates a column follows, found by looking at it."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import product

ISO = "ISO 8601"
_DAYS = (
    "%Y/%m/%d", "%Y-%m-%d", "%Y.%m.%d", "%Y年%m月%d日", "%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y",
)  # fmt: skip
_TIMES = (" %H:%M:%S", " %H:%M", "", " %I:%M:%S %p", " %I:%M %p")
FORMATS = (ISO, *("".join(parts) for parts in product(_DAYS, _TIMES)))
_MOST = 0.9
"""A column may hold a few values that are no dates; a format that reads fewer than this share is not its format."""


class DatesError(ValueError):
    """No format, or more than one, reads a column; the text says what to do."""


@dataclass(frozen=True, slots=True)
class DateFormat:
    """A way of writing dates: ISO 8601, or a pattern of `datetime.strptime`."""

    pattern: str

    def read(self, text: str) -> datetime:
        """Return the moment, without a zone unless the text names one. Raises ValueError.

        ISO 8601 is read in any case: it cannot be mistaken, and columns that were edited by hand hold both.
        """
        if self.pattern != ISO:
            with suppress(ValueError):
                return datetime.strptime(text, self.pattern)  # noqa: DTZ007 the zone is the caller's to add
        return datetime.fromisoformat(text)

    def reads(self, text: str) -> datetime | None:
        """Return the moment, or None for a text of another format."""
        try:
            return self.read(text)
        except ValueError:
            return None


def guess(samples: Sequence[str]) -> DateFormat:
    """Return the format that reads most of the samples.

    Raises:
        DatesError: none reads nearly all of them, or several do and disagree, as 3/4/2026 is March or April.
    """
    readings: dict[tuple[datetime | None, ...], list[str]] = defaultdict(list)
    for pattern in FORMATS:
        readings[tuple(DateFormat(pattern).reads(text) for text in samples)].append(pattern)
    counts = {reading: sum(moment is not None for moment in reading) for reading in readings}
    most = max(counts.values())
    if most < max(1, _MOST * len(samples)):
        raise DatesError("no known way of writing dates reads them; say it with --date-format, such as '%d %b %Y'")
    best = [readings[reading][0] for reading, count in counts.items() if count == most]
    if len(best) > 1:
        raise DatesError(f"the dates can be read as {' or '.join(best)}; say which with --date-format")
    return DateFormat(best[0])
