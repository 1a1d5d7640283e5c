"""Rules as an index: it says what going through the rules one by one says, and why not by those before."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import City
from libs.common.city.problems import Problems
from libs.common.city.rules import FILE, Known, Rule, RuleSet, read_rules
from libs.common.contracts.classify import OwnerKind
from libs.common.contracts.vocabulary import AccessNeed, Channel, Kind, Place, ReporterType, Urgency
from services.dispatch.domain import Load, Matter, Obstacle, Tried
from services.dispatch.routing import Index, Router, Schedule, matter_at
from services.dispatch.routing.telling import Telling
from tests.support.stages import NOON

WANGJING = Place(
    district="110105", district_name="朝阳区", street="s-110105026", street_name="望京街道", confidence=0.9
)
RONGHUA = Place(district="110115", district_name="大兴区", street="s-110115012", street_name="荣华街道", confidence=0.9)
HEATING = Matter(
    "company", "co-heating", (), WANGJING, code="heating-01-01", category=("供热采暖", "供热质量", "暖气不热"),
    urgency="livelihood", kind="help", channel="phone", reporter_type="person",
)  # fmt: skip
LAST = '[[rule]]\nid = "rest"\nlead = "centre"\nwhy = { zh = "由中心办理", en = "The centre" }\n'
Made = Callable[[str], Index]


@pytest.fixture(scope="session")
def made(city: City) -> Made:
    """Make an index of some rules before one that takes the rest."""

    def index(rules: str) -> Index:
        return Index(checked(city, rules), city)

    return index


def checked(city: City, rules: str) -> RuleSet:
    problems = Problems()
    found = read_rules(FILE, f"{rules}\n{LAST}".encode(), Known(city.units, city.catalogue), problems)
    assert problems.found == []
    assert found
    return found


def rule(id_: str, lead: str, *lines: str, why: str = "派{unit}") -> str:
    return "\n".join(
        ["[[rule]]", f'id = "{id_}"', f'lead = "{lead}"', f'why = {{ zh = "{why}", en = "To {{unit}}" }}', *lines]
    )


def decided(index: Index, matter: Matter, at: datetime | None = NOON, **loads: Load) -> tuple[str, str]:
    choice = index.choose(matter, at, {name.replace("_", "-"): load for name, load in loads.items()})
    return choice.rule.id, choice.lead.code


CONDITIONS = [
    ('category = ["供热采暖"]', {}, {"code": "water-01-01", "category": ("供水排水", "自来水供应", "突然停水")}),
    ('category = ["heating-01"]', {}, {"code": "heating-02-01"}),
    ('category = ["供热采暖/供热质量/暖气不热"]', {}, {"code": "x", "category": ("供热采暖", "供热质量", "其他")}),
    ('owner_kind = ["company"]', {}, {"owner_kind": "department"}),
    ('owner = ["co-heating"]', {}, {"owner": "co-water"}),
    ('district = ["110105"]', {}, {"place": RONGHUA}),
    ('street = ["s-110105026"]', {}, {"place": None}),
    ('channel = ["phone", "web"]', {}, {"channel": "mail"}),
    ('reporter_type = ["person"]', {}, {"reporter_type": "company"}),
    ('access = ["elderly", "blind"]', {"access_needs": ("wheelchair", "blind")}, {"access_needs": ("wheelchair",)}),
    ('kind = ["help"]', {}, {"kind": "praise"}),
    ('urgency = ["livelihood"]', {}, {"urgency": None}),
    ("outside = true", {"outside": True}, {"outside": False}),
]


@pytest.mark.parametrize(("line", "right", "wrong"), CONDITIONS)
def test_each_condition_lets_its_rule_apply_or_not_and_says_why(
    made: Made, line: str, right: dict[str, object], wrong: dict[str, object]
) -> None:
    index = made(rule("mine", "dept-water", line))
    assert decided(index, replace(HEATING, **right)) == ("mine", "dept-water")  # type: ignore[arg-type]
    other = replace(HEATING, **wrong)  # type: ignore[arg-type]
    assert decided(index, other) == ("rest", "centre")
    first, last = index.tried(other, NOON, {})
    assert [obstacle.condition for obstacle in first.obstacles] == [line.partition(" ")[0]]
    assert last.applies


@pytest.mark.parametrize(
    ("line", "inside", "beyond"),
    [
        ('season = "11-15/03-15"', "2026-03-02T12:00", "2026-03-16T00:00"),
        ("weekdays = [1]", "2026-03-02T23:59", "2026-03-03T00:00"),
        ('hours = "18:00-08:00"', "2026-03-02T07:59", "2026-03-02T08:00"),
        ("from = 2026-03-02", "2026-03-02T00:00", "2026-03-01T23:59"),
        ("until = 2026-03-02", "2026-03-02T23:59", "2026-03-03T00:00"),
    ],
)
def test_times_are_the_citys_and_without_a_moment_no_rule_of_a_time_applies(
    made: Made, line: str, inside: str, beyond: str
) -> None:
    index = made(rule("mine", "dept-water", line))
    moments = [datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai")) for text in (inside, beyond)]
    assert [decided(index, HEATING, moment)[0] for moment in moments] == ["mine", "rest"]
    assert decided(index, HEATING, None)[0] == "rest"
    (told,) = next(iter(index.tried(HEATING, moments[1], {}))).obstacles
    assert told.condition == "time"


@pytest.mark.parametrize(
    ("lead", "matter", "unit"),
    [
        ("owner", HEATING, "co-heating"),
        ("parent-of-owner", HEATING, "dept-urban-management"),
        ("street", HEATING, "s-110105026"),
        ("district", HEATING, "d-110105"),
        ("parent-of-street", HEATING, "d-110105"),
        ("centre", HEATING, "centre"),
        ("dept-bda", HEATING, "dept-bda"),
        ("named", replace(HEATING, named="co-heating-jinfang"), "co-heating-jinfang"),
        ("named", HEATING, None),
        ("venue", replace(HEATING, venue="dept-parks"), "dept-parks"),
        ("venue", replace(HEATING, venue="dept-of-magic"), None),
        ("profession", replace(HEATING, co_handlers=("dept-water", "co-gas")), "dept-water"),
        ("profession", replace(HEATING, co_handlers=("co-gas", "dept-water")), None),
        ("profession", HEATING, None),
        ("street", replace(HEATING, place=None), None),
        ("owner", replace(HEATING, owner="dept-of-magic"), None),
        ("parent-of-street", replace(HEATING, place=None), None),
    ],
)
def test_a_rule_applies_only_where_the_unit_it_names_is_there(
    made: Made, lead: str, matter: Matter, unit: str | None
) -> None:
    index = made(rule("mine", lead, "outside = false"))
    assert decided(index, matter) == (("mine", unit) if unit else ("rest", "centre"))
    if unit is None:
        assert next(iter(index.tried(matter, NOON, {}))).obstacles == (Obstacle("lead", (lead,)),)


def test_a_unit_that_ended_is_led_for_by_who_succeeds_it(city: City) -> None:
    old = replace(city.units["co-heating"], until=NOON.date(), successor="dept-urban-management")
    later = replace(city, units={**city.units, old.code: old})
    index = Index(checked(city, rule("mine", "owner")), later)
    assert decided(index, HEATING, NOON - timedelta(days=1)) == ("mine", "co-heating")
    assert decided(index, HEATING, NOON) == ("mine", "dept-urban-management")


def test_a_busy_unit_gives_way_and_one_that_nobody_measured_does_not(made: Made) -> None:
    index = made(
        rule("full", "parent-of-owner", 'busy = { of = "owner", open = 100 }', why="{busy}在办{open}件，改派{unit}")
        + "\n" + rule("slow", "district", 'busy = { of = "owner", days = 5.0 }') + "\n" + rule("usual", "owner")
    )  # fmt: skip
    assert decided(index, HEATING) == ("usual", "co-heating")
    assert decided(index, HEATING, co_heating=Load(100)) == ("usual", "co-heating")
    assert decided(index, HEATING, co_heating=Load(60, 10.0)) == ("slow", "d-110105")
    full = index.choose(HEATING, NOON, {"co-heating": Load(101)})
    assert full.rule.id == "full"
    assert full.why.endswith("在办101件，改派北京市城市管理委员会")
    told = list(index.tried(HEATING, NOON, {"co-heating": Load(60, 10.0)}))
    assert told[0].obstacles == (Obstacle("busy_open", ("100",), ("60",)),)


def test_what_a_rule_draws_in_is_added_to_the_co_handlers_of_the_question(city: City, made: Made) -> None:
    router = Router(city)
    index = made(rule("mine", "owner", 'co_handlers = ["street", "dept-water", "owner"]'))
    route = router.route(replace(HEATING, co_handlers=("dept-water",)), NOON, index)
    assert [unit.code for unit in route.co_handlers] == ["dept-water", "s-110105026"]
    assert (route.rule, route.rules) == ("mine", index.version)


def test_in_the_development_area_its_committee_leads_what_the_district_would(router: Router) -> None:
    assert router.route(Matter("district", place=RONGHUA), NOON).unit.code == "dept-bda"
    assert router.route(Matter("district", place=WANGJING), NOON).unit.code == "d-110105"
    assert router.route(Matter("street", place=RONGHUA), NOON).unit.code == "s-110115012"


def test_the_account_of_a_route_names_every_rule_before_it_in_both_languages(router: Router) -> None:
    account = router.account(Matter("street", place=None), NOON)
    assert [tried.rule for tried in account.tried] == [
        "outside", "venue", "named", "duty", "street", "bda", "district", "profession", "farming", "entitlement",
        "public_housing", "no_place",
    ]  # fmt: skip
    assert [tried.applies for tried in account.tried] == [False] * 11 + [True]
    told = [[said(router, language, one) for one in account.tried[:5]] for language in ("zh", "en")]
    assert told == [
        [
            ["发生地在本市范围内"],
            ["本规则指派的发生场所的管理单位不明或不在单位名录"],
            ["本规则指派的诉求点名的单位不明或不在单位名录"],
            ["承办类型为发生地街道，本规则限市级部门、企业", "本规则指派的责任单位不明或不在单位名录"],
            ["本规则指派的发生地街道不明或不在单位名录"],
        ],
        [
            ["it did not happen outside the city"],
            ["whom it names, the unit that runs the venue, is not known or not in the city's list"],
            ["whom it names, the unit that the appeal names, is not known or not in the city's list"],
            [
                "the kind of owner is the street where it happens; the rule is for department, company",
                "whom it names, the unit whose duty it is, is not known or not in the city's list",
            ],
            ["whom it names, the street where it happens, is not known or not in the city's list"],
        ],
    ]


def said(router: Router, language: str, tried: Tried) -> list[str]:
    telling = Telling.load()
    return [telling.obstacle(language, obstacle, router.names) for obstacle in tried.obstacles]


def test_units_and_districts_are_called_by_name_and_every_word_of_a_list_has_a_label(router: Router) -> None:
    telling = Telling.load()
    place = Obstacle("district", ("110105",), ("110115",))
    assert telling.obstacle("zh", place, router.names) == "发生地所在区为大兴区，本规则限朝阳区"
    lead = Obstacle("lead", ("parent-of-co-heating",))
    assert telling.obstacle("zh", lead, router.names).startswith("本规则指派的北京市热力集团有限责任公司的上级单位不明")
    lists = (OwnerKind, Channel, ReporterType, AccessNeed, Kind, Urgency)
    assert {word for words in lists for word in get_args(words)} <= telling.texts["label"].keys()


def test_a_second_opinion_is_shown_beside_the_rules_and_decides_nothing(city: City) -> None:
    router = Router(city)
    assert router.route(HEATING, NOON).agrees is None
    router.learned = lambda _: [("co-water", 0.7), ("co-heating", 0.2), ("of-another-city", 0.1)]
    account = router.account(HEATING, NOON)
    assert [opinion.unit.code for opinion in account.opinions] == ["co-water", "co-heating"]
    assert (account.route.unit.code, account.route.agrees) == ("co-heating", False)


def test_rules_change_at_one_moment_and_what_is_asked_of_another_moment_is_decided_by_its_rules(made: Made) -> None:
    old, new = made(rule("old", "owner")), made(rule("new", "owner"))
    schedule = Schedule([(NOON, old), (NOON + timedelta(hours=1), new)])
    asked = [NOON - timedelta(days=9), NOON, NOON + timedelta(minutes=59), NOON + timedelta(hours=1)]
    assert [schedule.at(moment).rules[0].id for moment in asked] == ["old", "old", "old", "new"]


MATTERS = st.builds(
    Matter, st.sampled_from(get_args(OwnerKind)), st.sampled_from([None, "co-heating", "dept-water", "unknown"]),
    st.just(()), st.sampled_from([None, WANGJING, RONGHUA]), st.booleans(),
    code=st.sampled_from(["", "heating-01-01", "water-01-01", "newer-01"]),
    category=st.sampled_from([("", "", ""), ("供热采暖", "供热质量", "暖气不热"), ("供水排水", "自来水供应", "停水")]),
    urgency=st.sampled_from([None, *get_args(Urgency)]), kind=st.sampled_from([None, *get_args(Kind)]),
    channel=st.sampled_from([None, *get_args(Channel)]), reporter_type=st.sampled_from([None, *get_args(ReporterType)]),
    access_needs=st.lists(st.sampled_from(get_args(AccessNeed)), max_size=2, unique=True).map(tuple),
    named=st.sampled_from([None, "co-heating-jinfang"]), venue=st.sampled_from([None, "dept-parks", "unknown"]),
)  # fmt: skip
LINES = [line for line, _, _ in CONDITIONS] + [
    "weekdays = [1, 2]", 'hours = "18:00-08:00"', 'season = "11-15/03-15"', 'busy = { of = "owner", open = 5 }',
]  # fmt: skip
SETS = st.lists(
    st.tuples(
        st.sampled_from(["owner", "street", "district", "named", "venue", "parent-of-street", "dept-water"]),
        st.lists(st.sampled_from(LINES), min_size=1, max_size=3, unique_by=lambda line: line.partition(" ")[0]),
    ),
    max_size=6,
)


@pytest.fixture(scope="session")
def small(city: City) -> Router:
    """A router of a city with a few questions, for a set of rules is checked against all of them."""
    some = {code: city.catalogue.by_code[code] for code in ("heating-01-01", "heating-02-01", "water-01-01")}
    return Router(replace(city, catalogue=replace(city.catalogue, by_code=some)))


@given(rules=SETS, matter=MATTERS, hours=st.integers(0, 24 * 400), open_=st.integers(0, 9))
def test_the_index_says_what_trying_rule_by_rule_says(
    small: Router, rules: list[tuple[str, list[str]]], matter: Matter, hours: int, open_: int
) -> None:
    city = small.city
    text = "\n".join(rule(f"r{number}", lead, *lines) for number, (lead, lines) in enumerate(rules))
    found = read_rules(FILE, f"{text}\n{LAST}".encode(), Known(city.units, city.catalogue), Problems())
    assert found
    at, loads = NOON + timedelta(hours=hours), {"co-heating": Load(open_), "dept-water": Load(open_)}
    index = Index(found, city)
    tried = list(index.tried(matter, at, loads))
    assert tried[-1].rule == index.choose(matter, at, loads).rule.id
    assert [one.applies for one in tried] == [False] * (len(tried) - 1) + [True]
    first = next(r.id for r in found.rules if not _against(index, r, matter, at, loads))
    assert tried[-1].rule == first


def _against(index: Index, one: Rule, matter: Matter, at: datetime, loads: dict[str, Load]) -> list[Obstacle]:
    return list(index._obstacles(one, matter, at, loads))


def test_every_question_is_routed_as_it_was_by_the_rules_in_code(router: Router, city: City) -> None:
    """The seven rules that were code before they were data, for every question at three kinds of places.

    What has come since: a department takes what a district would lead if anybody knew which, and of what a street
    would, who may have what.
    """
    for question in city.catalogue:
        for place in (WANGJING, WANGJING.model_copy(update={"street": None}), None):
            route = router.route(matter_at(question, place, outside=False), datetime(2026, 7, 1, tzinfo=UTC))
            asked = (question.owner_kind, question.owner, place)
            if route.rule in {"profession", "farming", "entitlement", "public_housing"}:
                assert by_hand(*asked) == ("no_place", "centre")
                assert question.owner_kind == ("district" if route.rule == "profession" else "street")
                assert route.unit.code in question.co_handlers
            else:
                assert (route.rule, route.unit.code) == by_hand(*asked), question.code


def by_hand(kind: str, owner: str | None, place: Place | None) -> tuple[str, str]:
    if kind in {"department", "company"}:
        return "duty", owner or ""
    if kind == "centre":
        return "desk", "centre"
    if place is None:
        return "no_place", "centre"
    if kind == "street" and place.street:
        return "street", place.street
    return "district", f"d-{place.district}"
