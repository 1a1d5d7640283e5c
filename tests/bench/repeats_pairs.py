"""Labelled appeals, and the pairs they make: written for this project, in the many ways citizens write.

`repeats/<name>.csv`: appeals by theme; within a theme those of one event are repeats of each other, and no others are.
So every other pair of a theme is a hard negative: the same place with another matter, the same matter at another
place, the same words of another person in an affair of one's own, the same trouble weeks later. `hours` is when an
appeal came, `who` its reporter, empty when not known. No theme stands in two files.
"""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

from libs.common.city.pack import City, load_city
from services.intake.repeats import Repeats, Said

PACK = Path("deploy/cities/beijing")
FOLDER = Path("tests/bench/repeats")
START = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Labelled:
    """An appeal, the theme it is of and the event it is about."""

    theme: str
    event: str
    said: Said


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of labelled appeals by their places in the list: the theme, and whether both are about one event."""

    appeals: Sequence[Labelled]
    first: list[int]
    second: list[int]

    @property
    def themes(self) -> list[str]:
        """The theme of each pair."""
        return [self.appeals[at].theme for at in self.first]

    @property
    def same(self) -> list[bool]:
        """Whether each pair is about one event."""
        pairs = zip(self.first, self.second, strict=True)
        return [self.appeals[one].event == self.appeals[other].event for one, other in pairs]


def read_pairs(name: str) -> Pairs:
    """Read the pairs of one file, within its themes, the earlier appeal of each first."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        appeals = [_labelled(row) for row in csv.DictReader(file)]
    by_theme: dict[str, list[int]] = defaultdict(list)
    for at, appeal in enumerate(appeals):
        by_theme[appeal.theme].append(at)
    pairs = [pair for some in by_theme.values() for pair in combinations(some, 2)]
    return Pairs(appeals, [one for one, _ in pairs], [other for _, other in pairs])


def _labelled(row: dict[str, str]) -> Labelled:
    lat, _, lon = (row.get("point") or "").partition(" ")
    said = Said(
        text=row["text"],
        received_at=START + timedelta(hours=float(row["hours"])),
        address=row["address"] or None,
        lat=float(lat) if lat else None,
        lon=float(lon) if lon else None,
        reporter=f"{row['theme']} {row['who']}" if row["who"] else None,
    )
    return Labelled(row["theme"], row["event"], said)


def sketches_of(repeats: Repeats, pairs: Pairs) -> tuple[Any, Any]:
    """Return the sketches of both sides of each pair."""
    sketches = repeats.read([appeal.said for appeal in pairs.appeals]).sketches
    return sketches[pairs.first], sketches[pairs.second]


def city_and_repeats() -> tuple[City, Repeats]:
    """Load the Beijing pack and what it knows of repeats."""
    city = load_city(PACK)
    return city, Repeats(city, PACK)
