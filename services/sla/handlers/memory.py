"""What sla remembers of the other stages' events."""

from libs.common.contracts import classify, dispatch, feedback, intake
from libs.common.contracts.vocabulary import Receipt
from libs.common.messaging.facts import Memory
from services.sla.domain import Again, Classified, Done, Facts, Led, Received, Returned
from services.sla.domain.facts import Stop


def _received(receipt: Receipt) -> Received:
    return Received(
        receipt.received_at, "elderly" in receipt.access_needs, receipt.number, receipt.access_needs, receipt.channel,
        receipt.reporter_type,
    )  # fmt: skip


def _classified(event: classify.Judgement) -> Classified:
    level1, *below = event.category
    return Classified(event.urgency, event.elderly, _received(event.receipt), event.code, level1, tuple(below))


def _reached(event: dispatch.TicketContacted) -> str | None:
    return "contacted" if event.reached else None


def _again(event: feedback.TicketReopened) -> Again:
    return Again(event.round, None if event.reason == "ruling" else event.at, event.reason)


def _closed_as(event: feedback.TicketClosed) -> Stop:
    """Return why a clock stops that still runs then: of what was done by a unit, its word was lost on the way."""
    return event.outcome if event.outcome in {"linked", "withdrawn"} else "answered"


def _unsolved(event: feedback.TicketClosed) -> Done | None:
    return Done(event.round, event.at) if event.outcome == "unsolved" else None


MEMORY = Memory(
    Facts,
    {
        intake.TicketReceived: {"received": _received, "ended": lambda _: None},
        intake.TicketWithdrawn: ("withdrawn", lambda _: True),
        intake.TicketLinked: {"ended": lambda _: "linked", "broken_off": lambda _: "linked"},
        intake.TicketAnswered: {
            "ended": lambda _: "answered",
            "broken_off": lambda _: "answered",
            "certain": lambda _: False,
        },
        classify.TicketClassified: ("classified", _classified),
        classify.TicketReclassified: ("classified", _classified),
        dispatch.TicketDispatched: ("dispatched", lambda event: Led(event.unit, event.at, event.urgency)),
        dispatch.TicketReassigned: ("reassigned", lambda event: Led(event.unit, event.at)),
        dispatch.TicketContacted: (_reached, lambda event: Done(event.round, event.first_at)),
        dispatch.TicketResolved: ("resolved", lambda event: Done(event.round, event.at)),
        dispatch.TicketReturned: ("returned", lambda event: Returned(event.returns, event.at)),
        dispatch.TicketRuled: ("ruled", lambda event: event.at),
        feedback.TicketReopened: ("reopened", _again),
        feedback.TicketClosed: {
            "closed": lambda event: event.round,
            "closed_as": _closed_as,
            "unsolved": _unsolved,
        },
        intake.TicketErased: (lambda event: "wordless" if event.words else None, lambda _: True),
    },
)
