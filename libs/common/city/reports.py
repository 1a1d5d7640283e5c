"""reports.toml and districts.csv: which reports are made by themselves, what may be published, and the map's lay-out.

The map is a grid with a tile for each district, placed by hand where the district lies among the others: it needs no
geometry, and a small district is as easy to read as a large one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from libs.common.city.problems import Problems, read_table, read_toml
from libs.common.city.settings import Share, Span
from libs.common.city.units import Unit

FILE = "reports.toml"
GENERAL = Path(__file__).with_name(FILE)
COLUMNS = ("district", "column", "row")
WIDE = 5
_STRICT = ConfigDict(extra="forbid")

ReportKind = Literal["daily", "weekly", "monthly", "yearly", "holiday"]


@dataclass(frozen=True, slots=True, config=_STRICT)
class OpenData:
    """What may be published: nothing that tells of fewer than `k` appeals.

    Where days leave less than `least_share` of the appeals to be told, months are told.
    """

    k: Annotated[int, Field(ge=2, le=1000)]
    least_share: Share


@dataclass(frozen=True, slots=True, config=_STRICT)
class Reports:
    """The whole of reports.toml. A period is over for a report `settled` after its end."""

    settled: Span
    scheduled: tuple[ReportKind, ...]
    open_data: OpenData


_FILE = TypeAdapter(Reports)
Grid = Mapping[str, tuple[int, int]]
"""The column and row of each district's tile, by its six-digit code, from the north-west."""


def load_reports(folder: Path, problems: Problems) -> Reports | None:
    """Read the file of a pack; None when it cannot be used, with the reasons noted."""
    path = folder / FILE
    return read_toml(path if path.is_file() else GENERAL, _FILE, problems)


def load_grid(path: Path, units: Mapping[str, Unit], problems: Problems) -> Grid:
    """Read districts.csv; without the file the tiles stand in the order of the units."""
    districts = [unit.district for unit in units.values() if unit.kind == "district" and unit.district]
    if not path.is_file():
        return {code: (number % WIDE, number // WIDE) for number, code in enumerate(districts)}
    grid: dict[str, tuple[int, int]] = {}
    for row in read_table(path, COLUMNS, problems):
        if row["district"] not in districts:
            row.wrong("district", f"{row['district']!r} should be the six-digit code of a district unit")
        if not (row["column"].isascii() and row["column"].isdigit() and row["row"].isascii() and row["row"].isdigit()):
            row.wrong("row", "row and column should be whole numbers from 0 on")
            continue
        place = int(row["column"]), int(row["row"])
        if place in grid.values():
            row.wrong("row", "another district has that tile")
        grid[row["district"]] = place
    for code in sorted(set(districts) - grid.keys()):
        problems.add(path.name, f"lacks the district {code}")
    return grid
