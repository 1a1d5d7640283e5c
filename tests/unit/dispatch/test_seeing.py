"""Who may see what of an order, held against a slow and obvious reference."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import City
from services.dispatch.domain import Desk, Viewer, hierarchy, under

PARENTS = {
    "centre": None, "d-1": "centre", "d-2": "centre", "s-11": "d-1", "s-12": "d-1", "s-21": "d-2",
    "dept-a": "centre", "co-a": "dept-a", "dept-b": "centre",
}  # fmt: skip
BELOW = hierarchy(PARENTS)
UNITS = st.sampled_from([*PARENTS, "unit-of-a-newer-pack"])
DESKS = st.frozensets(st.sampled_from(get_args(Desk)))


def viewer(desks: frozenset[Desk], units: frozenset[str]) -> Viewer:
    return Viewer(desks, units or None, under(units, BELOW) if units else None)


def stands_over(above: str, unit: str) -> bool:
    """Climb from a unit, and say whether one comes by the other before the centre."""
    at: str | None = unit
    while at is not None:
        if at == above and (at == unit or PARENTS[at] is not None):
            return True
        at = PARENTS.get(at)
    return False


def may_see(desks: frozenset[Desk], units: frozenset[str], lead: str, helpers: frozenset[str]) -> str | None:
    """Say what is seen, in the words of the rule."""
    if "seat" in desks or "analyst" in desks:
        return "whole"
    if not desks:
        return None
    if not units or any(stands_over(unit, lead) for unit in units):
        return "whole"
    return "part" if any(stands_over(unit, helper) for unit in units for helper in helpers) else None


@given(DESKS, st.frozensets(UNITS, max_size=2), UNITS, st.frozensets(UNITS, max_size=2))
def test_nobody_sees_more_or_less_of_an_order_than_the_rule_says(
    desks: frozenset[Desk], units: frozenset[str], lead: str, helpers: frozenset[str]
) -> None:
    assert viewer(desks, units).sight(lead, helpers) == may_see(desks, units, lead, helpers)


@given(DESKS, st.frozensets(UNITS, max_size=2), UNITS)
def test_a_list_holds_exactly_what_is_seen_whole_one_by_one(
    desks: frozenset[Desk], units: frozenset[str], lead: str
) -> None:
    asking = viewer(desks, units)
    listed = asking.units_in_sight()
    assert (listed is None or lead in listed) == (asking.sight(lead, ()) == "whole")


@given(DESKS, st.frozensets(UNITS, max_size=2), UNITS)
def test_who_may_act_may_see_and_who_sees_a_subordinates_order_may_not_act_for_it(
    desks: frozenset[Desk], units: frozenset[str], lead: str
) -> None:
    asking = viewer(desks, units)
    if asking.acts_for(lead) or asking.oversees(lead):
        assert asking.sight(lead, ()) == "whole"
    if "supervisor" not in desks and units and lead not in units:
        assert not asking.acts_for(lead)
        assert not asking.oversees(lead)


def test_a_district_sees_its_streets_and_a_department_its_companies_and_the_centre_no_more_than_its_desk() -> None:
    assert BELOW["d-1"] == {"d-1", "s-11", "s-12"}
    assert BELOW["dept-a"] == {"dept-a", "co-a"}
    assert BELOW["s-11"] == {"s-11"}
    assert BELOW["centre"] == {"centre"}


def test_the_hierarchy_of_the_city_holds_each_street_once_below_its_district(city: City) -> None:
    below = hierarchy({code: unit.parent for code, unit in city.units.items()})
    assert "s-110105026" in below["d-110105"]
    assert [code for code, units in below.items() if "s-110105026" in units] == ["d-110105", "s-110105026"]
