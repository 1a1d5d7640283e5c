"""Limits by rules: which rule decides, in which time, and by which version."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.common.city.learning.history import Case, cases
from libs.common.city.learning.mapping import load_map
from libs.common.city.learning.packing import make_pack
from libs.common.city.limits import COLUMNS as LIMIT_COLUMNS
from libs.common.city.limits import FILE as LIMITS
from libs.common.city.limits import load_limits
from libs.common.city.pack import City, load_city
from libs.common.city.policies import FILE, PolicySet, read_policies
from libs.common.city.problems import Problems
from services.sla.domain import Again, Book, Classified, Clock, Facts, Matter, Policy, Received, decide
from services.sla.service import book_of
from tests.support.histories import MAP, records
from tests.support.stages import CITY, NOON

TICKET = UUID("01900000-0000-7000-8000-000000000001")
PACK = load_city(CITY)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NINE = timedelta(hours=9)
"""How long a day of work is in the pack."""


def policies(text: str) -> PolicySet:
    problems = Problems()
    read = read_policies(FILE, text.encode(), PACK.base_policies, PACK.catalogue, problems)
    assert read, problems.found
    assert not problems.found
    return read


def book(text: str) -> Book:
    return replace(book_of(PACK), policies=(Policy(policies(text), NINE),))


def clocks(judged_by: Book, matter: Facts, now: datetime = NOON) -> dict[str, Clock]:
    return {clock.name: clock for clock in decide(TICKET, matter, (), judged_by, now).clocks}


def facts(at: datetime = NOON, **more: Any) -> Facts:
    urgency = more.pop("urgency", "general")
    received = Received(at, **more)
    return Facts(received=received, classified=Classified(urgency, received.elderly, received, "heating-01-01"))


RULES = """
[[rule]]
id = "mayor"
channel = ["mayor_mailbox"]
response = "PT1H"

[[rule]]
id = "heat"
category = ["供热采暖"]
completion = "PT12H"

[[rule]]
id = "blind"
access = ["blind", "wheelchair"]
completion = "PT3H"
response = "PT3H"

