"""Orders: that the order in which dispatch hears of things does not matter."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.contracts.dispatch import TicketDispatched, TicketReassigned
from libs.common.contracts.envelope import Event
from services.dispatch.domain import Order, resolve
from services.dispatch.routing import Router
from tests.support.lives import (
    ANSWERED,
    ERASED,
    HELPED,
    LINKED,
    RECEIVED,
    REOPENED,
    STREET,
    TICKET,
    WATER,
    WITHDRAWN,
    WORDLESS,
    Life,
    closed,
    sign,
)
from tests.support.stages import NOON
from tests.support.stories import hearings, stories

WORDS: dict[str, Event] = {
    "received": RECEIVED, "linked": LINKED, "linked elsewhere": LINKED, "answered": ANSWERED, "withdrawn": WITHDRAWN,
}  # fmt: skip
"""What dispatch hears of intake; it does not listen to the rest."""
CLASSIFY: list[list[Event]] = [[WATER], [WATER, STREET], [WATER, STREET, HELPED], [STREET, HELPED]]
FEEDBACK: list[list[Event]] = [[], [closed(1)], [REOPENED], [closed(1), REOPENED], [closed(1), REOPENED, closed(2)]]


@st.composite
def interleavings(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """Draw two orders of hearing the same events, each emitter's own order kept."""
    intake = [WORDS[word] for word in draw(stories()) if word in WORDS]
    streams = [intake, draw(st.sampled_from(CLASSIFY)), draw(st.sampled_from(FEEDBACK))]
    return draw(hearings(streams)), draw(hearings(streams))


@settings(max_examples=300)
@given(orders=interleavings())
def test_the_same_events_in_any_order_leave_the_same_work_on_the_same_table(
    router: Router, orders: tuple[list[Event], list[Event]]
) -> None:
    first, second = (Life(router).hear(*events) for events in orders)
    assert at_work(first) == at_work(second)


def at_work(life: Life) -> Order | None:
    """An order that was handed out and taken back is as good as one that never was."""
    return life.order if life.order and life.order.open else None


@settings(max_examples=200)
@given(data=st.data(), orders=interleavings())
def test_once_the_words_were_deleted_none_is_kept_or_told_whatever_comes_later(
    router: Router, data: st.DataObject, orders: tuple[list[Event], list[Event]]
) -> None:
    events, _ = orders
    streams: list[list[Event]] = [events, [WORDLESS]]
    erased = data.draw(hearings(streams))
    whole, life = Life(router).hear(*events), Life(router)
    for event in erased:
        said_before = len(life.said)
        life.hear(event)
        if WORDLESS in erased[: erased.index(event) + 1]:
            told = " ".join(said.model_dump_json() for said in life.said[said_before:])
            assert not holds_words(told)
    assert not holds_words(str(life.order) + json.dumps(life.tx.aggregate(str(TICKET)).facts, ensure_ascii=False))
    assert bare(life.order) == bare(whole.order)


def holds_words(text: str) -> bool:
    return "家里没水" in text or "花家地" in text


def bare(order: Order | None) -> Order | None:
    return order.without_words if order else None


def test_what_was_done_stays_when_the_words_go_and_whose_it_was_is_not_dispatch_s_to_know(router: Router) -> None:
    life = Life(router).hear(RECEIVED, WATER).do(sign).do(lambda order: resolve(order, "阀门在楼道里", NOON))
    before = life.now
    assert life.hear(ERASED).now == before
    after = life.hear(WORDLESS).now
    assert (after.text, after.reply, after.address, after.why) == ("", None, None, ())
    assert (after.code, after.unit, after.state, after.resolved_at) == (
        before.code, before.unit, before.state, before.resolved_at,
    )  # fmt: skip


@settings(max_examples=200)
@given(orders=interleavings(), moment=st.integers(0, 9))
def test_once_signed_for_an_order_never_leaves_its_lead_by_itself(
    router: Router, orders: tuple[list[Event], list[Event]], moment: int
) -> None:
    events, _ = orders
    life = Life(router).hear(*events[:moment])
    if life.order is None or life.order.state != "dispatched":
        return
    lead = life.do(sign).now.unit_code
    life.hear(*events[moment:])
    assert life.now.unit_code == lead
    assert "reassigned" not in life.names[life.names.index("accepted") :]


@settings(max_examples=200)
@given(orders=interleavings())
def test_what_is_told_adds_up_to_the_lead_and_round_that_are_stored(
    router: Router, orders: tuple[list[Event], list[Event]]
) -> None:
    life = Life(router).hear(*orders[0])
    leads = [event for event in life.said if isinstance(event, TicketDispatched | TicketReassigned)]
    if life.order is None:
        assert leads == []
    else:
        assert (leads[-1].unit, leads[-1].round) == (life.now.unit, life.now.round)


@settings(max_examples=200)
@given(orders=interleavings(), moment=st.integers(0, 9))
def test_a_return_made_at_any_moment_waits_with_its_lead_or_falls_with_its_order(
    router: Router, orders: tuple[list[Event], list[Event]], moment: int
) -> None:
    events, _ = orders
    life = Life(router).hear(*events[:moment])
    if life.order is None or life.order.state != "dispatched" or life.order.desk:
        return
    lead = life.back().now.unit_code
    life.hear(*events[moment:])
    (made,) = life.returns
    assert (made.state == "open") == (life.now.state == "returned")
    assert made.state in {"open", "void"}
    assert life.now.state != "returned" or (life.now.unit_code, life.now.urgency) == (lead, made.urgency)
    assert "ruled" not in life.names
