"""The public services of a city: part of its pack, and refused with every mistake named."""

from pathlib import Path

import pytest

from libs.common.city.pack import City, load_city
from libs.common.city.problems import CityError
from libs.common.city.services import ATTRIBUTE_COLUMNS, SERVICE_COLUMNS

SERVICE = "water-01,Tap water,Water,water-01-01"
ATTRIBUTE = "water-01,extent,singlevaluelist,yes,范围,Extent,,,home=我家/My home | street=整条街/The street"


def write(pack: Path, services: str, attributes: str = "") -> None:
    for name, columns, rows in (
        ("services.csv", SERVICE_COLUMNS, services),
        ("attributes.csv", ATTRIBUTE_COLUMNS, attributes),
    ):
        (pack / name).write_text("\n".join([",".join(columns), rows]) + "\n", encoding="utf-8")


def test_a_pack_without_services_has_nothing_public(small_pack: Path) -> None:
    services = load_city(small_pack).services
    assert not list(services)
    assert not services.by_category


def test_a_service_gathers_the_questions_of_its_level(small_pack: Path) -> None:
    write(small_pack, SERVICE, ATTRIBUTE)
    services = load_city(small_pack).services
    (service,) = services
    assert (service.name.zh, service.name.en, service.group.zh) == ("自来水", "Tap water", "供水")
    assert [question.code for question in service.questions] == ["water-01-01", "water-01-02"]
    assert set(services.by_category) == {("供水", "自来水", "停水")}
    (attribute,) = service.attributes
    assert (attribute.required, attribute.variable, [c.key for c in attribute.values]) == (
        True,
        True,
        ["home", "street"],
    )


def test_a_note_is_said_and_not_asked(small_pack: Path) -> None:
    write(small_pack, SERVICE, "water-01,danger,note,,远离,Keep away,,,")
    (attribute,) = load_city(small_pack).services.by_code["water-01"].attributes
    assert (attribute.variable, attribute.datatype) == (False, "string")


@pytest.mark.parametrize(
    ("services", "attributes", "where"),
    [
        ("water-02,x,y,all", "", "services.csv:2 code"),
        ("water-01,x,y,water-02-01", "", "services.csv:2 public"),
        ("water-01,x,y,", "", "services.csv:2 public"),
        (f"{SERVICE}\n{SERVICE}", "", "services.csv:3 code"),
        (SERVICE, ATTRIBUTE.replace("water-01", "water-09"), "attributes.csv service"),
        (SERVICE, f"{ATTRIBUTE}\n{ATTRIBUTE}", "attributes.csv:3 code"),
        (SERVICE, ATTRIBUTE.replace("singlevaluelist", "string"), "attributes.csv:2 values"),
        (SERVICE, ATTRIBUTE.replace("home=我家/My home", "home"), "attributes.csv:2 values"),
        (SERVICE, ATTRIBUTE.replace("singlevaluelist", "map"), "attributes.csv:2 datatype"),
    ],
)
def test_a_mistake_is_told_with_its_place(small_pack: Path, services: str, attributes: str, where: str) -> None:
    write(small_pack, services, attributes)
    with pytest.raises(CityError) as refused:
        load_city(small_pack)
    assert any(problem.startswith(where) for problem in refused.value.problems), refused.value.problems


def test_beijing_asks_in_both_languages(beijing: City) -> None:
    for service in beijing.services:
        assert service.name.en.isascii()
        for attribute in service.attributes:
            assert attribute.description.zh != attribute.description.en
            assert bool(attribute.hint.zh) == bool(attribute.hint.en)
