"""The rules of routing as a city writes them: read whole, or refused with every mistake by line and key."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import City, load_city
from libs.common.city.problems import CityError, Problems
from libs.common.city.rules import FILE, GENERAL, Known, Rule, RuleSet, read_rules
from libs.common.city.settings import Name

LAST = """
[[rule]]
id = "rest"
lead = "centre"
why = { zh = "由中心办理", en = "The centre" }
"""
WHY = 'why = { zh = "试", en = "Try" }'
ZONE = ZoneInfo("Asia/Shanghai")


def read(city: City, text: str) -> tuple[RuleSet | None, list[str]]:
    problems = Problems()
    rules = read_rules(FILE, text.encode(), Known(city.units, city.catalogue), problems)
    return rules, problems.found


def refused(city: City, rule: str) -> list[str]:
    return read(city, f"[[rule]]\n{rule}\n{WHY}\n{LAST}")[1]


def test_beijings_rules_and_the_general_ones_are_without_a_mistake(beijing: City) -> None:
    assert [rule.id for rule in beijing.rules.rules][:5] == ["outside", "venue", "named", "duty", "street"]
    rules, problems = read(beijing, GENERAL.read_text(encoding="utf-8"))
    assert rules
    assert problems == []
    assert [rule.id for rule in rules.rules] == [
        "outside", "venue", "named", "duty", "street", "district", "profession", "no_place", "desk", "centre",
    ]  # fmt: skip


def test_a_pack_without_rules_of_its_own_is_routed_by_the_general_ones(small_pack: Path) -> None:
    assert load_city(small_pack).rules.text == GENERAL.read_text(encoding="utf-8")


def test_a_mistake_in_a_packs_rules_is_told_with_file_line_and_key(small_pack: Path) -> None:
    (small_pack / FILE).write_text(f'# ours\n[[rule]]\nid = "x"\nlead = "dept-watre"\n{WHY}\n{LAST}', encoding="utf-8")
    with pytest.raises(CityError) as told:
        load_city(small_pack)
    (problem,) = told.value.problems
    assert problem.startswith("routing.toml:4 lead: 'dept-watre' should be a unit's code, owner, street, ")


@pytest.mark.parametrize(
    ("rule", "where", "what"),
    [
        ('id = "x"\nlead = "parent-of-dept-magic"', ":3 lead", "unit's code"),
        ('id = "x"\nlead = "centre"\ncategory = ["水货"]', ":4 category", "name of the catalogue"),
        ('id = "x"\nlead = "centre"\ndistrict = ["110199"]', ":4 district", "six-digit"),
        ('id = "x"\nlead = "centre"\nstreet = ["d-110105"]', ":4 street", "street or town"),
        ('id = "x"\nlead = "centre"\nowner = ["nobody"]', ":4 owner", "unit's code"),
        ('id = "x"\nlead = "owner"\nco_handlers = ["nobody"]', ":4 co_handlers", "unit's code"),
        ('id = "x"\nlead = "owner"\nbusy = { of = "owner" }', ":4 busy", "open or days"),
        ('id = "x"\nlead = "owner"\nbusy = { of = "nobody", open = 3 }', ":4 busy", "unit's code"),
        ('id = "x"\nlead = "owner"\nfrom = 2026-03-01\nuntil = 2026-02-01', ":5 until", "before from"),
        ('id = "x"\nlead = "owner"\nhours = "8-18"', ":4 hours", "pattern"),
        ('id = "x"\nlead = "owner"\nweekdays = [8]', ":4 weekdays", "less than or equal to 7"),
        ('id = "x"\nlead = "owner"\nchannels = ["web"]', ":4 channels", "Unexpected"),
        ('id = "X!"\nlead = "owner"', ":2 id", "pattern"),
        ('id = "rest"\nlead = "owner"', ":7 id", "unique"),
    ],
)
def test_every_mistake_names_its_key_and_what_would_be_right(beijing: City, rule: str, where: str, what: str) -> None:
    (problem,) = refused(beijing, rule)
    assert problem.startswith(f"{FILE}{where}"), problem
    assert what in problem


@pytest.mark.parametrize("why", ["试{code}", "试{unit.__class__}", "试{unit!r}", "试{", "试\\u0000", ""])
def test_a_sentence_may_hold_known_names_in_braces_and_nothing_else(beijing: City, why: str) -> None:
    (problem,) = read(beijing, f'[[rule]]\nid = "x"\nlead = "owner"\nwhy = {{ zh = "{why}", en = "Try" }}\n{LAST}')[1]
    assert problem.startswith(f"{FILE}:4 why: ")


@pytest.mark.parametrize("text", ["[[rule]", "rule = 3", "a = 1" + "0" * 5000, "x = " + "[" * 10_000])
def test_what_is_no_toml_or_no_list_of_rules_is_refused(beijing: City, text: str) -> None:
    rules, problems = read(beijing, text)
    assert rules is None
    assert problems


def test_text_that_is_not_utf_8_is_refused(beijing: City) -> None:
    problems = Problems()
    assert read_rules(FILE, "规则".encode("gbk"), Known(beijing.units, beijing.catalogue), problems) is None
    assert "not TOML" in problems.found[0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('lead = "centre"', 'lead = "owner"\nurgency = ["urgent"]'),
        ('lead = "owner"\nowner_kind = ["company", "department"]', 'lead = "owner"\nowner_kind = ["company"]'),
        ('lead = "centre"\ncategory = ["heating"]', 'lead = "street"\ncategory = ["heating-01", "供热采暖"]'),
        ('lead = "centre"\nuntil = 2026-12-31', 'lead = "centre"\nfrom = 2026-01-01\nuntil = 2026-06-30'),
    ],
)
def test_a_rule_that_can_never_apply_is_told_with_the_one_that_takes_all(
    beijing: City, first: str, second: str
) -> None:  # fmt: skip
    text = f'[[rule]]\nid = "first"\n{first}\n{WHY}\n[[rule]]\nid = "second"\n{second}\n{WHY}\n{LAST}'
    problems = [problem for problem in read(beijing, text)[1] if "second" in problem]
    assert len(problems) == 1
    assert "'first' before it takes" in problems[0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('lead = "owner"', 'lead = "street"'),
        ('lead = "centre"\nbusy = { of = "owner", open = 9 }', 'lead = "owner"'),
        ('lead = "centre"\ncategory = ["heating-01"]', 'lead = "street"\ncategory = ["heating"]'),
        ('lead = "centre"\nuntil = 2026-06-30', 'lead = "street"\nfrom = 2026-01-01'),
        ('lead = "centre"\nhours = "18:00-08:00"', 'lead = "street"'),
    ],
)
def test_a_rule_that_may_apply_is_not_held_against_the_ones_before(beijing: City, first: str, second: str) -> None:
    text = f'[[rule]]\nid = "first"\n{first}\n{WHY}\n[[rule]]\nid = "second"\n{second}\n{WHY}\n{LAST}'
    assert read(beijing, text)[1] == []


def test_the_last_rule_must_take_whatever_is_left(beijing: City) -> None:
    (problem,) = read(beijing, f'[[rule]]\nid = "only"\nlead = "owner"\n{WHY}\n')[1]
    assert "the last rule should take whatever is left" in problem


def test_the_same_text_is_the_same_version_and_another_text_is_another(beijing: City) -> None:
    versions = [rules.version for text in (LAST, LAST, f"# \n{LAST}") if (rules := read(beijing, text)[0])]
    assert versions[0] == versions[1] != versions[2]


@given(local=st.datetimes(timezones=st.just(ZONE)))
def test_a_season_and_hours_over_the_turn_hold_where_their_complement_does_not(local: datetime) -> None:
    why = Name("试", "Try")
    winter, summer = (Rule("x", "owner", why, season=span) for span in ("11-15/03-15", "03-16/11-14"))
    night, day = (Rule("x", "owner", why, hours=span) for span in ("18:00-08:00", "08:00-18:00"))
    assert winter.holds_at(local) != summer.holds_at(local)
    assert night.holds_at(local) != day.holds_at(local)


def test_days_from_and_until_are_both_included_in_the_citys_time(beijing: City) -> None:
    rules, problems = read(
        beijing, f'[[rule]]\nid = "x"\nlead = "owner"\nfrom = 2026-03-02\nuntil = 2026-03-02\n{WHY}{LAST}'
    )
    assert rules
    assert problems == []
    days = [
        rules.rules[0].holds_at(datetime(2026, 3, day, hour, tzinfo=ZONE))
        for day, hour in ((1, 23), (2, 0), (2, 23), (3, 0))
    ]
    assert days == [False, True, True, False]
