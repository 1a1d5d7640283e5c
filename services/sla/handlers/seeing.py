"""Who asks, and of which units' clocks they may know."""

from libs.common.city.seeing import Desk, Viewer, under
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal
from services.sla.handlers.around import Here

DESKS: tuple[Desk, ...] = ("unit", "seat", "supervisor", "analyst")


def viewer(here: Here, who: Principal) -> Viewer:
    """Return the holder of a key as the rule of sight knows them."""
    desks = frozenset(desk for desk in DESKS if who.may(desk))
    return Viewer(desks, who.units or None, under(who.units, here.engine.below) if who.units else None)


def seen_units(here: Here, who: Principal, unit: str | None) -> list[str] | None:
    """Return the units a key sees, None for all; of `unit` and those under it, if one is named.

    Raises Problem 403 if that one is out of sight.
    """
    seen = viewer(here, who).units_in_sight()
    if unit is None:
        return None if seen is None else sorted(seen)
    if seen is not None and unit not in seen:
        raise Problem(403, "this key sees neither that unit nor one above it")
    return sorted(under([unit], here.engine.below))


def overseen(here: Here, who: Principal) -> list[str] | None:
    """Return the units on the level that a supervisor's key supervises, None for all."""
    below = viewer(here, who).below
    return None if below is None else sorted(below)
