"""The decisions of intake: what is an emergency, what is a repeat, what the citizen sees."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from libs.common.contracts.vocabulary import UnitRef
from services.intake.domain import Classified, Emergency, Entry, Facts, Moved, Ticket, emergency_in, status
from services.intake.messages import Messages
from services.intake.repeats import WINDOW, join, likeness
from tests.support.stages import CITY

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
EMERGENCIES = tuple(Emergency(e.number, e.name.zh, e.name.en, e.words) for e in load_city(CITY).emergencies)
UNIT = UnitRef(code="dept-water", name="市水务局")


def ticket(number: int, **changes: Any) -> Ticket:
    """Return a ticket; the same number is the same ticket."""
    values: dict[str, Any] = {
        "ticket_id": UUID(int=number), "number": str(number), "client": "c", "channel": "web", "kind": None,
        "title": None, "text": "路灯不亮", "reporter": "p_1", "reporter_type": "person", "anonymous": False,
        "address": None, "lat": None, "lon": None, "occurred_at": None, "received_at": NOW, "access_needs": (),
        "language": "zh", "likeness": likeness("路灯不亮", None),
    }  # fmt: skip
    return Ticket(**(values | changes))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("楼下着火了，烟很大", "119"),
        ("有人持刀在小区门口", "110"),
        ("我爸心脏病发作，快来人", "120"),
        ("去年楼下着火了，到现在没修", None),
        ("这堆纸箱我怕哪天起火了", None),
        ("小区搞消防演练说着火了怎么跑", None),
        ("路灯不亮", None),
        ("没有着火了这种事，只是冒烟味大", None),
    ],
)
def test_only_danger_of_this_minute_is_an_emergency(text: str, number: str | None) -> None:
    found = emergency_in(text, EMERGENCIES)
    assert (found.number if found else None) == number


def test_texts_are_alike_whatever_their_width_case_and_punctuation() -> None:
    assert likeness("路灯，不亮！ABC", "1号楼") == likeness("路灯 不亮 ａｂｃ。", "１号楼")
    assert likeness("路灯不亮", None) != likeness("路灯不亮", "1号楼")


def test_the_second_of_two_equal_appeals_in_one_batch_is_linked_to_the_first() -> None:
    first, second = join([ticket(1), ticket(2)], {})
    assert (first.state, second.state, second.parent) == ("open", "linked", first.ticket_id)


def test_a_repeat_of_a_linked_ticket_is_linked_to_the_root() -> None:
    linked = ticket(2, state="linked", parent=UUID(int=1))
    (third,) = join([ticket(3)], {("p_1", linked.likeness): linked})
    assert third.parent == UUID(int=1)


@pytest.mark.parametrize(
    "changes",
    [{"reporter": None}, {"reporter": "p_2"}, {"received_at": NOW + WINDOW + timedelta(seconds=1)}],
)
def test_nothing_is_joined_without_the_same_known_reporter_within_the_window(changes: dict[str, Any]) -> None:
    assert join([ticket(2, **changes)], {("p_1", ticket(1).likeness): ticket(1)})[0].state == "open"


@given(st.permutations(list(range(6))))
def test_joining_keeps_every_ticket_in_its_place(order: list[int]) -> None:
    tickets = [ticket(n + 1, reporter=None if n % 2 else "p_1") for n in order]
    assert [t.ticket_id for t in join(tickets, {})] == [t.ticket_id for t in tickets]


def moved(round_: int, minutes: int = 0) -> Moved:
    """Return a step of a round."""
    return Moved(round_, NOW + timedelta(minutes=minutes), UNIT)


WATER = Classified(("供水排水", "供水", "停水"), "livelihood")


@pytest.mark.parametrize(
    ("facts", "seen"),
    [
        (Facts(), "received"),
        (Facts(classified=WATER), "classified"),
        (Facts(led=moved(1)), "dispatched"),
        (Facts(led=moved(1), accepted=moved(1)), "accepted"),
        (Facts(led=moved(1), accepted=moved(1), working=moved(1)), "in_progress"),
        (Facts(led=moved(1), returned=moved(1, 5)), "returned"),
        (Facts(led=moved(1), returned=moved(1, 5), ruled=moved(1, 6)), "dispatched"),
        (Facts(led=moved(1, 7), returned=moved(1, 5)), "dispatched"),
        (Facts(led=moved(1, 5), accepted=moved(1), working=moved(1, 1)), "dispatched"),
        (Facts(led=moved(1), accepted=moved(1), returned=moved(1, 5), ruled=moved(1, 6)), "dispatched"),
        (Facts(led=moved(1, 5), accepted=moved(1, 6), working=moved(1, 1)), "accepted"),
        (Facts(led=moved(1), resolved=moved(1)), "resolved"),
        (Facts(resolved=moved(1), reviewed=moved(1)), "reviewed"),
        (Facts(reviewed=moved(1), closed=moved(1)), "closed"),
        (Facts(resolved=moved(1), reviewed=moved(1), reopened=moved(2)), "reopened"),
        (Facts(resolved=moved(1), reopened=moved(2), accepted=moved(2)), "accepted"),
        (Facts(closed=moved(1), reopened=moved(2), resolved=moved(2)), "resolved"),
        (Facts(closed=moved(2), reopened=moved(2)), "closed"),
    ],
)
def test_the_status_is_a_precedence_over_the_facts_present(facts: Facts, seen: str) -> None:
    assert status("open", facts) == seen


def test_a_withdrawn_ticket_stays_withdrawn_and_an_answered_one_ends_closed() -> None:
    assert status("withdrawn", Facts(closed=moved(1))) == "withdrawn"
    assert status("answered", Facts()) == "answered"
    assert status("answered", Facts(closed=moved(1))) == "closed"


def test_a_timeline_text_is_filled_by_plain_substitution() -> None:
    messages = Messages.load()
    entry = Entry(UUID(int=1), NOW, UUID(int=2), "ticket.progressed", {"unit": "{note}", "note": "{unit.__class__}"})
    assert messages.line(entry, "zh") == "{note}办理进展：{unit.__class__}"
    assert messages.line(entry, "en-GB") == "{note} reports: {unit.__class__}"


def test_every_event_that_is_told_has_a_text_in_both_languages() -> None:
    from services.intake.handlers.following import ORDER  # noqa: PLC0415 only this test looks inside

    texts = Messages.load().texts["event"]
    assert not [name for name in ORDER if texts.get(name, {}).keys() != {"zh", "en"}]
