"""One ticket as dispatch lives it, without a database, and the events that other stages tell it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from libs.common.contracts.classify import TicketClassified, TicketReclassified
from libs.common.contracts.dispatch import ReturnGround
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.feedback import TicketClosed, TicketReopened
from libs.common.contracts.intake import (
    TicketAnswered,
    TicketErased,
    TicketLinked,
    TicketReceived,
    TicketWithdrawn,
)
from libs.common.contracts.vocabulary import Place, Receipt
from libs.common.messaging.transaction import Aggregate, Speaker, Tx
from services.dispatch.domain import (
    Claim,
    Facts,
    Matter,
    Order,
    Return,
    ReturnStep,
    Route,
    Step,
    Verdict,
    accept,
    decide,
    follow,
    hand_back,
    overturned,
    rule,
)
from services.dispatch.handlers import MEMORY
from services.dispatch.routing import Router
from tests.support.stages import NOON, ManualClock

CLOCK = ManualClock()
TICKET = CLOCK.new_id()
RECEIPT = Receipt(number="20260302-0000001", channel="phone", text="家里没水", received_at=NOON)
WANGJING = Place(
    district="110105", district_name="朝阳区", street="s-110105026", street_name="望京街道", confidence=0.9,
    matched=("花家地",),
)  # fmt: skip
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
RECEIVED = TicketReceived(**RECEIPT.model_dump())
WITHDRAWN = TicketWithdrawn(at=NOON)
LINKED = TicketLinked(**RECEIPT.model_dump(), parent=UUID(int=1), reason="重复")
ANSWERED = TicketAnswered(**RECEIPT.model_dump(), answer="已答复")
ERASED, WORDLESS = (TicketErased(words=words, at=NOON) for words in (False, True))
REOPENED = TicketReopened(reason="not_solved", round=2, at=NOON)


class Life:
    """One ticket as dispatch lives it, without a database: facts learned for real, decisions made for real."""

    def __init__(self, router: Router) -> None:
        self.router = router
        self.order: Order | None = None
        self.returns: list[Return] = []
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
        ruling = decide(TICKET, facts, self.order, route, NOON, self.router)
        again = decide(TICKET, facts, ruling.order, route, NOON, self.router)
        assert again.events == (), "a decision asked twice must rest"
        self.order, self.said = ruling.order, [*self.said, *ruling.events]
        if self.order:
            self.returns = [self._followed(one, self.order, facts) for one in self.returns]

    def _followed(self, one: Return, order: Order, facts: Facts) -> Return:
        one = follow(order, one, self.router.city.returns, NOON) if one.state == "open" else one
        return one.without_words if facts.wordless else one

    def do(self, act: Callable[[Order], Step]) -> "Life":
        self.order, events = act(self.now)
        self.said += events
        return self

    def back(self, ground: ReturnGround = "not_our_duty", at: datetime = NOON) -> "Life":
        """Return the order for its lead."""
        city, place = self.router.city, self.matter.place
        claim = Claim(ground, "不归我们管，权责清单另有规定")
        centre_after = city.routing.returns_before_centre
        made = hand_back(self.now, claim, self.returns, city.returns, centre_after, CLOCK.new_id(), place, at)
        return self._keep(made, [*self.returns, made[1]])

    def rules(self, to: str | None = None, at: datetime = NOON, *, right_code: str | None = None) -> "Life":
        """Rule on the return that is open: upheld, to the unit of this code, or refused."""
        route = self.router.chosen(to, "ruled", "裁定改派", self.matter) if to else None
        return self.rules_to(route, Verdict("对照权责清单", "centre", right_code, CLOCK.new_id()), at)

    def rules_to(self, route: Route | None, verdict: Verdict, at: datetime = NOON) -> "Life":
        wrong = {one.return_id: one for one in overturned(self.returns, route)}
        made = rule(self.now, self.returns[-1], route, verdict, at, list(wrong.values()))
        return self._keep(made, [*(wrong.get(one.return_id, one) for one in self.returns[:-1]), made[1]])

    def _keep(self, made: ReturnStep, returns: list[Return]) -> "Life":
        self.order, _, events = made
        self.returns, self.said = returns, [*self.said, *events]
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


def closed(round_: int) -> TicketClosed:
    return TicketClosed(outcome="unsolved", round=round_, at=NOON)


def sign(order: Order) -> Step:
    return accept(order, NOON)
