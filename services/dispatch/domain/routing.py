"""What is known when an appeal is routed besides the appeal itself, what is told of a route, and what is kept of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from libs.common.contracts.dispatch import TicketDispatched, TicketReassigned
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import UnitRef
from services.dispatch.domain.orders import Classified, Matter, Order


@dataclass(frozen=True, slots=True)
class Load:
    """How much work a unit has: its open orders, and how many it resolves on a working day, None if never measured."""

    open: int = 0
    per_day: float | None = None

    @property
    def days(self) -> float | None:
        """Working days until what is open would be done."""
        return round(self.open / self.per_day, 1) if self.per_day else None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a rule does not apply: which of its conditions (`lead` if no unit is there), what it asks, what was found."""

    condition: str
    wanted: tuple[str, ...] = ()
    found: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule that was looked at, with all that spoke against it; the one that decided comes last and has nothing."""

    rule: str
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def applies(self) -> bool:
        """Whether this rule decided."""
        return not self.obstacles


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a model that learned from a city's history takes for the lead, and how sure it is (0 to 1)."""

    unit: UnitRef
    probability: float


@dataclass(frozen=True, slots=True)
class Decision:
    """Why an order got its lead, as it was when it did: `matter` without the words that told the place.

    `rules` is the version of the rules, empty where a person decided; `catalogue` and `model` are those that judged.
    """

    decision_id: UUID
    ticket_id: UUID
    number: str
    round: int
    at: datetime
    unit: str
    previous: str | None
    rule: str
    rules: str
    catalogue: str
    model: str
    why: tuple[str, ...]
    matter: Matter


def decisions(id_: UUID, order: Order, classified: Classified, events: Sequence[Event]) -> Iterator[Decision]:
    """Yield the decision that stands behind what is told of an order, if a lead was named."""
    named = next((e for e in reversed(events) if isinstance(e, TicketDispatched | TicketReassigned)), None)
    if named is None:
        return
    place = classified.matter.place
    matter = replace(classified.matter, place=place.model_copy(update={"matched": ()}) if place else None)
    yield Decision(
        decision_id=id_, ticket_id=order.ticket_id, number=order.number, round=order.round, at=named.at,
        unit=named.unit.code, previous=named.previous.code if isinstance(named, TicketReassigned) else None,
        rule=order.rule, rules=named.rules, catalogue=classified.catalogue, model=classified.model,
        why=order.why, matter=matter,
    )  # fmt: skip
