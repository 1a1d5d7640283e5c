"""Who asks, and of which units they may know."""

from libs.common.city.seeing import Desk, Viewer, under
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal
from services.feedback.handlers.around import Here

DESKS: tuple[Desk, ...] = ("unit", "seat", "supervisor", "analyst")


def viewer(here: Here, who: Principal) -> Viewer:
    """Return the holder of a key as the rule of sight knows them."""
    desks = frozenset(desk for desk in DESKS if who.may(desk))
    return Viewer(desks, who.units or None, under(who.units, here.engine.below) if who.units else None)


def seen_units(here: Here, who: Principal, unit: str | None = None) -> list[str] | None:
    """Return the units a key sees, None for all; or `unit` alone, if one is named.

    Raises Problem 403 if that one is out of sight.
    """
    seen = viewer(here, who).units_in_sight()
    if unit is None:
        return None if seen is None else sorted(seen)
    if seen is not None and unit not in seen:
        raise Problem(403, "this key sees neither that unit nor one above it")
    return [unit]


def may_rule(here: Here, who: Principal, unit: str) -> None:
    """Let a supervisor rule on a unit, but none on a unit that the key itself stands for. Raises Problem 403."""
    if not viewer(here, who).oversees(unit) or unit in who.units:
        raise Problem(403, "this is ruled on by a supervisor of a level above the unit")
