"""Asking: that the order in which feedback hears of things does not matter."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.contracts.envelope import Event
from services.feedback.domain import GOOD, Answer
from tests.support.desk import (
    CLASSIFIED,
    OTHER,
    RECLASSIFIED,
    THIRD,
    TICKET,
    UNIT,
    WITHDRAWN,
    WORDLESS,
    Desk,
    answered,
    breached,
    contacted,
    linked,
    met,
    received,
    resolved,
    screened,
)
from tests.support.stories import hearings, stories

BESIDE: list[list[Event]] = [
    [CLASSIFIED, RECLASSIFIED],
    [contacted(), resolved(contacted=True)],
    [breached("response"), met("response", in_time=False), met("completion")],
]
WORDS: dict[str, Event] = {
    "received": received(), "linked": linked(), "linked elsewhere": linked(THIRD), "answered": answered(),
    "withdrawn": WITHDRAWN, "screened": screened(), "lifted": screened(lifted=True),
}  # fmt: skip
"""What feedback hears of intake; it does not listen to the rest."""
Heard = tuple[UUID, Event]


@settings(max_examples=300, deadline=None)
@given(data=st.data(), story=stories())
def test_the_same_news_in_any_order_ends_in_the_same_state(data: st.DataObject, story: list[str]) -> None:
    streams: list[list[Heard]] = [[(TICKET, WORDS[word]) for word in story if word in WORDS]]
    streams += [[(TICKET, event) for event in said] for said in BESIDE]
    streams += [[(OTHER, received())], [(OTHER, contacted()), (OTHER, resolved())], [(THIRD, received())]]
    one, other = (heard(data.draw(hearings(streams))) for _ in range(2))
    assert one.state() == other.state()
    assert one.says(GOOD, of=OTHER).state() == other.says(GOOD, of=OTHER).state()


@settings(max_examples=300, deadline=None)
@given(data=st.data(), story=stories())
def test_once_the_words_were_deleted_none_is_kept_whatever_comes_later_and_nothing_else_changes(
    data: st.DataObject, story: list[str]
) -> None:
    streams: list[list[Heard]] = [[(TICKET, WORDS[word]) for word in story if word in WORDS]]
    streams += [[(TICKET, event) for event in said] for said in BESIDE]
    streams += [[(OTHER, received())], [(OTHER, contacted()), (OTHER, resolved())], [(THIRD, received())]]
    order = data.draw(hearings(streams))
    whole, desk = heard(order), heard(data.draw(hearings([order, [(TICKET, WORDLESS)]])))
    for one in (whole, desk):
        for review in one.reviews.get(TICKET, {}).values():
            if review.state == "requested":
                one.says(Answer("yes", 4, "谢谢师傅", explained=True))
    kept = str(desk.tickets[TICKET]) + str(desk.reviews.get(TICKET))
    kept += json.dumps(desk.tx.aggregate(str(TICKET)).facts, ensure_ascii=False)
    assert [word for word in ("已修好", "请拨打自来水热线", "谢谢师傅") if word in kept] == []
    assert bare(desk) == bare(whole)


def bare(desk: Desk) -> Any:
    """What is known of the ticket without its words."""
    ticket, reviews = desk.tickets[TICKET], desk.reviews.get(TICKET, {})
    word = replace(ticket.word, reply="") if ticket.word else None
    counting = {n: review.without_words for n, review in reviews.items() if review.state != "closed"}
    return replace(ticket, word=word), counting


def heard(events: Sequence[Heard]) -> Desk:
    desk = Desk()
    for of, event in events:
        desk.hear(event, of=of)
    return desk


Life = dict[str, list[tuple[int, Event]]]


def lived(data: st.DataObject, life: Life, words: Sequence[Answer]) -> Desk:
    """Let each emitter speak once the ticket is in that round, and the citizen when asked, in a drawn order."""
    waiting, words = {name: list(said) for name, said in life.items()}, list(words)
    desk = Desk()
    while True:
        choices = [name for name, left in waiting.items() if left and left[0][0] <= desk.ticket().round]
        asked = [r for r in desk.reviews.get(TICKET, {}).values() if r.state == "requested"]
        choices += ["citizen"] if asked else []
        if not choices:
            return desk
        name = data.draw(st.sampled_from(choices))
        if name == "citizen":
            desk.says(words.pop(0))
        else:
            desk.hear(waiting[name].pop(0)[1])


NOT_DONE = Answer("no", 2, "没修好")


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_whole_life_ends_the_same_whatever_was_heard_first(data: st.DataObject) -> None:
    """The citizen says no to round 1 and yes to round 2; dispatch and sla begin round 2 once the ticket is reopened."""
    life: Life = {
        "intake": [(1, received())],
        "classify": [(1, CLASSIFIED), (2, RECLASSIFIED)],
        "dispatch": [(1, contacted(1)), (1, resolved(1)), (2, contacted(2)), (2, resolved(2))],
        "sla": [(1, breached("completion", 1)), (1, met("completion", 1, in_time=False)), (2, met("completion", 2))],
    }
    desk = lived(data, life, [NOT_DONE, GOOD])
    first, second = desk.reviews[TICKET][1], desk.reviews[TICKET][2]
    assert desk.outcome() == "solved"
    assert (first.contacted, first.completion_in_time, first.resolved) == (True, False, "no")
    assert (second.contacted, second.completion_in_time, second.resolved) == (True, True, "yes")
    assert {first.urgency, second.urgency} == {"urgent"}


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_the_life_of_an_answer_that_was_none_ends_the_same_whatever_was_heard_first(data: st.DataObject) -> None:
    """A seat answers, the citizen says no; intake receives the ticket once more, and a unit does the work."""
    life: Life = {
        "intake": [(1, answered()), (2, received()), (2, screened())],
        "classify": [(1, CLASSIFIED), (2, RECLASSIFIED)],
        "dispatch": [(2, contacted(2)), (2, resolved(2))],
        "sla": [(2, met("completion", 2))],
    }
    desk = lived(data, life, [NOT_DONE, GOOD])
    first, second = desk.reviews[TICKET][1], desk.reviews[TICKET][2]
    assert (desk.outcome(), desk.ticket().round) == ("solved", 2)
    assert (first.unit, first.resolved, second.unit, second.resolved) == (None, "no", UNIT, "yes")
    assert (second.contacted, second.completion_in_time, second.excluded) == (True, True, True)
