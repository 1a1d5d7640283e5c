"""points.csv of a city pack, optional: which district and street the squares of a fine grid lie in.

A pack learned from a city's own records has it; a point then says where a matter is, also where the words do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from pathlib import Path

from libs.common.city.problems import Problems, Row, read_table
from libs.common.city.units import Unit

COLUMNS = ("row", "column", "district", "street", "share")
PER_DEGREE = 250
"""Squares in a degree: each is 450 m from south to north, and less from west to east."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A square by its row and column, and what most records in it name; `share` of them the same district."""

    row: int
    column: int
    district: str
    street: str
    share: float


def cell_of(lat: float, lon: float) -> tuple[int, int]:
    """Return the row and column of the square that a point lies in, in WGS 84 degrees."""
    return floor(lat * PER_DEGREE), floor(lon * PER_DEGREE)


@dataclass(frozen=True, slots=True)
class Points:
    """The squares of a city by row and column."""

    spots: Mapping[tuple[int, int], Spot]

    def at(self, lat: float, lon: float) -> Spot | None:
        """Return the square a point lies in, or the nearest of those beside it; None if none is known."""
        row, column = cell_of(lat, lon)
        around = [(row + i, column + j) for i in (0, -1, 1) for j in (0, -1, 1)]
        known = [self.spots[cell] for cell in around if cell in self.spots]
        middle = lat * PER_DEGREE - 0.5, lon * PER_DEGREE - 0.5
        return min(known, key=lambda s: (s.row - middle[0]) ** 2 + (s.column - middle[1]) ** 2, default=None)


def load_points(path: Path, units: Mapping[str, Unit], problems: Problems) -> Points:
    """Read points.csv; without the file no point says more than whether it lies in the city."""
    if not path.is_file():
        return Points({})
    spots = (_spot(row, units) for row in read_table(path, COLUMNS, problems))
    return Points({(spot.row, spot.column): spot for spot in spots if spot})


def _spot(row: Row, units: Mapping[str, Unit]) -> Spot | None:
    if f"d-{row['district']}" not in units:
        row.wrong("district", f"{row['district']!r} should be the six-digit code of a district unit")
    if row["street"] and row["street"] not in units:
        row.wrong("street", f"{row['street']!r} should be the code of a street or town")
    try:
        return Spot(int(row["row"]), int(row["column"]), row["district"], row["street"], float(row["share"]))
    except ValueError:
        row.wrong("row", "row and column should be whole numbers, and share a number")
        return None
