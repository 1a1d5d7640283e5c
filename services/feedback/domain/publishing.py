"""What of a month is published: counts of appeals by day, district and category, where enough came together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

ALL = "*"
OTHER = "other"
"""What districts or categories are told as that had too few appeals to stand by themselves."""
UNKNOWN = "unknown"
Cell = tuple[str, str, str]
"""A day, a district's six digits and a level-1 category; any of them may be ALL."""


@dataclass(frozen=True, slots=True)
class Row:
    """The count of a cell; None where it is withheld."""

    day: str
    district: str
    category: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Published:
    """What was published of a month, once and for all: a second version beside the first would tell the difference."""

    month: str
    made_at: datetime
    k: int
    by_day: bool
    cells: tuple[Row, ...]

    def totals(self, place: int) -> dict[str, int]:
        """The counts of the days, the districts or the categories, by their place in a cell."""
        others = {0, 1, 2} - {place}
        keyed = (((row.day, row.district, row.category), row.count) for row in self.cells)
        return {
            key[place]: count or 0
            for key, count in keyed
            if key[place] != ALL and all(key[other] == ALL for other in others)
        }


def folded(counts: Mapping[str, int], k: int) -> dict[str, str]:
    """Return what each value is told as: itself, or OTHER together with those that are too few as well.

    What is told together has at least `k` appeals, or there are not as many in all.
    """
    names = {value: value for value in counts}
    together = 0
    for value, count in sorted(counts.items(), key=lambda item: (item[1], item[0])):
        if count >= k and (together == 0 or together >= k):
            break
        names[value] = OTHER
        together += count
    return names


def summed(cells: Iterable[tuple[Cell, int]], names: tuple[Mapping[str, str], ...]) -> dict[Cell, int]:
    """Return counts by what their values are told as."""
    sums: dict[Cell, int] = {}
    for cell, count in cells:
        day, district, category = (name.get(value, value) for value, name in zip(cell, names, strict=True))
        sums[day, district, category] = sums.get((day, district, category), 0) + count
    return sums
