"""Returns 退单 and the rulings on them 裁定: who may still say that an order is not its own, and what a ruling binds.

A return moves nothing. The order leads on with its unit, the citizen's clock runs on, and only a ruling sends it
elsewhere; the last one, of the centre, is final.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.city.returns import Ground, Returns
from libs.common.contracts.dispatch import Against, ReturnGround, TicketEscalated, TicketReturned, TicketRuled
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import Place, UnitRef, Urgency
from services.dispatch.domain.orders import Order, Route, told
from services.dispatch.domain.working import NotPossibleError, enter, move

ReturnState = Literal["open", "upheld", "overturned", "refused", "void"]
Bar = Literal["desk", "unlisted", "final", "ruled", "bound", "late"]
BY_HAND = frozenset({"reassigned", "ruled", "handover"})
"""What stands in place of a rule where a person named the lead."""
BY_MODEL = "learned"
BY_ITSELF = "self"


class ReturnBarredError(NotPossibleError):
    """A return that may not be made any more: which `bar` holds it, and the instant that this hangs on, if one does."""

    def __init__(self, bar: Bar, at: datetime | None = None) -> None:
        super().__init__(bar)
        self.bar = bar
        self.at = at


class EvidenceError(Exception):
    """A return without what proves its ground: `field` is what lacks, `least` how much of it there must be."""

    def __init__(self, field: Literal["note", "files"], least: int) -> None:
        super().__init__(f"{field} must be at least {least}")
        self.field = field
        self.least = least


@dataclass(frozen=True, slots=True)
class Return:
    """One return of an order, with the ruling on it once there is one.

    `turn` counts the returns of the ticket. `rule` had sent the order to the unit, by the version `rules`. `centre`: by
    the rules of returns only the centre rules on it, and for good. `needs_look`: it is not upheld before someone looked
    on the spot. `escalated_at` is when its time for a ruling was over. `to_code` leads by the ruling. It is
    `overturned` if it was upheld, and the final ruling sent the order back to the unit after all. A `void` return was
    ruled on by nobody: its order ended, or began another round.
    """

    return_id: UUID
    ticket_id: UUID
    number: str
    round: int
    turn: int
    state: ReturnState
    unit_code: str
    unit_name: str
    ground: ReturnGround
    note: str
    files: int
    at: datetime
    due_at: datetime
    urgency: Urgency
    centre: bool
    needs_look: bool
    rule: str
    rules: str
    code: str
    category: tuple[str, str, str]
    district: str | None = None
    street: str | None = None
    escalated_at: datetime | None = None
    ended_at: datetime | None = None
    by: str | None = None
    ruling: str | None = None
    to_code: str | None = None
    to_name: str | None = None
    right_code: str | None = None
    against: Against | None = None
    verification: UUID | None = None

    @property
    def unit(self) -> UnitRef:
        """Who returned the order."""
        return UnitRef(code=self.unit_code, name=self.unit_name)

    @property
    def ruled(self) -> bool:
        """Whether there is a ruling."""
        return self.state in {"upheld", "overturned", "refused"}

    @property
    def final(self) -> bool:
        """Whether its ruling was the last."""
        return self.ruled and self.centre

    @property
    def for_centre(self) -> bool:
        """Whether only the centre may rule on it."""
        return self.centre or self.escalated_at is not None

    @property
    def without_words(self) -> "Return":
        """The return without what anybody wrote."""
        return replace(self, note="", ruling=None)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a unit says when it returns an order: the ground, why, and how many files it brought."""

    ground: ReturnGround
    note: str
    files: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is ruled. `by` is the key's name, `verification` the look on the spot that it rests on."""

    note: str
    by: str
    right_code: str | None = None
    verification: UUID | None = None


ReturnStep = tuple[Order, Return, list[Event]]


def hand_back(
    order: Order, claim: Claim, past: Sequence[Return], terms: Returns, centre_after: int,
    return_id: UUID, place: Place | None, now: datetime,
) -> ReturnStep:  # fmt: skip
    """Say that the order is not this unit's. `past` are the ticket's returns so far, in their order.

    Raises NotPossibleError if the order's state or what was ruled bars it, EvidenceError if the ground is not proved.
    """
    returned = enter(order, "return")
    ground = _listed(order, claim, terms)
    _check_bars(order, ground, past, terms, now)
    _check_evidence(ground, claim)
    made = Return(
        return_id=return_id, ticket_id=order.ticket_id, number=order.number, round=order.round, turn=order.returns + 1,
        state="open", unit_code=order.unit_code, unit_name=order.unit_name, ground=claim.ground, note=claim.note,
        files=claim.files, at=now, due_at=now + terms.ruling[order.urgency], urgency=order.urgency,
        centre=order.returns + 1 >= centre_after or _ruled_to_lead(order, past),
        needs_look=order.bound == order.unit_code, rule=order.rule, rules=order.rules, code=order.code,
        category=order.category, district=place.district if place else None, street=place.street if place else None,
    )  # fmt: skip
    returned = replace(returned, returns=made.turn, return_ground=claim.ground, return_note=claim.note)
    said = TicketReturned(
        **told(returned, now), ground=claim.ground, note=claim.note, returns=made.turn, return_id=return_id,
        due_at=made.due_at, centre=made.centre, evidence=claim.files,
    )  # fmt: skip
    return returned, made, [said]


