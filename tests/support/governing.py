"""A record of two months with things planted in it that a report must find, and nothing else."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from services.feedback.domain import Case, Review
from tests.support.record import Record, case, review
from tests.support.stages import NOON

LAZY, BUSY = "s-110105026", "s-110108012"
"""A street that solves little, and one like the others."""
RISEN, STEADY = "heating-01-01", "water-01-01"
DISTRICTS = ("110101", "110102", "110105", "110106", "110108", "110112", "110114", "110115")
STREETS = {code: f"s-{code}001" for code in DISTRICTS}
FIRST = datetime(2026, 2, 1, 2, tzinfo=NOON.tzinfo)
_KINDS: dict[str, dict[str, Any]] = {
    RISEN: {"category": ("供热采暖", "供热质量", "室温不达标"), "code": RISEN},
    STEADY: {"category": ("供水排水", "自来水供应", "突然停水"), "code": STEADY},
    "sanitation-01-01": {"category": ("市容环卫", "垃圾", "垃圾清运"), "code": "sanitation-01-01"},
}


def rounds(per_day: int = 24) -> Iterator[tuple[Case, Review]]:
    """Yield two months of rounds and their answers; from March on there is three times as much heating in Chaoyang."""
    chance = random.Random(7)
    for day in range(59):
        at = FIRST + timedelta(days=day)
        risen = at.month == 3
        for number in range(per_day + chance.randrange(4)):
            code = list(_KINDS)[number % 3]
            yield _round(chance, at + timedelta(minutes=number), code, chance.choice(DISTRICTS))
        for _ in range(16 if risen else 0):
            yield _round(chance, at, RISEN, "110105")


def _round(chance: random.Random, at: datetime, code: str, district: str) -> tuple[Case, Review]:
    unit = LAZY if district == "110105" else STREETS[district]
    made = case(
        received_at=at, district=district, unit_code=unit, unit_name=unit, dispatched_at=at, street=None,
        accepted_at=at + timedelta(minutes=30), contacted_at=at + timedelta(hours=1),
        resolved_at=at + timedelta(hours=chance.randrange(2, 40)), ended="solved", ended_at=at + timedelta(days=2),
        completion_in_time=chance.random() < 0.93, **_KINDS[code],
    )  # fmt: skip
    good = chance.random() < (0.55 if unit == LAZY else 0.93)
    said = {} if good else {"resolved": "no", "satisfied": 2}
    return made, review(made, answered_at=at + timedelta(days=1), requested_at=at + timedelta(hours=20), **said)


async def govern(record: Record, per_day: int = 24) -> None:
    """Write all that into the record."""
    pairs = list(rounds(per_day))
    await record.keep(*(made for made, _ in pairs), *(said for _, said in pairs))
