"""Who owns a supervision case: somebody does at every moment, whatever became of units."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from libs.common.city.supervision import Supervision
from libs.common.city.units import Unit, acting
from libs.common.contracts.vocabulary import UnitRef

RANK: Mapping[str, int] = {"company": 1, "street": 1, "town": 1, "department": 2, "district": 2, "centre": 3}
"""Up to which level a unit of a kind owns a case; a level-3 case is the city's."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides on cases: the city's terms, its units, and its time zone."""

    terms: Supervision
    units: Mapping[str, Unit]
    zone: ZoneInfo

    def owner(self, level: int, unit: str | None, place: str | None, now: datetime) -> UnitRef:
        """Return who owns a case of this level on `unit`."""
        found = owner_of(self.units, level, unit, place, now.astimezone(self.zone).date())
        return UnitRef(code=found.code, name=found.name.zh)

    def limit(self, level: int) -> timedelta:
        """Return how long a unit has to answer at a level."""
        return self.terms.answer[level - 1]


def owner_of(units: Mapping[str, Unit], level: int, unit: str | None, place: str | None, day: date) -> Unit:
    """Return the first unit above the supervised one that is there on a day and high enough for the level.

    Without a supervised unit the search begins at `place`, the street or district where the matter is. Who is
    supervised never owns its own case; only the centre does, for nobody is above it.
    """
    successor = acting(units, unit, day) if unit else None
    supervised = {unit, successor.code if successor else None}
    code = units[unit].parent if unit and unit in units else place
    while code and code in units:
        above = acting(units, code, day)
        if above and above.exists(day) and above.code not in supervised and RANK[above.kind] >= level:
            return above
        code = units[code].parent
    centre = next(one.code for one in units.values() if one.kind == "centre")
    return acting(units, centre, day) or units[centre]
