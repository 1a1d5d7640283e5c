"""Who may see what of an order, and of its clocks: one rule for lists, single orders, commands, files and boards."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Desk = Literal["unit", "seat", "supervisor", "analyst"]
Sight = Literal["whole", "part"]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. `units` are those the key names, `below` these and all that stand under them; None is every unit."""

    desks: frozenset[Desk]
    units: frozenset[str] | None
    below: frozenset[str] | None

    @property
    def sees_all(self) -> bool:
        """Whether no order is out of sight: for the seats, the analysts, and a supervisor of the whole city."""
        return not self.desks.isdisjoint({"seat", "analyst"}) or (bool(self.desks) and self.below is None)

    def acts_for(self, unit: str) -> bool:
        """Whether the key speaks for this unit itself."""
        return "unit" in self.desks and (self.units is None or unit in self.units)

    def oversees(self, unit: str) -> bool:
        """Whether a unit is on the level that the key supervises: one of its units, or under one."""
        return "supervisor" in self.desks and (self.below is None or unit in self.below)

    def sight(self, lead: str, helpers: Collection[str]) -> Sight | None:
        """Return what is seen of an order with this lead: the whole, a helper's part, or nothing.

        A unit sees its own and its subordinates' orders, and of those that it or they help with its part.
        """
        units = self.units_in_sight()
        if units is None or lead in units:
            return "whole"
        return None if units.isdisjoint(helpers) else "part"

    def units_in_sight(self) -> frozenset[str] | None:
        """Return the units whose orders and tasks may be listed, none to a stranger; None for all."""
        if self.sees_all:
            return None
        return (self.below or frozenset()) if self.desks else frozenset()


def hierarchy(parents: Mapping[str, str | None]) -> Mapping[str, frozenset[str]]:
    """Return each unit's code with the codes of itself and of all under it.

    `parents` name who stands above each. The one on top is above all, and its own work is not theirs to see, nor is
    theirs its: the centre's supervisors and seats see the city, a key of the centre's desk sees the desk.
    """
    below: dict[str, set[str]] = {code: {code} for code in parents}
    for code in parents:
        above = parents[code]
        while above is not None and parents.get(above) is not None:
            below[above].add(code)
            above = parents[above]
    return {code: frozenset(codes) for code, codes in below.items()}


def under(units: Iterable[str], below: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return these units and all under them; a code the city does not have is only itself."""
    return frozenset().union(*(below.get(unit, frozenset({unit})) for unit in units))
