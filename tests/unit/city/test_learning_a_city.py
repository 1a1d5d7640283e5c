"""A city pack made of a city's own records."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from libs.common.city.learning.history import Case, cases, road
from libs.common.city.learning.limits import find_limits, working_days
from libs.common.city.learning.mapping import Mapped, load_map
from libs.common.city.learning.packing import Coded, make_pack
from libs.common.city.pack import City, load_city
from libs.common.city.places import PlaceResolver
from libs.common.city.problems import CityError
from libs.common.city.settings import Calendar
from tests.support.histories import MAP, records

OFFICE = Calendar(count="working", weekdays=(1, 2, 3, 4, 5), opens=time(8, 30), closes=time(17), holidays="")
ZONE = ZoneInfo("America/New_York")


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


@pytest.mark.parametrize(
    ("opened", "due", "days"),
    [
        ("2025-01-10T20:00", "2025-01-14T08:30", 1),
        ("2025-01-11T12:00", "2025-01-14T08:30", 1),
        ("2025-01-10T10:00", "2025-01-13T10:00", 1),
        ("2025-01-10T06:00", "2025-01-17T08:30", 5),
        ("2025-01-17T10:00", "2025-01-21T10:00", 1),
    ],
    ids=["friday night", "saturday", "friday", "before office hours", "over a holiday"],
)
def test_working_days_between_a_record_and_its_target(opened: str, due: str, days: int) -> None:
    office = replace(OFFICE, holidays="US-MA")
    assert working_days(datetime.fromisoformat(opened), datetime.fromisoformat(due), office) == days


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