def _listed(order: Order, claim: Claim, terms: Returns) -> Ground:
    ground = terms.ground(claim.ground)
    if ground is None:
        raise ReturnBarredError("unlisted")
    if order.desk:
        raise ReturnBarredError("desk")
    return ground


def _check_bars(order: Order, ground: Ground, past: Sequence[Return], terms: Returns, now: datetime) -> None:
    if last := next((one for one in past if one.final), None):
        raise ReturnBarredError("final", last.ended_at)
    mine = (one for one in past if one.unit_code == order.unit_code and one.ground == ground.code)
    if refused := next((one for one in mine if one.state == "refused"), None):
        raise ReturnBarredError("ruled", refused.ended_at)
    if order.bound == order.unit_code and not ground.on_the_spot:
        raise ReturnBarredError("bound")
    until = order.dispatched_at + (ground.within or terms.within)[order.urgency]
    if now > until:
        raise ReturnBarredError("late", until)


def _check_evidence(ground: Ground, claim: Claim) -> None:
    if len(claim.note) < ground.note:
        raise EvidenceError("note", ground.note)
    if claim.files < ground.files:
        raise EvidenceError("files", ground.files)


def _ruled_to_lead(order: Order, past: Sequence[Return]) -> bool:
    """Whether the last ruling said that this unit leads."""
    ruled = [one for one in past if one.ruled]
    return bool(ruled) and ruled[-1].to_code == order.unit_code


def rule(
    order: Order, pending: Return, to: Route | None, verdict: Verdict, now: datetime, wrong: Sequence[Return] = ()
) -> ReturnStep:  # fmt: skip
    """Rule on a return: upheld, the order moves to `to`; refused (None), it stays, to be signed for again.

    `wrong` are the earlier returns that this one overturns.

    Raises NotPossibleError if no return is open, if it is upheld before anyone looked on the spot though it must be, or
    if it went back to a unit whose own return was upheld; that only a final ruling does.
    """
    before = enter(order, "rule")
    if to and pending.needs_look and verdict.verification is None:
        raise NotPossibleError("this unit spoke with the citizen: have a third unit look on the spot, and cite it")
    if to and to.unit.code in order.tried and not pending.centre:
        raise NotPossibleError("it was ruled already that the order is not that unit's; only the centre says otherwise")
    ruled = replace(before, settled=True, accepted_at=None, return_ground=None, return_note=None)
    said: list[Event] = []
    if to:
        ruled, said = move(replace(ruled, tried=(*order.tried, order.unit_code)), to, now)
    ended = replace(
        pending, state="upheld" if to else "refused", ended_at=now, by=verdict.by, ruling=verdict.note,
        to_code=ruled.unit_code, to_name=ruled.unit_name, right_code=verdict.right_code,
        against=_against(pending, verdict.right_code) if to else "unit", verification=verdict.verification,
    )  # fmt: skip
    told_of = TicketRuled(
        **told(ruled, now), upheld=to is not None, ground=pending.ground, note=verdict.note,
        right_code=verdict.right_code, return_id=pending.return_id, returned_by=pending.unit, against=ended.against,
        against_rule=pending.rule if to else None, final=ended.final, verification=verdict.verification,
        overturns=tuple(one.return_id for one in wrong),
    )  # fmt: skip
    return ruled, ended, [told_of, *said]


def overturned(past: Sequence[Return], to: Route | None) -> list[Return]:
    """Return the returns of a ticket that were upheld, if their unit is to lead after all: they count against it."""
    code = to.unit.code if to else None
    return [replace(r, state="overturned", against="unit") for r in past if (r.state, r.unit_code) == ("upheld", code)]


def _against(pending: Return, right_code: str | None) -> Against:
    """Return what had sent the order to a unit that rightly returned it."""
    if (right_code and right_code != pending.code) or pending.rule == BY_MODEL:
        return "model"
    if pending.rule == BY_ITSELF:
        return "unit"
    return "person" if pending.rule in BY_HAND else "routing"


def lapse(order: Order, pending: Return, now: datetime) -> tuple[Return, list[Event]]:
    """Let the time for a ruling be over: the order stays with its unit, and the centre rules."""
    late = replace(pending, escalated_at=now)
    said = TicketEscalated(**told(order, now), ground=late.ground, return_id=late.return_id, due_at=late.due_at)
    return late, [said]


def follow(order: Order, pending: Return, terms: Returns, now: datetime) -> Return:
    """Bring an open return to where its order is: void if nothing waits for a ruling, sooner due in a graver class."""
    if order.state != "returned" or order.round != pending.round:
        return replace(pending, state="void", ended_at=now)
    if order.urgency == pending.urgency or pending.escalated_at:
        return pending
    due_at = min(pending.due_at, pending.at + terms.ruling[order.urgency])
    return replace(pending, urgency=order.urgency, due_at=due_at)
