"""A city pack made of a city's own records."""

from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.learning.history import Case, cases, road
from libs.common.city.learning.limits import Span, due_at, find_limits, working_days
from libs.common.city.learning.mapping import Mapped, load_map
from libs.common.city.learning.packing import Coded, make_pack
from libs.common.city.pack import City, load_city
from libs.common.city.places import PlaceResolver
from libs.common.city.problems import CityError
from libs.common.city.settings import Calendar
from tests.support.histories import MAP, records

OFFICE = Calendar(count="working", weekdays=(1, 2, 3, 4, 5), opens=time(8, 30), closes=time(17))
ZONE = ZoneInfo("America/New_York")
FIRST, LAST = datetime.fromisoformat("2025-01-01"), datetime.fromisoformat("2026-01-01")
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(ZONE))


@pytest.fixture(scope="module")
def map_(tmp_path_factory: pytest.TempPathFactory) -> Mapped:
    path = tmp_path_factory.mktemp("map") / "map.yaml"
    path.write_text(MAP)
    return load_map(path)


@pytest.fixture(scope="module")
def found(map_: Mapped) -> list[Case]:
    return list(cases(records(), map_))


@pytest.fixture(scope="module")
def folder(found: Sequence[Case], map_: Mapped, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "harbour"
    make_pack(found, map_, folder)
    return folder


@pytest.fixture(scope="module")
def city(folder: Path) -> City:
    return load_city(folder)


def test_the_pack_loads_and_holds_questions_units_and_areas_of_the_records(city: City) -> None:
    assert {question.category for question in city.catalogue} == {
        ("Works", "Roads", "Pothole"), ("Works", "Lights", "Lamp out"),
        ("Parks", "Trees", "Tree pruning"), ("Parks", "Lawns", "Grass"),
    }  # fmt: skip
    assert city.units["unit-roads-n"].parent == "dept-works"
    assert {unit.name.en for unit in city.units.values() if unit.kind == "district"} == {"North", "South"}
    assert city.timezone == "America/New_York"
    assert [number.number for number in city.emergencies.numbers] == ["112"]


def test_a_unit_owns_what_was_nearly_always_its_own_and_else_its_department_does(city: City) -> None:
    owners = {question.l3: question.owner for question in city.catalogue}
    assert (owners["Tree pruning"], owners["Pothole"]) == ("unit-trees", "dept-works")


def test_limits_are_those_of_the_targets_and_count_working_days_where_these_do(
    found: Sequence[Case], folder: Path
) -> None:
    spans = find_limits(found, OFFICE, ZONE)
    assert {(q[2], span.days, span.count) for q, span in spans.items()} == {
        ("Pothole", 2.0, "working"), ("Lamp out", 10.0, "working"),
        ("Tree pruning", 20.0, "working"), ("Grass", 20.0, "working"),
    }  # fmt: skip
    assert len((folder / "limits.csv").read_text().splitlines()) == 5


def test_a_point_says_the_district_where_words_say_nothing(city: City) -> None:
    places = PlaceResolver(city)
    north = places.resolve("a lamp is dark", (10.153, 20.104))
    assert north is not None
    assert north.district_name == "North"
    assert places.resolve("a lamp is dark") is None
    spelt = places.resolve("a lamp is dark at the Quay")
    assert spelt is not None
    assert spelt.street_name == "Quay"


def test_nothing_that_few_people_said_and_no_address_stands_in_the_pack(map_: Mapped, tmp_path: Path) -> None:
    private = [row | {"title": "Mrs Example hears rats", "address": "7 Secret Lane  Harbour"} for row in records(4)]
    make_pack(list(cases([*records(), *private], map_)), map_, tmp_path / "pack")
    written = "".join(path.read_text() for path in (tmp_path / "pack").rglob("*") if path.is_file())
    assert "Example" not in written
    assert "Secret" not in written
    assert " St  Harbour" not in written


def test_a_folder_that_holds_something_is_left_alone(found: Sequence[Case], map_: Mapped, folder: Path) -> None:
    with pytest.raises(FileExistsError, match="not empty"):
        make_pack(found, map_, folder)


def test_the_codes_of_a_pack_are_found_again_by_what_stands_in_the_records(city: City, found: Sequence[Case]) -> None:
    coded = Coded.of(city)
    case = next(case for case in found if case.district == "S")
    district, area = coded.areas.of(case)
    assert (city.units[f"d-{district}"].short, city.units[area].short) == ("S", "Quay")
    assert city.units[coded.units[case.unit]].short == case.unit


@given(MOMENTS, st.integers(1, 30))
def test_what_is_due_after_some_working_days_is_that_many_working_days_away(opened: datetime, days: int) -> None:
    due = due_at(opened, Span(days, "working", 1.0, 9), OFFICE)
    assert due.isoweekday() in OFFICE.weekdays
    assert working_days(opened, due, OFFICE) == days


def test_what_comes_on_friday_night_begins_when_monday_opens() -> None:
    friday = datetime.combine(date(2025, 1, 10), time(20), ZONE)
    due = due_at(friday, Span(1, "working", 1.0, 9), OFFICE)
    assert due == datetime.combine(date(2025, 1, 14), time(8, 30), ZONE)


@pytest.mark.parametrize(
    ("address", "said"),
    [("12-14 Mill St  Harbour  XX", "mill st"), ("9A Hill Ave, Harbour", "hill ave"), ("", ""),
     ("INTERSECTION of Hill St & Quay  Harbour", "intersection of hill st & quay")],
)  # fmt: skip
def test_of_an_address_the_road_is_kept(address: str, said: str) -> None:
    assert road(address) == said


def test_a_map_with_mistakes_names_every_one_of_them(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(MAP.replace("dates:", "datez:").replace("America/New_York", "Atlantis"))
    with pytest.raises(CityError) as told:
        load_map(path)
    assert len(told.value.problems) == 3
