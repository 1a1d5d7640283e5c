"""policies.toml: what is wrong is told, what is kept is whole, and the classes stand behind the rules."""

from datetime import timedelta
from pathlib import Path

import pytest

from libs.common.city.pack import City, load_city
from libs.common.city.policies import FILE, PolicySet, read_policies
from libs.common.city.problems import Problems
from tests.support.stages import CITY


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(Path(CITY))


def read(city: City, text: str) -> tuple[PolicySet | None, list[str]]:
    problems = Problems()
    return read_policies(FILE, text.encode(), city.base_policies, city.catalogue, problems), problems.found


def test_the_classes_of_the_city_stand_behind_the_rules_and_are_part_of_the_text(city: City) -> None:
    found, wrong = read(city, '[[rule]]\nid = "mayor"\nchannel = ["mayor_mailbox"]\nresponse = "PT12H"\n')
    assert found
    assert not wrong
    assert [rule.id for rule in found.rules] == [
        "mayor", "elderly", "class_urgent", "class_livelihood", "class_general", "class_complex",
    ]  # fmt: skip
    again, _ = read(city, found.text)
    assert again == found


def test_what_names_every_limit_keeps_the_promise_to_the_elderly_unless_it_says_otherwise(city: City) -> None:
    every = '[[rule]]\nid = "all"\nresponse = "P9D"\ncompletion = "P9D"\n'
    found, _ = read(city, every)
    assert found
    assert [rule.response_at_most for rule in found.rules if rule.elderly] == [timedelta(days=1)]
    own, _ = read(city, every + '[[rule]]\nid = "elderly"\nelderly = true\nresponse_at_most = "PT8H"\n')
    assert own
    assert [rule.response_at_most for rule in own.rules if rule.elderly] == [timedelta(hours=8)]


def test_what_a_file_says_nothing_of_is_as_the_city_has_it_and_none_is_said_so(city: City) -> None:
    rule = '[[rule]]\nid = "a"\nresponse = "PT1H"\n'
    found, _ = read(city, rule)
    assert found
    assert (found.grounds, found.extensions) == (city.policies.grounds, city.policies.extensions)
    again, _ = read(city, found.text)
    assert again == found
    none, _ = read(city, f"pause = []\n{rule}[reopening]\nrepeat = 0.5\n")
    assert none
    assert (dict(none.grounds), none.reopening.repeat) == ({}, 0.5)
    assert none.extensions == city.policies.extensions


def test_a_rule_about_a_name_is_about_the_questions_below_it(city: City) -> None:
    found, _ = read(city, '[[rule]]\nid = "heat"\ncategory = ["供热采暖"]\ncompletion = "PT12H"\n')
    assert found
    codes = found.about[0] or ()
    assert {"heating-01-01", "供热采暖"} <= set(codes)
    assert not [code for code in codes if code.startswith("water-")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[rule]]\nid = "a"\nchanel = ["web"]\nresponse = "PT1H"', "Unexpected keyword"),
        ('[[rule]]\nid = "a"\nurgency = ["general"]', "should name a limit or a cap"),
        ('[[rule]]\nid = "a"\ncategory = ["没有这一类"]\nresponse = "PT1H"', "should be a name of the catalogue"),
        ('[[rule]]\nid = "a"\nresponse = "PT1H"\n[[rule]]\nid = "a"\nresponse = "PT2H"', "is there twice"),
        ('[[rule]]\nid = "a"\nresponse = "PT0S"', "greater than"),
        ('[[rule]]\nid = "a"\ncompletion = "P99999D"', "less than or equal"),
        (
            '[[rule]]\nid = "class_general"\nchannel = ["web"]\nresponse = "PT1H"',
            "should name both limits",
        ),
        ('[[pause]]\ncode = "rain"\nlongest = "P1D"', "Field required"),
        ('[[extension]]\nby = "mayor"\nat_most = "P1D"\ntimes = 1', "district"),
        ("rule = [", "is not TOML"),
        ("\x00", "is not TOML"),
        ('[[pause]]\ncode = "rain"\nname = { zh = "雨\\u0000", en = "Rain" }\nlongest = "P1D"', "control character"),
    ],
)
def test_what_is_wrong_is_told_with_what_would_be_right(city: City, text: str, said: str) -> None:
    _, wrong = read(city, text)
    assert any(said in sentence for sentence in wrong), wrong


def test_the_pack_of_beijing_has_grounds_and_levels(city: City) -> None:
    policies = city.policies
    assert policies.grounds["weather"].longest == timedelta(days=15)
    assert policies.grounds["weather"].name.zh == "天气原因无法施工"
    assert policies.extensions["district"].at_most < policies.extensions["centre"].at_most
