"""Orders: what facts make of them, what people may do to them, and that the order of hearing does not matter."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.contracts.classify import TicketClassified, TicketReclassified
from libs.common.contracts.dispatch import (
    TicketDispatched,
    TicketReassigned,
    TicketRecalled,
    TicketResolved,
    TicketRuled,
)
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.feedback import TicketClosed, TicketReopened
from libs.common.contracts.intake import TicketAnswered, TicketLinked, TicketUnlinked, TicketWithdrawn
from libs.common.contracts.vocabulary import Place, Receipt
from libs.common.messaging.transaction import Aggregate, Speaker, Tx
from services.dispatch.domain import (
    TRANSITIONS,
    Command,
    Facts,
    Matter,
    NotPossibleError,
    Order,
    Step,
    accept,
    contact,
    decide,
    hand_back,
    progress,
    reassign,
    resolve,
    rule,
)
from services.dispatch.handlers import MEMORY
from services.dispatch.routing import Router
from tests.support.stages import NOON, ManualClock

CLOCK = ManualClock()
TICKET = CLOCK.new_id()
RECEIPT = Receipt(number="20260302-0000001", channel="phone", text="家里没水", received_at=NOON)
WANGJING = Place(
    district="110105", district_name="朝阳区", street="s-110105026", street_name="望京街道", confidence=0.9
)
JUDGED = {
    "receipt": RECEIPT, "code": "water-01-01", "category": ("供水排水", "自来水供应", "突然停水"), "kind": "help",
    "urgency": "livelihood", "confidence": 0.9, "summary": "停水", "owner_kind": "company", "owner": "co-water",
    "judged_by": "model", "model": "m", "catalogue": "c",
}  # fmt: skip
WATER = TicketClassified.model_validate(JUDGED)
STREET = TicketReclassified.model_validate(
    JUDGED | {"owner_kind": "street", "owner": None, "place": WANGJING, "previous": "water-01-01", "reason": "小区自管"}
)
HELPED = STREET.model_copy(update={"co_handlers": ("dept-water",), "urgency": "general"})
WITHDRAWN = TicketWithdrawn(at=NOON)
LINKED = TicketLinked(**RECEIPT.model_dump(), parent=UUID(int=1), reason="重复")
UNLINKED = TicketUnlinked(parent=UUID(int=1), reason="不是同一件事")
ANSWERED = TicketAnswered(**RECEIPT.model_dump(), answer="已答复")
REOPENED = TicketReopened(reason="not_solved", round=2, at=NOON)


class Life:
    """One ticket as dispatch lives it, without a database: facts learned for real, decisions made for real."""

    def __init__(self, router: Router) -> None:
        self.router = router
        self.order: Order | None = None
        self.said: list[Event] = []
        self.sequence = 0
        self.tx = Tx(None, Speaker("dispatch", frozenset(), CLOCK.now, CLOCK.new_id))
        self.tx.held[str(TICKET)] = Aggregate(1, {})

    def hear(self, *events: Event) -> "Life":
        for event in events:
            self.sequence += 1
            envelope = Envelope(CLOCK.new_id(), str(TICKET), NOON, self.sequence, event)
            for facts in MEMORY.learn(self.tx, [envelope]).values():
                self._decide(facts)
        return self

    def _decide(self, facts: Facts) -> None:
        route = self.router.route(facts.classified.matter) if facts.classified else None
        ruling = decide(TICKET, facts, self.order, route, NOON)
        assert decide(TICKET, facts, ruling.order, route, NOON).events == (), "a decision asked twice must rest"
        self.order, self.said = ruling.order, [*self.said, *ruling.events]

    def do(self, act: Callable[[Order], Step]) -> "Life":
        self.order, events = act(self.now)
        self.said += events
        return self

    @property
    def now(self) -> Order:
        assert self.order
        return self.order

    @property
    def matter(self) -> Matter:
        judged = MEMORY.of(self.tx, str(TICKET)).classified
        assert judged
        return judged.matter

    @property
    def names(self) -> list[str]:
        return [event.name.removeprefix("ticket.") for event in self.said]


@pytest.fixture
def life(router: Router) -> Life:
    return Life(router)


def sign(order: Order) -> Step:
    return accept(order, NOON)


def give_back(order: Order) -> Step:
    return hand_back(order, "not_our_duty", "不归我们管", NOON)


def test_a_classified_ticket_is_dispatched_to_its_lead(life: Life) -> None:
    life.hear(WATER)
    assert (life.now.state, life.now.unit_code, life.now.round) == ("dispatched", "co-water", 1)
    assert (life.names, life.now.text) == (["dispatched"], "家里没水")


@pytest.mark.parametrize("end", [WITHDRAWN, LINKED, ANSWERED])
def test_a_ticket_that_ended_before_it_was_classified_is_never_dispatched(life: Life, end: Event) -> None:
    assert life.hear(end, WATER).order is None
    assert life.said == []


def test_a_newer_judgement_moves_an_order_nobody_signed_for(life: Life) -> None:
    life.hear(WATER, STREET)
    moved = life.said[-1]
    assert isinstance(moved, TicketReassigned)
    assert (moved.unit.code, moved.previous.code, moved.district) == ("s-110105026", "co-water", "110105")


def test_a_newer_judgement_of_a_signed_order_changes_what_it_is_but_not_whose(life: Life) -> None:
    life.hear(WATER).do(sign).hear(HELPED)
    assert (life.now.unit_code, life.now.state, life.now.urgency) == ("co-water", "accepted", "general")
    assert life.names == ["dispatched", "accepted"]


def test_an_ended_ticket_takes_its_order_back_and_obeys_nobody(life: Life) -> None:
    life.hear(WATER).do(sign).hear(WITHDRAWN)
    assert isinstance(life.said[-1], TicketRecalled)
    with pytest.raises(NotPossibleError, match="recalled"):
        progress(life.now, "在修", NOON)


def test_an_unlinked_ticket_is_dispatched_again_in_its_round_to_the_lead_that_signed(life: Life) -> None:
    life.hear(WATER).do(sign).hear(LINKED, STREET, UNLINKED)
    assert life.names == ["dispatched", "accepted", "recalled", "dispatched"]
    assert (life.now.unit_code, life.now.round, life.now.accepted_at) == ("co-water", 1, None)


def test_a_reopened_ticket_goes_back_to_its_lead_in_a_new_round(life: Life) -> None:
    life.hear(WATER).do(sign).do(lambda order: contact(order, "phone", None, NOON))
    life.do(lambda order: resolve(order, "修好了", NOON)).hear(STREET, closed(1), REOPENED)
    again = life.said[-1]
    assert isinstance(again, TicketDispatched)
    assert (again.unit.code, again.round, again.rule) == ("co-water", 2, "reopened")
    assert (life.now.state, life.now.contacted_at, life.now.reply) == ("dispatched", None, None)


def test_a_closed_ticket_closes_its_order(life: Life) -> None:
    life.hear(WATER).do(sign).do(lambda order: resolve(order, "修好了", NOON)).hear(closed(1))
    assert (life.now.state, life.names[-1]) == ("closed", "resolved")


def test_the_first_contact_of_a_round_stays_the_first(life: Life) -> None:
    life.hear(WATER).do(sign).do(lambda order: contact(order, "phone", None, NOON))
    life.do(lambda order: contact(order, "visit", "上门", NOON + timedelta(hours=1)))
    assert life.now.contacted_at == NOON
    life.do(lambda order: resolve(order, "修好了", NOON))
    done = life.said[-1]
    assert isinstance(done, TicketResolved)
    assert done.contacted


def test_a_refused_return_stays_with_the_unit_and_no_judgement_moves_it(life: Life) -> None:
    life.hear(WATER).do(give_back).do(lambda order: rule(order, None, "属于你们", None, NOON)).hear(STREET)
    ruled = next(event for event in life.said if isinstance(event, TicketRuled))
    assert (ruled.upheld, ruled.unit.code, ruled.ground) == (False, "co-water", "not_our_duty")
    assert (life.now.state, life.now.unit_code, life.now.returns) == ("dispatched", "co-water", 1)


def test_an_upheld_return_moves_the_order_and_says_both(life: Life) -> None:
    life.hear(WATER).do(give_back)
    to = life.router.chosen("dept-water", "ruled", "裁定改派：确实不归你们", life.matter)
    life.do(lambda order: rule(order, to, "确实不归你们", "water-01-02", NOON))
    assert life.names == ["dispatched", "returned", "ruled", "reassigned"]
    assert (life.now.unit_code, life.now.tried, life.now.return_ground) == ("dept-water", ("co-water",), None)


def test_a_person_cannot_move_an_order_to_where_it_is(life: Life) -> None:
    life.hear(WATER)
    route = life.router.route(life.matter)
    with pytest.raises(NotPossibleError, match="already"):
        reassign(life.now, route, NOON)


@pytest.mark.parametrize("command", TRANSITIONS)
def test_a_command_from_a_state_outside_the_table_is_refused(life: Life, command: Command) -> None:
    life.hear(WATER)
    route = life.router.route(life.matter)
    acts: dict[Command, Callable[[Order], Step]] = {
        "accept": sign,
        "contact": lambda order: contact(order, "phone", None, NOON),
        "progress": lambda order: progress(order, "在修", NOON),
        "return": give_back,
        "rule": lambda order: rule(order, route, "对", None, NOON),
        "reassign": lambda order: reassign(order, route, NOON),
        "resolve": lambda order: resolve(order, "修好了", NOON),
    }
    for state in ("dispatched", "accepted", "in_progress", "returned", "resolved", "recalled", "closed"):
        order = replace(life.now, state=state, unit_code="dept-market", return_ground="unclear")
        if state in TRANSITIONS[command].sources:
            assert acts[command](order)[0].state == TRANSITIONS[command].to
        else:
            with pytest.raises(NotPossibleError, match=state):
                acts[command](order)


def closed(round_: int) -> TicketClosed:
    return TicketClosed(outcome="unsolved", round=round_, at=NOON)


Heard = st.SearchStrategy[list[Event]]
CLASSIFY: Heard = st.sampled_from([[WATER], [WATER, STREET], [WATER, STREET, HELPED], [STREET, HELPED]])
INTAKE: Heard = st.sampled_from(
    [
        [],
        [WITHDRAWN],
        [LINKED],
        [LINKED, UNLINKED],
        [LINKED, UNLINKED, WITHDRAWN],
        [LINKED, UNLINKED, LINKED],
        [ANSWERED],
    ]
)
FEEDBACK: Heard = st.sampled_from(
    [[], [closed(1)], [REOPENED], [closed(1), REOPENED], [closed(1), REOPENED, closed(2)]]
)


@st.composite
def interleavings(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """Draw two orders of hearing the same events, each emitter's own order kept."""
    streams = [draw(CLASSIFY), draw(INTAKE), draw(FEEDBACK)]
    return merged(draw, streams), merged(draw, streams)


def merged(draw: st.DrawFn, streams: Sequence[Sequence[Event]]) -> list[Event]:
    turns = draw(st.permutations([number for number, stream in enumerate(streams) for _ in stream]))
    heads = [iter(stream) for stream in streams]
    return [next(heads[number]) for number in turns]


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
