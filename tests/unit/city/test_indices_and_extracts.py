"""indices.toml, population.csv and extracts.toml: what a city says of its districts, and how it shares its record."""

from pathlib import Path

import pytest

from libs.common.city.extracts import FILE as EXTRACTS
from libs.common.city.extracts import load_extracts
from libs.common.city.indices import FILE as INDICES
from libs.common.city.indices import GENERAL, TAGS, load_indices, load_population
from libs.common.city.pack import load_city
from libs.common.city.problems import Problems

CITY = load_city(Path("deploy/cities/beijing"))


def test_a_pack_without_the_files_has_those_beside_the_modules(tmp_path: Path) -> None:
    problems = Problems()
    indices, extracts = load_indices(tmp_path, problems), load_extracts(tmp_path, problems)
    assert problems.found == []
    assert indices is not None
    assert extracts is not None
    assert {one.tag for one in indices.indicators} == set(TAGS)
    assert extracts.sensitive.k > extracts.k
    assert load_population(tmp_path / "population.csv", CITY.units, problems) == {}


def test_every_district_of_beijing_has_its_people_by_the_census() -> None:
    assert len(CITY.population) == 16
    assert sum(place.people for place in CITY.population.values()) == 21_893_095


def test_the_sensitive_categories_are_of_the_catalogue() -> None:
    assert set(CITY.extracts.sensitive.categories) <= set(CITY.catalogue.level1.values())


def test_an_indicator_is_worth_what_lies_between_its_floor_and_its_target_either_way_round() -> None:
    rise = CITY.indices.by_code["fire_response"]
    assert [rise.worth(value) for value in (20, 50, 75, 100, 130)] == [0, 0, 0.5, 1, 1]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [('tag = "安全性"', 'tag = "快乐性"'), ("target = 4.5", "target = 0"), ("solved = 0.5", "solved = 2")],
)
def test_an_index_that_cannot_be_made_is_named(tmp_path: Path, wrong: str, right: str) -> None:
    text = GENERAL.read_text(encoding="utf-8")
    assert wrong in text
    (tmp_path / INDICES).write_text(text.replace(wrong, right), encoding="utf-8")
    problems = Problems()
    assert load_indices(tmp_path, problems) is None
    assert problems.found[0].startswith(INDICES)


def test_an_extract_is_never_of_fewer_people_where_it_matters_more(tmp_path: Path) -> None:
    text = (GENERAL.parent / EXTRACTS).read_text(encoding="utf-8").replace("\nk = 20", "\nk = 3")
    (tmp_path / EXTRACTS).write_text(text, encoding="utf-8")
    problems = Problems()
    assert load_extracts(tmp_path, problems) is None
    assert problems.found


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("310101,5,2020-11-01,s", "district"), ("110105,many,2020-11-01,s", "people"), ("110105,5,2020,s", "as_of"),
        ("110105,5,2020-11-01,", "source"),
    ],
)  # fmt: skip
def test_a_wrong_line_of_the_population_is_named(tmp_path: Path, line: str, column: str) -> None:
    path = tmp_path / "population.csv"
    path.write_text(f"district,people,as_of,source\n{line}\n", encoding="utf-8")
    problems = Problems()
    load_population(path, CITY.units, problems)
    assert problems.found[0].startswith(f"population.csv:2 {column}")
