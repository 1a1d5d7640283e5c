"""What a forecast is of, and what it said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Matter:
    """What appeals are about and where: names of level 1 and 2, a question's code, six digits of a district.

    What is empty is not narrowed down: without any of them it is every appeal in the city.
    """

    l1: str = ""
    l2: str = ""
    code: str = ""
    district: str = ""

    @classmethod
    def of(cls, names: Sequence[str], district: str = "") -> "Matter":
        """Return the matter that so many names tell, of level 1, level 2 and a code, in order."""
        l1, l2, code = (*names, "", "", "")[:3]
        return cls(l1, l2, code, district)

    @property
    def level(self) -> str:
        """How finely the category is told: all, l1, l2 or code."""
        return "code" if self.code else "l2" if self.l2 else "l1" if self.l1 else "all"

    @property
    def depth(self) -> int:
        """How many steps it stands below every appeal in the city."""
        return sum(map(bool, (self.l1, self.l2, self.code, self.district)))

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is sorted by."""
        return (self.l1, self.l2, self.code, self.district)

    @property
    def parent(self) -> "Matter | None":
        """The wider matter it leans on: the same everywhere, else the category above; None for every appeal.

        The days of the week differ more from one matter to another than from one place to another.
        """
        if self.district:
            return Matter(self.l1, self.l2, self.code)
        if self.code:
            return Matter(self.l1, self.l2)
        if self.l2:
            return Matter(self.l1)
        return Matter() if self.l1 else None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was expected of one matter on the day it was made, with the bounds of the 80 % interval.

    `days` begin with the day it was made, `weeks` are stretches of seven days from then on. `wape` is the sum of its
    errors by day over the sum of the appeals, in the `tried` weeks before it was made, of forecasts made at the
    beginning of each; `naive` that of taking the same day of the week before; `covered` the share of those days within
    their interval. None where there was nothing to measure.
    """

    made_on: date
    model: str
    l1: str
    l2: str
    code: str
    district: str
    days: tuple[float, ...]
    days_low: tuple[float, ...]
    days_high: tuple[float, ...]
    weeks: tuple[float, ...]
    weeks_low: tuple[float, ...]
    weeks_high: tuple[float, ...]
    usual: float
    tried: int = 0
    wape: float | None = None
    naive: float | None = None
    covered: float | None = None

    @property
    def matter(self) -> Matter:
        """What it is of."""
        return Matter(self.l1, self.l2, self.code, self.district)
