"""False closings 虚假办结: signs that a matter was not done which a unit says is done, and what a person rules on them.

A sign is no proof, and nothing counts against a unit before a person has ruled. What several signs say together is 1
less the product of what each leaves (noisy or), so that it stays a share, however many there are.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from libs.common.city.closing import Closing, SignKind
from libs.common.contracts.feedback import ClosingRuled
from libs.common.contracts.vocabulary import UnitRef

Ruled = Literal["open", "upheld", "refused"]


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What a city looks for: its rules, and the questions of which there is something to be seen."""

    rules: Closing
    seen: tuple[str, ...]


def suspicion(rules: Closing, evidence: Iterable[tuple[str, str]]) -> Suspicion:
    """Return what a city looks for. `evidence` has each question's code and what the catalogue wants for it."""
    words = rules.seen.words
    return Suspicion(rules, tuple(code for code, wanted in evidence if any(word in wanted for word in words)))


@dataclass(frozen=True, slots=True)
class Sign:
    """One reason to doubt a round, with what it rests on: codes, times and numbers, nobody's words."""

    kind: SignKind
    weight: float
    evidence: Mapping[str, Any]
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Doubt:
    """A round that it is doubted of whether it was done, by which kinds of sign, and what was ruled on it.

    `upheld` is None while it waits for a person. A sign of another kind that is found after a refusal opens it again.
    """

    ticket_id: UUID
    round: int
    unit_code: str
    unit_name: str
    resolved_at: datetime
    weight: float
    kinds: tuple[SignKind, ...]
    found_at: datetime
    upheld: bool | None = None
    ruled_at: datetime | None = None
    ruled_by: str | None = None
    note: str | None = None

    @property
    def unit(self) -> UnitRef:
        """Who said that it is done."""
        return UnitRef(code=self.unit_code, name=self.unit_name)


def rule(doubt: Doubt, *, upheld: bool, by: str, note: str, now: datetime) -> tuple[Doubt, list[ClosingRuled]]:
    """Keep a ruling; the last one counts, and the same again says nothing. `note` is redacted.

    What is put in other words stays ruled when it was: a fault counts in one month.
    """
    if (doubt.upheld, doubt.note) == (upheld, note):
        return doubt, []
    at = doubt.ruled_at if doubt.upheld == upheld else now
    ruled = replace(doubt, upheld=upheld, ruled_at=at, ruled_by=by, note=note)
    told = ClosingRuled(
        unit=doubt.unit, upheld=upheld, signs=doubt.kinds, note=note, resolved_at=doubt.resolved_at, round=doubt.round,
        at=now,
    )  # fmt: skip
    return ruled, [told]


@dataclass(frozen=True, slots=True)
class Spot:
    """A round after which so many independent appeals of its question `came` from its street, `expected` by chance."""

    ticket_id: UUID
    round: int
    came: int
    expected: float


def chance(came: int, expected: float) -> float:
    """Return how likely at least so many come where so many are expected (Poisson)."""
    terms = (math.exp(n * math.log(expected) - expected - math.lgamma(n + 1)) for n in range(came))
    return max(0.0, 1.0 - math.fsum(terms)) if expected > 0 else float(came == 0)


def again(spots: Sequence[Spot], rules: Closing) -> list[tuple[Spot, dict[str, float]]]:
    """Return the spots at which more came than chance has it, with the evidence of each."""
    found = ((spot, chance(spot.came, spot.expected)) for spot in spots)
    return [
        (spot, {"came": spot.came, "expected": round(spot.expected, 2), "chance": likely})
        for spot, likely in found
        if likely <= rules.again.chance
    ]


@dataclass(frozen=True, slots=True)
class Standing:
    """How the rounds stand that one unit resolved in a period: how many, how many are doubted, what was ruled."""

    unit: UnitRef
    resolved: int
    open: int
    upheld: int
    refused: int


@dataclass(frozen=True, slots=True)
class Doubted:
    """A doubt with the case it is of, for who rules on it."""

    doubt: Doubt
    number: str | None
    category: tuple[str, str, str] | None
    district: str | None
    street: str | None
    signs: tuple[Sign, ...] = field(default=())
