"""What speaks for and against two appeals being about the same event: numbers, for many pairs at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.intake.repeats.endings import (
    BUILDING,
    DOOR,
    ESTATE,
    EXIT,
    FACILITY,
    GATE,
    LINE,
    ROAD,
    STATION,
    VENUE,
    VILLAGE,
    YARD,
)
from services.intake.repeats.matters import Matters
from services.intake.repeats.sketches import TAILS

MATTER = (
    "base", "sense", "question", "level1", "troubles", "trouble", "other_trouble", "things", "words",
    "same_reporter", "again",
)  # fmt: skip
PLACE = (
    "base", "name", "names", "other_venue", "other_estate", "other_road", "other_wing", "one_wing", "other_street",
    "other_district", "number", "other_number", "near", "far", "line", "same_reporter", "building", "everyone",
)  # fmt: skip
METRES = 111_320.0
NEAR_METRES, FAR_METRES = 120.0, 600.0
Numbers = NDArray[np.float64]


def matter_of(matters: Matters, a: Any, b: Any) -> Numbers:
    """Return a row of `MATTER` for each pair."""
    first, second = a["questions"], b["questions"]
    mine, yours = a["shares"] / 255.0, b["shares"] / 255.0
    same = same_reporter(a, b)
    question = _likeness(first, second, mine, yours)
    troubles, fewer, named, things = _concepts(matters, a, b)
    return np.stack(
        [
            np.ones(len(a)),
            _sense(a, b),
            question,
            _likeness(matters.level1[first], matters.level1[second], mine, yours),
            troubles,
            fewer,
            named & (troubles == 0),
            things,
            _words(a, b),
            same,
            same * (_cue(a, matters.again) | _cue(b, matters.again)),
        ],
        axis=1,
    )


def same_reporter(a: Any, b: Any) -> Numbers:
    """Return 1 where the same person, or device, is known to have sent both."""
    return np.asarray((a["reporter"] == b["reporter"]) & (a["reporter"] != 0), dtype=float)


def _likeness(first: Any, second: Any, mine: Any, yours: Any) -> Numbers:
    """Return the cosine of two short lists of weighted labels; a label may come more than once."""

    def dot(left: Any, right: Any, x: Any, y: Any) -> Any:
        return ((left[:, :, None] == right[:, None, :]) * x[:, :, None] * y[:, None, :]).sum(axis=(1, 2))

    lengths = np.sqrt(dot(first, first, mine, mine) * dot(second, second, yours, yours))
    return np.asarray(dot(first, second, mine, yours) / np.maximum(lengths, 1e-9))


def _sense(a: Any, b: Any) -> Numbers:
    """Return the cosine of what the words mean; 0 where none is known."""
    both = np.einsum("ij,ij->i", a["sense"].astype(np.int32), b["sense"].astype(np.int32))
    return np.asarray(np.maximum(both / 127.0**2, 0))


def _concepts(matters: Matters, a: Any, b: Any) -> tuple[Numbers, Numbers, Any, Numbers]:
    """Return how far the troubles are the same, and those of who names fewer; whether both name any; and the things."""
    first, second = (np.unpackbits(side["concepts"], axis=1) for side in (a, b))
    both = first & second
    troubles, fewer, named = _shared(first, second, both, matters.troubles)
    things, _, _ = _shared(first, second, both, matters.things)
    return troubles, fewer, named, things


def _shared(first: Any, second: Any, both: Any, weights: Numbers) -> tuple[Numbers, Numbers, Any]:
    mine, yours, shared = first @ weights, second @ weights, both @ weights
    cosine = shared / np.maximum(np.sqrt(mine * yours), 1e-9)
    return cosine, shared / np.maximum(np.minimum(mine, yours), 1e-9), (mine > 0) & (yours > 0)


def other_people(matters: Matters, a: Any, b: Any) -> Any:
    """Say which pairs name people, and no one both: my father's pension and my mother's."""
    first, second = (np.unpackbits(side["concepts"], axis=1)[:, matters.people] > 0 for side in (a, b))
    return first.any(axis=1) & second.any(axis=1) & ~(first & second).any(axis=1)


def _cue(side: Any, bit: int) -> Any:
    """Say which texts have the words of a cue."""
    return (side["concepts"][:, bit // 8] >> (7 - bit % 8)) & 1 == 1


def _words(a: Any, b: Any) -> Numbers:
    """Return how much of the shorter text is in the other, from the estimate of what all their pairs share."""
    shared = (a["words"] == b["words"]).mean(axis=1)
    # Of 8 bits kept of a hash, 1 in 256 are equal by chance.
    jaccard = np.clip((shared - 1 / 256) / (1 - 1 / 256), 0, 1)
    sizes = a["grams"].astype(float), b["grams"].astype(float)
    both = jaccard / (1 + jaccard) * (sizes[0] + sizes[1])
    return np.asarray(np.clip(both / np.maximum(np.minimum(*sizes), 4), 0, 1))


def touching(a: Any, b: Any) -> Any:
    """Say which pairs have anything in common that is not a matter: a name, a reporter, a device, or both a point."""
    equal, _ = _tails_equal(a, b)
    points = ~np.isnan(a["lat"]) & ~np.isnan(b["lat"])
    device = (a["device"] == b["device"]) & (a["device"] != 0)
    return equal.any(axis=(1, 2)) | points | device | (same_reporter(a, b) > 0)


def place_of(matters: Matters, a: Any, b: Any) -> Numbers:
    """Return a row of `PLACE` for each pair."""
    match, wings, unlike_wings = _names(a, b)
    kinds = a["kinds"], b["kinds"]
    venue, estate, road = _unmatched(match, *kinds)
    metres = _metres(a, b)
    numbers, other_number = _numbers(a, b)
    known = (a["district"] != 0) & (b["district"] != 0)
    streets = (a["street"] != 0) & (b["street"] != 0)
    line = (kinds[0] == LINE).any(axis=1) & (kinds[1] == LINE).any(axis=1)
    found = match.max(axis=(1, 2))
    return np.stack(
        [
            np.ones(len(a)),
            found,
            match.max(axis=2).sum(axis=1) >= 2,
            venue,
            estate,
            road,
            unlike_wings,
            wings,
            streets & (a["street"] != b["street"]),
            known & (a["district"] != b["district"]),
            numbers,
            other_number,
            np.where(np.isnan(metres), 0, np.exp(-((metres / NEAR_METRES) ** 2))),
            metres > FAR_METRES,
            line & (found == 0),
            same_reporter(a, b),
            other_number * np.minimum(a["building"], b["building"]) / 255.0,
            other_number * (_cue(a, matters.everyone) | _cue(b, matters.everyone)),
        ],
        axis=1,
    ).astype(float)


def _tails_equal(a: Any, b: Any) -> tuple[Any, Any]:
    """Return which names of one end in which names of the other, or the other way round; and the shorter's length."""
    shorter = np.minimum(a["lengths"][:, :, None], b["lengths"][:, None, :]).astype(np.int64)
    at = np.clip(shorter - TAILS[0], 0, len(TAILS) - 1)
    mine = np.take_along_axis(a["tails"], at, axis=2)
    yours = np.swapaxes(np.take_along_axis(b["tails"], np.swapaxes(at, 1, 2), axis=2), 1, 2)
    return (mine == yours) & (shorter >= TAILS[0]), shorter


