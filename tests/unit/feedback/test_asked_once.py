"""Nobody is asked twice for one thing, whatever their tickets did and in whichever order it was heard."""

from collections import defaultdict
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.contracts.envelope import Event
from services.feedback.domain import BAD, GOOD, Sibling, asked_through
from tests.support.desk import CLOCK, OTHER, WITHDRAWN, WORDLESS, Desk, linked, received, resolved
from tests.support.stories import hearings

REPEATS = tuple(CLOCK.new_id() for _ in range(4))
PEOPLE = ("p-ma", "p-li", None)


def questions(desk: Desk) -> dict[tuple[str, int], int]:
    """Count the questions that each person was put about each round of the parent, but those that fell away."""
    found: dict[tuple[str, int], int] = defaultdict(int)
    for of, reviews in desk.reviews.items():
        for review in reviews.values():
            if review.state != "closed" and review.about == OTHER:
                found[desk.ticket(of).reporter or str(of), review.round] += 1
    return dict(found)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), mine=st.sampled_from(PEOPLE), of=st.lists(st.sampled_from(PEOPLE), min_size=4, max_size=4))
def test_each_person_is_asked_once_about_each_round_of_a_matter_they_repeated(
    data: st.DataObject, mine: str | None, of: list[str | None]
) -> None:
    people = dict(zip(REPEATS, of, strict=True))
    streams: list[list[tuple[UUID, Event]]] = [[(OTHER, received(reporter=mine))], [(OTHER, resolved())]]
    streams += [[(id_, linked(reporter=who))] for id_, who in people.items()]
    desk = Desk()
    for heard_of, event in data.draw(hearings(streams)):
        desk.hear(event, of=heard_of)
    everyone = {mine or str(OTHER), *(who or str(id_) for id_, who in people.items())}
    assert questions(desk) == dict.fromkeys(((who, 1) for who in everyone), 1)
    desk.says(BAD, of=OTHER).hear(resolved(2), of=OTHER).says(GOOD, of=OTHER)
    assert questions(desk) | dict.fromkeys(((who, 2) for who in everyone), 1) == questions(desk)
    assert {desk.outcome(id_) for id_ in REPEATS} == {"linked"}


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_who_answered_is_not_asked_again_though_an_earlier_ticket_of_theirs_joins_or_one_is_taken_back(
    data: st.DataObject,
) -> None:
    first, *others = data.draw(st.permutations(REPEATS))
    desk = Desk().hear(received(), resolved(), of=OTHER).hear(linked(reporter="p-li"), of=first).says(GOOD, of=first)
    for id_ in others:
        desk.hear(linked(reporter="p-li"), of=id_)
    assert questions(desk)["p-li", 1] == 1
    desk.hear(WITHDRAWN, of=data.draw(st.sampled_from(others)))
    assert questions(desk)["p-li", 1] == 1


def test_whose_pseudonym_was_deleted_is_known_by_none() -> None:
    desk = Desk().hear(received(reporter="p-ma"), resolved()).hear(WORDLESS)
    assert desk.ticket().reporter is None
    assert "p-ma" not in str(desk.tx.held)


def test_who_was_asked_goes_before_who_came_first() -> None:
    early, late = sorted(REPEATS[:2])
    assert asked_through([Sibling(late, asked=False), Sibling(early, asked=False)]) == early
    assert asked_through([Sibling(late, asked=True), Sibling(early, asked=False)]) == late
