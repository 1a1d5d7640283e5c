"""Who may open the vault for what, how long things are kept, and how guesses at query codes are slowed down."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.settings import Retention
from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.problems import Problem
from services.intake.domain import Asker, Facts, Moved, Order, Purpose, State, is_over, must_stay, refusal, wait_after
from services.intake.handlers import GuardedCodes
from services.intake.handlers.guessing import MOST

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
AFTER = timedelta(days=30)
UNIT = UnitRef(code="dept-water", name="市水务局")
LED = Facts(led=Moved(1, NOW, UNIT), helping=Moved(1, NOW, helpers=("street-a",)))
ENDED_LATELY = Facts(led=Moved(1, NOW, UNIT), closed=Moved(1, NOW - AFTER))
ENDED_LONG_AGO = Facts(led=Moved(1, NOW, UNIT), closed=Moved(1, NOW - AFTER - timedelta(seconds=1)))
REOPENED = Facts(led=Moved(1, NOW, UNIT), closed=Moved(1, NOW - 2 * AFTER), reopened=Moved(2, NOW))
PURPOSES = get_args(Purpose)


def asked(desks: set[Any], order: Order, purpose: Purpose = "handling", *, works: bool = False) -> str | None:
    """Return why the vault stays closed."""
    return refusal(Asker(frozenset(desks), works_on_it=works), purpose, order, NOW, AFTER)


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (Order("open", LED), None),
        (Order("open", REOPENED), None),
        (Order("open", ENDED_LATELY), None),
        (Order("open", ENDED_LONG_AGO), "ended"),
        (Order("withdrawn", LED), "ended"),
        (Order("answered", LED), "ended"),
        (Order("linked", LED), "ended"),
        (Order("open", LED, hidden=True), "confidential"),
    ],
)
def test_a_unit_opens_what_it_works_on_until_some_time_after_its_end(order: Order, why: str | None) -> None:
    assert asked({"unit"}, order, works=True) == why
    assert asked({"unit"}, order) == "not_leading"


def test_lead_and_who_took_a_part_on_work_on_an_order_and_before_it_is_handed_over_nobody() -> None:
    assert Order("open", LED).workers == {"dept-water", "street-a"}
    assert Order("open", Facts()).workers == frozenset()


@pytest.mark.parametrize(
    ("order", "handling", "callback"),
    [
        (Order("open", Facts()), None, None),
        (Order("answered", Facts()), None, None),
        (Order("linked", Facts()), None, None),
        (Order("open", ENDED_LATELY), "ended", None),
        (Order("open", ENDED_LONG_AGO), "ended", "ended"),
        (Order("withdrawn", Facts()), "ended", "ended"),
        (Order("open", LED, hidden=True), None, None),
    ],
)
def test_a_seat_opens_what_goes_on_and_for_a_callback_what_ended_lately(
    order: Order, handling: str | None, callback: str | None
) -> None:
    assert (asked({"seat"}, order), asked({"seat"}, order, "callback")) == (handling, callback)


@given(st.sampled_from(PURPOSES), st.sampled_from([Order("withdrawn", LED), Order("open", ENDED_LONG_AGO)]))
def test_a_supervisor_opens_anything_for_a_listed_purpose(purpose: Purpose, order: Order) -> None:
    assert asked({"supervisor"}, order, purpose) is None


@pytest.mark.parametrize("purpose", ["audit", "legal"])
def test_only_a_supervisor_opens_for_an_audit_or_a_court(purpose: Purpose) -> None:
    assert asked({"seat"}, Order("open", LED), purpose) == "purpose"
    assert asked({"unit"}, Order("open", LED), purpose, works=True) == "purpose"


@given(st.sampled_from(PURPOSES), st.booleans())
def test_who_sits_at_no_desk_opens_nothing(purpose: Purpose, works: bool) -> None:
    assert asked(set(), Order("open", LED), purpose, works=works) == "role"


def test_of_several_desks_the_one_that_may_is_heard() -> None:
    assert asked({"seat", "unit"}, Order("open", ENDED_LATELY), works=True) is None
    assert asked({"seat", "unit"}, Order("withdrawn", LED), works=True) == "ended"


@pytest.mark.parametrize(
    ("state", "facts", "disputed", "why"),
    [
        ("open", LED, False, "goes_on"),
        ("answered", Facts(), False, "goes_on"),
        ("linked", Facts(), False, "goes_on"),
        ("open", REOPENED, False, "goes_on"),
        ("open", ENDED_LATELY, True, "disputed"),
        ("open", ENDED_LATELY, False, None),
        ("withdrawn", Facts(), False, None),
    ],
)
def test_what_goes_on_or_is_disputed_stays(state: State, facts: Facts, disputed: bool, why: str | None) -> None:
    assert must_stay(state, facts, disputed=disputed) == why


def test_what_is_kept_for_a_span_is_over_that_long_after_the_end_and_not_before() -> None:
    def over(facts: Facts, span: timedelta, *, disputed: bool = False) -> bool:
        return is_over("open", facts, span, NOW, disputed=disputed)

    assert over(ENDED_LATELY, AFTER)
    assert not over(ENDED_LATELY, AFTER + timedelta(seconds=1))
    assert not over(ENDED_LATELY, AFTER, disputed=True)
    assert not over(REOPENED, AFTER)
    assert not over(LED, timedelta(0))


def test_retention_is_refused_if_something_would_outlive_what_it_belongs_to() -> None:
    day = timedelta(days=1)
    with pytest.raises(ValueError, match="no longer than identity"):
        Retention(identity=100 * day, files=101 * day)
    with pytest.raises(ValueError, match="no longer than identity"):
        Retention(identity=100 * day, words=99 * day, files=day, chats=day, open_after_end=day)


@given(st.integers(min_value=0, max_value=10**9))
def test_each_wrong_code_makes_the_next_wait_longer_up_to_a_quarter_of_an_hour(wrong: int) -> None:
    assert timedelta() <= wait_after(wrong) <= wait_after(wrong + 1) <= timedelta(minutes=15)
    assert (wait_after(4), wait_after(5), wait_after(6)) == (timedelta(), timedelta(seconds=1), timedelta(seconds=2))


class Ticks:
    """A clock of seconds that the test moves."""

    at = 1000.0

    def __call__(self) -> float:
        return self.at


TICKET, OTHER = UUID(int=1), UUID(int=2)


def test_a_guesser_is_told_to_wait_and_who_has_the_right_code_is_let_in_all_the_while() -> None:
    ticks = Ticks()
    codes = GuardedCodes(b"q" * 32, ticks)
    assert not any(codes.matches(TICKET, "AAAAAAAAAA") for _ in range(5))
    with pytest.raises(Problem) as told:
        codes.matches(TICKET, "AAAAAAAAAA")
    assert (told.value.status, told.value.headers["Retry-After"]) == (429, "1")
    assert codes.matches(TICKET, codes.of(TICKET))
    assert not codes.matches(OTHER, "AAAAAAAAAA")
    ticks.at += 1
    assert not codes.matches(TICKET, "AAAAAAAAAA")
    ticks.at += 1
    with pytest.raises(Problem):
        codes.matches(TICKET, "AAAAAAAAAA")


def test_after_a_day_without_a_wrong_code_the_count_begins_anew() -> None:
    ticks = Ticks()
    codes = GuardedCodes(b"q" * 32, ticks)
    for _ in range(5):
        codes.matches(TICKET, "AAAAAAAAAA")
    ticks.at += 24 * 3600
    assert not any(codes.matches(TICKET, "AAAAAAAAAA") for _ in range(5))


def test_the_memory_of_guesses_has_an_end() -> None:
    codes = GuardedCodes(b"q" * 32, Ticks())
    for _ in range(5):
        codes.matches(UUID(int=0), "AAAAAAAAAA")
    for number in range(1, MOST + 1):
        codes._count(UUID(int=number), 0, 0.0)  # a hundred thousand real guesses would take a second
    assert not codes.matches(UUID(int=0), "AAAAAAAAAA")
    assert len(codes._wrong) == MOST