def _names(a: Any, b: Any) -> tuple[Numbers, Any, Any]:
    """Return how far each name of one is each of the other, 0 to 1, and whether wings are told by one or unlike."""
    lengths = a["lengths"][:, :, None], b["lengths"][:, None, :]
    equal, shorter = _tails_equal(a, b)
    # A name of two characters at the end of a longer one may be another's.
    match = np.where(equal, np.where((lengths[0] == lengths[1]) | (shorter > 2), 1.0, 0.6), 0.0)
    one, unlike = np.zeros(match.shape, dtype=bool), np.zeros(match.shape, dtype=bool)
    for field in ("wings", "zones"):
        first, second = a[field][:, :, None], b[field][:, None, :]
        unlike |= (first != 0) & (second != 0) & (first != second)
        one |= (first == 0) != (second == 0)
    best = match > 0
    right = (best & ~unlike).any(axis=(1, 2))
    return (
        np.where(unlike, 0.0, match),
        (best & one & ~unlike).any(axis=(1, 2)) & ~(best & ~one & ~unlike).any(axis=(1, 2)),
        (best & unlike).any(axis=(1, 2)) & ~right,
    )


_VENUES, _ESTATES, _ROADS = (VENUE, STATION), (ESTATE, VILLAGE), (ROAD,)


def _unmatched(match: Numbers, first: Any, second: Any) -> tuple[Any, Any, Any]:
    """Return where each of two names a venue, an estate or a road that the other does not.

    Of a road that counts only where nothing closer is the same: a shop at a corner lies in two streets.
    """
    mine, yours = match.max(axis=2) == 0, match.max(axis=1) == 0
    unlike, same = [], []
    for kinds in (_VENUES, _ESTATES, _ROADS):
        of = np.isin(first, kinds), np.isin(second, kinds)
        unlike.append((mine & of[0]).any(axis=1) & (yours & of[1]).any(axis=1))
        same.append((~mine & of[0]).any(axis=1))
    venue, estate, road = unlike
    return venue & ~same[0], estate, road & ~same[0] & ~same[1]


def _numbers(a: Any, b: Any) -> tuple[Any, Any]:
    """Return whether buildings, yards or gates are the same, or are others."""
    same, other = np.zeros(len(a), dtype=bool), np.zeros(len(a), dtype=bool)
    for kind in (BUILDING, YARD, DOOR, GATE, EXIT):
        equal, unlike = _numbered(a, b, kind)
        same |= equal
        other |= unlike
    return same, other


def other_facility(a: Any, b: Any) -> Any:
    """Say which pairs are about one of several facilities each, and not the same: lift 1 and lift 2."""
    return _numbered(a, b, FACILITY)[1]


def _numbered(a: Any, b: Any, kind: int) -> tuple[Any, Any]:
    """Return whether the numbers of a kind are the same, or are others."""
    has = a["number_kinds"] == kind, b["number_kinds"] == kind
    equal = (a["numbers"][:, :, None] == b["numbers"][:, None, :]) & has[0][:, :, None] & has[1][:, None, :]
    same = equal.any(axis=(1, 2))
    return same, has[0].any(axis=1) & has[1].any(axis=1) & ~same


def _metres(a: Any, b: Any) -> Numbers:
    """Return the distance of two points, NaN if one is not known."""
    north = (a["lat"].astype(float) - b["lat"]) * METRES
    east = (a["lon"].astype(float) - b["lon"]) * METRES * np.cos(np.radians(a["lat"].astype(float)))
    return np.asarray(np.hypot(north, east))


def matched(a: Any, b: Any) -> int:
    """Return which name of one appeal is a name of the other; both are single sketches."""
    match, _, _ = _names(a.reshape(1), b.reshape(1))
    return int(match[0].max(axis=1).argmax())
