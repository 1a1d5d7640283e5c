"""Work before anyone appeals 未诉先办: one order to one unit, and how it ends. It is proposed by rule, or by hand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.city.seasons import Bonus
from libs.common.contracts.feedback import DeclineGround, ProactiveDeclined, ProactiveDone, ProactiveProposed
from libs.common.contracts.vocabulary import UnitRef
from services.feedback.domain.averting import Effect
from services.feedback.domain.reviews import NotPossibleError

Rule = Literal["season", "surge", "places", "hand"]
"""A season comes; a forecast is well above usual; one street had the same trouble again and again; a person says so."""
OrderState = Literal["open", "done", "declined"]


@dataclass(frozen=True, slots=True)
class Order:
    """One piece of work. `codes` are the questions it is to keep from being asked, `street` a unit's code.

    `what` has the text by language, `why` what the rule went by, for the sentence in the catalogue of its name. What
    has the same `theme` is not proposed again for a while. `begins` is when the season does: its effect counts from
    then on, else from when it was done. `evidence` is how many pieces of it the unit has.
    """

    order_id: UUID
    rule: Rule
    theme: str
    unit_code: str
    unit_name: str
    codes: tuple[str, ...]
    district: str | None
    street: str | None
    what: Mapping[str, str]
    why: Mapping[str, str | int | float | Mapping[str, str]]
    by_date: datetime
    begins: datetime | None
    proposed_at: datetime
    proposed_by: str | None = None
    state: OrderState = "open"
    note: str | None = None
    ground: DeclineGround | None = None
    evidence: int = 0
    ended_at: datetime | None = None
    effect: Effect | None = None

    @property
    def unit(self) -> UnitRef:
        """Who is to act."""
        return UnitRef(code=self.unit_code, name=self.unit_name)

    @property
    def in_time(self) -> bool:
        """Whether it was done by its date."""
        return self.state == "done" and self.ended_at is not None and self.ended_at <= self.by_date

    @property
    def proven_at(self) -> datetime | None:
        """When its effect was known for good, and proven; None if it is not."""
        return self.effect.measured_at if self.effect and self.effect.final and self.effect.proven else None


def proposed(order: Order, what: str, why: str) -> ProactiveProposed:
    """Return what is told of a new order: what is to be done, and why, in words."""
    return ProactiveProposed(
        unit=order.unit, code=order.codes[0], why=why, by_date=order.by_date, rule=order.rule,
        what=what, codes=order.codes, district=order.district, street=order.street, at=order.proposed_at,
    )  # fmt: skip


def done(order: Order, note: str, evidence: int, now: datetime) -> tuple[Order, ProactiveDone]:
    """Take the unit's word that it is done, once. Raises NotPossibleError for an order that has ended."""
    _require_open(order)
    ended = replace(order, state="done", note=note, evidence=evidence, ended_at=now)
    return ended, ProactiveDone(unit=order.unit, code=order.codes[0], note=note, evidence=evidence, at=now)


def declined(order: Order, ground: DeclineGround, note: str, now: datetime) -> tuple[Order, ProactiveDeclined]:
    """Let the unit decline, with a ground. Raises NotPossibleError for an order that has ended."""
    _require_open(order)
    ended = replace(order, state="declined", note=note, ground=ground, ended_at=now)
    return ended, ProactiveDeclined(unit=order.unit, code=order.codes[0], ground=ground, note=note, at=now)


def _require_open(order: Order) -> None:
    if order.state != "open":
        raise NotPossibleError(f"this work is {order.state} already")


@dataclass(frozen=True, slots=True)
class Credit:
    """A piece of work that counts for its unit: when it was done, and once more when its effect was `proven`.

    An effect takes months to be known, so its proof counts in the month it came, and no published month is moved by it.
    """

    order_id: UUID
    unit_code: str
    proven: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """What a unit did before anyone asked, in a period: orders in time and with evidence, effects that were proven.

    `points` are what the city gives for it.
    """

    unit_code: str
    orders: int
    proven: int
    points: float


def credits_of(orders: Iterable[Order], since: datetime, until: datetime, evidence: int) -> list[Credit]:
    """Return what counts from an instant to before another. What was done late or with less evidence counts nothing."""
    return [
        Credit(order.order_id, order.unit_code, proven, at)
        for order in orders
        if order.in_time and order.evidence >= evidence
        for proven, at in ((False, order.ended_at), (True, order.proven_at))
        if at and since <= at < until
    ]


def credited(counting: Iterable[Credit], bonus: Bonus) -> list[Done]:
    """Return what each unit gets for what counts in a period, by its code, at most what the city sets."""
    by_unit: dict[str, list[Credit]] = {}
    for credit in counting:
        by_unit.setdefault(credit.unit_code, []).append(credit)
    return [_done(code, mine, bonus) for code, mine in sorted(by_unit.items())]


def _done(code: str, counting: Sequence[Credit], bonus: Bonus) -> Done:
    proven = sum(credit.proven for credit in counting)
    orders = len(counting) - proven
    return Done(code, orders, proven, round(min(bonus.done * orders + bonus.proven * proven, bonus.most), 6))
