"""Reading appeals: from words to sketches, many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor, isnan, nan
from typing import Any

import numpy as np

from libs.common.city.gazetteer import Gazetteer
from libs.common.city.pack import City
from libs.common.runtime.privacy.finding import fold
from services.intake.repeats.endings import LINE, ROAD
from services.intake.repeats.knowledge import Knowledge
from services.intake.repeats.matters import Matters
from services.intake.repeats.places import Named, Spot, hashed, key_of, spot_of
from services.intake.repeats.senses import Senses
from services.intake.repeats.sketches import NAMES, NUMBERS, SKETCH, TAILS

LONGEST = 600
"""Characters that are read of a text; who writes more has said by then what it is about, and where."""


@dataclass(frozen=True, slots=True)
class Said:
    """What is compared of an appeal. Redacted: nothing of a sketch may tell more than the ticket does.

    `reporter` is a pseudonym; `device` of a sensor is `device` or `device:fault`.
    """

    text: str
    received_at: datetime
    address: str | None = None
    lat: float | None = None
    lon: float | None = None
    reporter: str | None = None
    device: str | None = None
    own: bool = False
    """Whether it is the reporter's own affair for sure."""


@dataclass(frozen=True, slots=True)
class Keys:
    """By what an appeal is found: `who` sent it, all it is `kept` under, and all it is `looked_for` by."""

    who: tuple[int, ...]
    kept: tuple[int, ...]
    looked_for: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """Appeals as read: their sketches, one row for each, where each says it is, and by what it is found."""

    sketches: Any
    spots: Sequence[Spot]
    keys: Sequence[Keys]

    def __len__(self) -> int:
        """Return how many appeals these are."""
        return len(self.spots)


def joined_reads(parts: Sequence[Read]) -> Read:
    """Return what was read in parts as one."""
    sketches = np.concatenate([part.sketches for part in parts]) if parts else np.zeros(0, dtype=SKETCH)
    return Read(sketches, [s for part in parts for s in part.spots], [k for part in parts for k in part.keys])


class Reader:
    """Turns appeals into sketches. Holds no state between calls; safe to share between threads."""

    def __init__(self, city: City, knowledge: Knowledge) -> None:
        self.matters = Matters(city.catalogue, knowledge, Senses.load())
        self._gazetteer = Gazetteer.of(city)

    def read(self, appeals: Sequence[Said]) -> Read:
        """Return the sketches of some appeals."""
        if not appeals:
            return joined_reads([])
        sketches = np.zeros(len(appeals), dtype=SKETCH)
        spots = [self._locate(appeal) for appeal in appeals]
        _fill(sketches, _PLAIN, [_plain(said, spot) for said, spot in zip(appeals, spots, strict=True)])
        _fill(sketches, _OF_NAMES, [_names(spot) for spot in spots])
        _fill(sketches, _OF_NUMBERS, [_numbers(spot) for spot in spots])
        meanings = self.matters.read([spot.rest for spot in spots])
        for field in MEANT:
            sketches[field] = getattr(meanings, field)
        sketches["personal"][[appeal.own for appeal in appeals]] = 255
        sketches["personal"][sketches["device"] != 0] = 0
        groups = self.matters.groups(sketches).tolist()
        return Read(sketches, spots, list(map(_keys, sketches, spots, groups)))

    def _locate(self, appeal: Said) -> Spot:
        address = fold(appeal.address or "").lower()
        text = f"{address}\n{fold(appeal.text[:LONGEST]).lower()}"
        return spot_of(text, len(address), self._gazetteer)


_PLAIN = ("received", "reporter", "device", "fault", "lat", "lon", "district", "street")
_OF_NAMES = ("tails", "lengths", "kinds", "wings", "zones")
MEANT = ("questions", "shares", "concepts", "words", "grams", "sense", "personal", "building")
_OF_NUMBERS = ("numbers", "number_kinds")


def _keys(sketch: Any, spot: Spot, groups: Sequence[int]) -> Keys:
    """Return by what an appeal is found.

    A place is a key by itself and once more with each of the two categories nearest to the appeal: where a place has
    many open appeals, those of the same category are found however old they are.
    """
    who = [int(sketch[name]) for name in ("reporter", "device") if sketch[name]]
    where = [key_of(f"place {_end(named)}") for named in spot.names[:NAMES]]
    own, around = _cells(float(sketch["lat"]), float(sketch["lon"]))
    places = [*where, *(key_of(f"{key} {group}") for key in where for group in groups)]
    return Keys(tuple(who), _once([*who, *places, *own]), _once([*who, *places, *around]))


def _fill(sketches: Any, fields: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    for field, column in zip(fields, zip(*rows, strict=True), strict=True):
        sketches[field] = column


def _plain(appeal: Said, spot: Spot) -> tuple[float, ...]:
    device, _, fault = (appeal.device or "").partition(":")
    return (
        int(appeal.received_at.timestamp()),
        key_of(appeal.reporter) if appeal.reporter else 0,
        key_of(f"device {device}") if device else 0,
        hashed(fault) if fault else 0,
        nan if appeal.lat is None else appeal.lat,
        nan if appeal.lon is None else appeal.lon,
        hashed(spot.district) if spot.district else 0,
        hashed(spot.street) if spot.street else 0,
    )


def _names(spot: Spot) -> tuple[list[Any], ...]:
    """Return of each name: its tails, its length, its kind, its wing and its zone; what is over stays 0."""
    told = [
        (
            _tails(named),
            TAILS[-1] if named.kind == LINE or len(named.name) == 1 else min(len(named.name), TAILS[-1]),
            named.kind,
            hashed(named.wing, 8) if named.wing else 0,
            hashed(named.zone, 8) if named.zone else 0,
        )
        for named in spot.names[:NAMES]
    ]
    told += [([0] * len(TAILS), 0, 0, 0, 0)] * (NAMES - len(told))
    return tuple(map(list, zip(*told, strict=True)))


def _tails(named: Named) -> list[int]:
    # 1路 is no part of 11路: the name of a line is compared as a whole.
    if named.kind == LINE or len(named.name) == 1:
        return [hashed(named.name)] * len(TAILS)
    return [hashed(named.name[-tail:]) if tail <= len(named.name) else 0 for tail in TAILS]


def _numbers(spot: Spot) -> tuple[list[int], list[int]]:
    told = [(hashed(number, 16), kind) for kind, number in spot.numbers[:NUMBERS]]
    told += [(0, 0)] * (NUMBERS - len(told))
    return [number for number, _ in told], [kind for _, kind in told]


def _once(keys: Sequence[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(keys))


def _end(named: Named) -> str:
    """Return the part of a name that others who name the place say too, whatever they put before it."""
    return named.name if named.kind == LINE else named.name[-3 if named.kind == ROAD else -2 :]


_CELL = 0.004
"""Degrees: some 400 m. Who looks around a point looks into the four cells nearest to it."""


def _cells(lat: float, lon: float) -> tuple[list[int], list[int]]:
    if isnan(lat) or isnan(lon):
        return [], []
    x, y = lat / _CELL, lon / _CELL
    around = [(floor(x - 0.5) + i, floor(y - 0.5) + j) for i in (0, 1) for j in (0, 1)]
    return [key_of(f"cell {floor(x)} {floor(y)}")], [key_of(f"cell {i} {j}") for i, j in around]
