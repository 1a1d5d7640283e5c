"""The marks of one time, read together."""

from dataclasses import dataclass, field
from datetime import date, datetime

from libs.common.contracts.classify import Every


@dataclass(slots=True)
class Row:
    """Marks that stand together, in the city's own hours. `last` is the last day, `clock` hours since midnight."""

    first: date | None = None
    last: date | None = None
    part: tuple[int, int] | None = None
    clock: list[float] = field(default_factory=list)
    exact: tuple[datetime, datetime] | None = None
    every: Every | None = None
    onward: bool = False
    to: bool = False
    words: str = ""
    kinds: list[str] = field(default_factory=list)

    def closed_to(self, kind: str) -> bool:
        """Say whether a mark of this kind begins another time."""
        if kind == "begin":
            return True
        days = {"date", "nth", "day", "weekday", "feast", "moon", "annual"}
        again = kind in days and self.first is not None and not self.to and kind in self.kinds
        return again or (kind == "ago" and self.exact is not None) or (kind == "length" and self.exact is not None)

    def hours(self) -> tuple[str | None, str | None]:
        """Return from when to when in a day, as far as it was said."""
        if self.clock:
            since, until = self.clock[0], self.clock[1] if len(self.clock) > 1 else None
        elif self.part:
            since, until = self.part
        else:
            return None, None
        return _told_hour(since), None if until is None else _told_hour(until)


def _told_hour(hours: float) -> str:
    minutes = round(hours * 60) % 1440
    return f"{minutes // 60:02}:{minutes % 60:02}"
