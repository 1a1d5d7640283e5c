"""The record: every round of every ticket as it went, and every ruled return against whom it counts."""

from datetime import timedelta
from uuid import UUID

from libs.common.contracts.dispatch import TicketResolved, TicketRuled
from libs.common.contracts.intake import TicketSupported
from libs.common.contracts.sla import ClockBreached
from libs.common.contracts.vocabulary import ClockName, UnitRef
from services.feedback.domain import BAD, GOOD, Case, bounced
from tests.support.desk import CLASSIFIED, CLOCK, OTHER, TICKET, UNIT, WITHDRAWN, Desk, breached, linked, met, received
from tests.support.stages import NOON

SIGNED, SPOKE, DONE = (NOON + timedelta(hours=hours) for hours in (1, 2, 3))
REST = UnitRef(code="co-water", name="自来水集团")


def done(round_: int = 1, unit: UnitRef = UNIT) -> TicketResolved:
    return TicketResolved(
        unit=unit, reply="已修好", round=round_, at=DONE, contacted=True, evidence=2, reply_faults=("no_date",),
        dispatched_at=NOON, accepted_at=SIGNED, contacted_at=SPOKE, returns=1,
    )  # fmt: skip


def ruled(return_id: UUID | None, upheld: bool, **more: object) -> TicketRuled:
    return TicketRuled.model_validate(
        {
            "upheld": upheld, "unit": UNIT, "ground": "not_our_duty", "note": "", "round": 1, "at": NOON,
            "return_id": return_id, "returned_by": REST, "against": "routing" if upheld else "unit",
            "against_rule": "duty" if upheld else None, **more,
        }
    )  # fmt: skip


def passed(clock: ClockName) -> ClockBreached:
    return breached(clock).model_copy(update={"unit": UNIT})


def only(desk: Desk, of: UUID = TICKET) -> Case:
    (case,) = desk.cases[of]
    return case


def test_a_case_holds_what_the_appeal_is_and_how_the_unit_went() -> None:
    case = only(Desk().hear(received(), CLASSIFIED, TicketSupported(support=3, at=NOON), done(), met("completion")))
    assert (case.code, case.category, case.urgency, case.channel) == (
        "water-01-01", ("供水排水", "自来水供应", "突然停水"), "livelihood", "phone",
    )  # fmt: skip
    assert (case.unit, case.dispatched_at, case.accepted_at, case.contacted_at) == (UNIT, NOON, SIGNED, SPOKE)
    assert (case.resolved_at, case.evidence, case.reply_faults, case.returns) == (DONE, 2, ("no_date",), 1)
    assert (case.completion_in_time, case.response_in_time, case.support) == (True, None, 3)
    assert case.ended is None


def test_what_is_not_solved_leaves_a_round_that_was_reopened_and_one_that_goes_on() -> None:
    first, second = Desk().hear(received(), CLASSIFIED, done()).says(BAD).hear(done(2, REST)).says(GOOD).cases[TICKET]
    assert (first.round, first.ended, first.unit) == (1, "reopened", UNIT)
    assert (second.round, second.ended, second.unit) == (2, "solved", REST)


def test_a_limit_that_passed_names_who_led_until_a_unit_says_that_it_is_done() -> None:
    late = Desk().hear(received(), CLASSIFIED, passed("completion"))
    assert (only(late).unit, only(late).completion_in_time) == (UNIT, False)
    assert only(late.hear(done(1, REST))).unit == REST
    assert only(late.hear(passed("response"))).unit == REST


def test_a_repeat_is_an_appeal_that_came_and_has_no_unit() -> None:
    case = only(Desk().hear(received(), of=OTHER).hear(linked(OTHER), CLASSIFIED))
    assert (case.parent, case.unit, case.ended) == (OTHER, None, None)


def test_a_withdrawn_appeal_ends_so() -> None:
    assert only(Desk().hear(received(), CLASSIFIED, WITHDRAWN)).ended == "withdrawn"


def test_a_ruled_return_counts_once_and_against_the_unit_when_it_is_overturned() -> None:
    first, second = CLOCK.new_id(), CLOCK.new_id()
    (upheld,) = bounced(TICKET, ruled(first, upheld=True), [])
    assert (upheld.against, upheld.rule, upheld.returned_by) == ("routing", "duty", "co-water")
    turned, refused = bounced(TICKET, ruled(second, upheld=False, overturns=(first,)), [upheld])
    assert (turned.return_id, turned.against, turned.upheld, turned.rule) == (first, "unit", False, None)
    assert (refused.return_id, refused.against) == (second, "unit")


def test_a_ruling_of_an_earlier_release_counts_nowhere() -> None:
    assert bounced(TICKET, ruled(None, upheld=True), []) == []