[[rule]]
id = "firms"
reporter_type = ["company"]
response_at_most = "PT2H"
"""


@pytest.mark.parametrize(
    ("matter", "response", "completion"),
    [
        (Matter("general"), 24 * HOUR, 7 * DAY),
        (Matter("general", "heating-01-01"), 24 * HOUR, 12 * HOUR),
        (Matter("general", "heating-99-01"), 24 * HOUR, 7 * DAY),
        (Matter("general", "heating-99-01", names=("供热采暖", "新设", "新设")), 24 * HOUR, 12 * HOUR),
        (Matter("urgent", "heating-01-01"), HOUR / 2, 12 * HOUR),
        (Matter("general", channel="mayor_mailbox"), HOUR, 7 * DAY),
        (Matter("general", access=("blind",), channel="mayor_mailbox"), HOUR, 3 * HOUR),
        (Matter("general", "heating-01-01", access=("wheelchair",)), 3 * HOUR, 12 * HOUR),
        (Matter("general", reporter_type="company"), 2 * HOUR, 7 * DAY),
        (Matter("urgent", reporter_type="company"), HOUR / 2, 2 * HOUR),
        (Matter("complex", elderly=True), 24 * HOUR, 15 * DAY),
    ],
)
def test_of_each_clock_the_first_rule_that_names_a_limit_decides(
    matter: Matter, response: timedelta, completion: timedelta
) -> None:
    policy = Policy(policies(RULES), NINE)
    assert [policy.terms(name, matter)[0].limit for name in ("response", "completion")] == [response, completion]


WORKING = '[[rule]]\nid = "work"\nurgency = ["general"]\nresponse = "PT4H"\ncompletion = "P2D"\ncount = "working"\n'


def test_a_day_of_a_limit_in_working_time_is_a_day_of_work() -> None:
    friday = datetime(2026, 3, 6, 9, tzinfo=UTC)  # 17:00 in Beijing: one hour is left
    found = clocks(book(WORKING), facts(friday), friday)
    assert found["completion"].limit_seconds == 2 * 9 * 3600
    assert found["completion"].due_at == datetime(2026, 3, 10, 9, tzinfo=UTC)
    assert found["response"].due_at == datetime(2026, 3, 9, 4, tzinfo=UTC)


def test_a_cap_is_kept_although_the_limit_counts_working_time() -> None:
    friday = datetime(2026, 3, 6, 9, tzinfo=UTC)
    found = clocks(book(WORKING), facts(friday, elderly=True), friday)["response"]
    assert (found.due_at, found.count) == (friday + DAY, "natural")
    monday = datetime(2026, 3, 9, 2, tzinfo=UTC)
    found = clocks(book(WORKING), facts(monday, elderly=True), monday)["response"]
    assert (found.due_at, found.count) == (monday + 4 * HOUR, "working")


def test_a_due_time_in_a_year_nobody_has_named_says_that_it_is_a_guess() -> None:
    silvester = datetime(2026, 12, 31, 8, tzinfo=UTC)
    found = decide(TICKET, facts(silvester), (), book(WORKING), silvester)
    completion = next(clock for clock in found.clocks if clock.name == "completion")
    assert completion.provisional
    assert completion.due_at > silvester + 2 * DAY
    assert [event.provisional for event in found.events if event.name == "clock.started"]  # type: ignore[attr-defined]


def test_a_clock_keeps_the_version_of_its_start_also_when_its_class_changes_later() -> None:
    old, new = (Policy(policies(f'[[rule]]\nid = "a"\ncompletion = "{limit}"\n'), NINE) for limit in ("P3D", "P1D"))
    both = replace(book_of(PACK), starts=(NOON - DAY, NOON + HOUR), policies=(old, new))
    before = clocks(both, facts())
    after = decide(TICKET, facts(urgency="complex"), tuple(before.values()), both, NOON + 2 * HOUR).clocks
    assert {(clock.policy, clock.urgency) for clock in after} == {(old.version, "complex")}
    assert before["completion"].due_at == NOON + 3 * DAY
    later = clocks(both, facts(NOON + HOUR), NOON + HOUR)
    assert (later["completion"].policy, later["completion"].limit_seconds) == (new.version, 86_400)


def test_a_round_that_comes_back_has_the_share_the_policies_give_it() -> None:
    again = replace(facts(), reopened=Again(2, NOON + DAY, "not_solved"))
    found = decide(TICKET, again, (), book("[reopening]\nnot_solved = 0.5\n"), NOON + DAY).clocks
    seconds = {(clock.round, clock.name): clock.limit_seconds for clock in found}
    assert seconds[2, "completion"] * 2 == seconds[1, "completion"]
    assert decide(TICKET, again, found, book("[reopening]\nnot_solved = 0.5\n"), NOON + DAY).events == ()


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[City, list[Case]]:
    """Return a city made of the records of another system, and those records."""
    folder = tmp_path_factory.mktemp("learned")
    (folder / "map.yaml").write_text(MAP)
    map_ = load_map(folder / "map.yaml")
    found = list(cases(records(), map_))
    make_pack(found, map_, folder / "city")
    return load_city(folder / "city"), found


def test_a_city_that_was_learned_gives_the_due_times_of_its_own_records(learned: tuple[City, list[Case]]) -> None:
    city, found = learned
    questions = {question.category: question for question in city.catalogue}
    judged_by = book_of(city)
    for case in found:
        question, received = questions[case.category], Received(case.opened)
        matter = Facts(received, Classified(question.urgency, False, received, question.code))
        completion = clocks(judged_by, matter, case.opened)["completion"]
        assert completion.due_at == case.due
        assert (completion.count, completion.provisional) == ("working", False)


def test_danger_and_what_many_raise_go_by_their_class_and_not_by_the_limit_of_the_question(
    learned: tuple[City, list[Case]],
) -> None:
    city, _ = learned
    policy = book_of(city).at(NOON)
    grass = next(question for question in city.catalogue if question.l3 == "Grass")
    assert policy.terms("completion", Matter(grass.urgency, grass.code))[0].limit == policy.in_time(20 * DAY, "working")
    urgent = policy.terms("completion", Matter("urgent", grass.code))
    assert [terms.limit for terms in urgent] == [city.policy.limits["urgent"].completion]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("no-such-01-01,5,1,working,1,9", "should be a code of the catalogue"),
        ("heating-01-01,0,1,working,1,9", "should be days such as 5"),
        ("heating-01-01,1e99,1,working,1,9", "should be days such as 5"),
        ("heating-01-01,nan,1,working,1,9", "should be days such as 5"),
        ("heating-01-01,5,1,weeks,1,9", "should be one of natural, working"),
    ],
)
def test_what_is_wrong_in_limits_csv_is_told_with_its_line(row: str, said: str, tmp_path: Path) -> None:
    (tmp_path / LIMITS).write_text(f"{','.join(LIMIT_COLUMNS)}\n{row}\n")
    problems = Problems()
    load_limits(tmp_path, PACK.catalogue, problems)
    assert [said in sentence and sentence.startswith("limits.csv:2") for sentence in problems.found] == [True]
