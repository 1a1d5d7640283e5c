"""Who asks, and of which units' clocks they may know."""

from collections.abc import Collection

from libs.common.city.seeing import Desk, Viewer, under
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal
from services.sla.handlers.around import Here

DESKS: tuple[Desk, ...] = ("unit", "seat", "supervisor", "analyst")


def viewer(here: Here, who: Principal) -> Viewer:
    """Return the holder of a key as the rule of sight knows them."""
    desks = frozenset(desk for desk in DESKS if who.may(desk))
    return Viewer(desks, who.units or None, _under(here, who.units) if who.units else None)


def _under(here: Here, units: Collection[str]) -> frozenset[str]:
    """Return these units and all under them. The one on top is above all, and its own work is not theirs to see."""
    top = here.engine.telling.centre
    return under((unit for unit in units if unit != top), here.engine.below).union({top}.intersection(units))


def seen_units(here: Here, who: Principal, unit: str | None) -> list[str] | None:
    """Return the units a key sees, None for all; of `unit` and those under it, if one is named.

    Raises Problem 403 if that one is out of sight.
    """
    seen = viewer(here, who).units_in_sight()
    if unit is None:
        return None if seen is None else sorted(seen)
    if seen is not None and unit not in seen:
        raise Problem(403, "this key sees neither that unit nor one above it")
    return sorted(_under(here, [unit]))


def overseen(here: Here, who: Principal) -> list[str] | None:
    """Return the units on the level that a supervisor's key supervises, None for all."""
    below = viewer(here, who).below
    return None if below is None else sorted(below)
