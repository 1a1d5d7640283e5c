"""Appeals that leave no doubt: the catalogue's own phrases, in streets of the city, each with its own reporter."""

import json
import random
from collections.abc import Iterator

from libs.common.city.pack import City
from services.intake.domain import emergencies_in

SEED = 12345


def appeals(city: City) -> Iterator[bytes]:
    """Yield bodies of `POST /intake/v1/tickets` without end, the same ones at every call; no two are repeats."""
    chance = random.Random(SEED)
    # An emergency is answered at the door and never becomes an order.
    phrases = [p for question in city.catalogue for p in question.phrases if not emergencies_in(p, city.emergencies)]
    streets = [unit for unit in city.units.values() if unit.kind in {"street", "town"}]
    number = 0
    while True:
        number += 1
        street = chance.choice(streets)
        district = city.units[f"d-{street.district}"]
        appeal = {
            "channel": "web",
            "text": f"{street.name.zh}{number}号院，{chance.choice(phrases)}",
            "address": f"{district.name.zh}{street.name.zh}{number}号院{chance.randint(1, 30)}号楼",
            "reporter": {"name": "王小明", "phone": f"139{number:08d}"},
        }
        yield json.dumps(appeal, ensure_ascii=False).encode()
