"""The decisions of intake: what the citizen sees."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.common.contracts.vocabulary import UnitRef
from services.intake.domain import Classified, Entry, Facts, Moved, Ticket, status
from services.intake.messages import Messages

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
UNIT = UnitRef(code="dept-water", name="市水务局")


def ticket(number: int, **changes: Any) -> Ticket:
    """Return a ticket; the same number is the same ticket."""
    values: dict[str, Any] = {
        "ticket_id": UUID(int=number), "number": str(number), "client": "c", "channel": "web", "kind": None,
        "title": None, "text": "路灯不亮", "reporter": "p_1", "reporter_type": "person", "anonymous": False,
        "address": None, "lat": None, "lon": None, "occurred_at": None, "received_at": NOW, "access_needs": (),
        "language": "zh",
    }  # fmt: skip
    return Ticket(**(values | changes))


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
