"""What people call places: places.csv, which a person keeps, and communities.csv, the list of villages and communities.

The second is optional: one line for each street or town with the villages and residential communities 社区 in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from libs.common.city.problems import Problems, Row, read_table
from libs.common.city.units import Unit

PlaceKind = Literal[
    "alias", "landmark", "station", "estate", "village", "road", "zone",  # where something is
    "common", "none", "city", "outside",  # how a word is to be taken
]  # fmt: skip
PLACE_COLUMNS = ("name", "kind", "street", "district")
COMMUNITY_COLUMNS = ("street", "villages", "communities")
_WORDS_ONLY = ("common", "none", "city", "outside")


@dataclass(frozen=True, slots=True)
class PlaceName:
    """A name people use and the street unit or district (six digits) it lies in; a name in several places has several.

    Kinds that carry no place: `common` (an ordinary word too: it counts only with its suffix, or right behind its
    district), `none` (no place, although it contains the name of one), `city` (this city itself), `outside` (another).
    """

    name: str
    kind: PlaceKind
    street: str | None
    district: str | None


@dataclass(frozen=True, slots=True)
class Communities:
    """The villages (望楼村) and residential communities (望楼园, without 社区) of one street or town."""

    street: str
    district: str
    villages: tuple[str, ...]
    communities: tuple[str, ...]


def load_places(path: Path, units: Mapping[str, Unit], problems: Problems) -> tuple[PlaceName, ...]:
    """Read places.csv; a line whose `street` holds several codes is a road, or a name that several places share."""
    return tuple(place for row in read_table(path, PLACE_COLUMNS, problems) for place in _places(row, units))


def load_communities(path: Path, units: Mapping[str, Unit], problems: Problems) -> tuple[Communities, ...]:
    """Read communities.csv."""
    if not path.is_file():
        return ()
    return tuple(_communities(row, units) for row in read_table(path, COMMUNITY_COLUMNS, problems))


def _places(row: Row, units: Mapping[str, Unit]) -> Iterator[PlaceName]:
    kind = cast(PlaceKind, row.choice("kind", get_args(PlaceKind)))
    streets, district = row.many("street"), row["district"]
    if kind in _WORDS_ONLY:
        if streets or district:
            row.wrong("kind", f"{kind} is said of a word: street and district should be empty")
    elif f"d-{district}" not in units:
        row.wrong("district", f"{district!r} should be the six-digit code of a district unit")
    for street in streets or (None,):
        if street and kind not in _WORDS_ONLY and (street not in units or units[street].district != district):
            row.wrong("street", f"{street!r} should be the code of a street or town in district {district}")
        yield PlaceName(row.filled("name"), kind, street, district or None)


def _communities(row: Row, units: Mapping[str, Unit]) -> Communities:
    unit = units.get(row["street"])
    if unit is None or unit.kind not in ("street", "town"):
        row.wrong("street", f"{row['street']!r} should be the code of a street or town")
    district = unit.district if unit else None
    return Communities(row["street"], district or "", row.many("villages"), row.many("communities"))
