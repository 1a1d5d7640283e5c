"""indices.toml and population.csv: how the indices of the seven haves and five natures 七有五性 are made, and for whom.

A pack without indices.toml has the one beside this module. Without population.csv, or for a district that is not in it,
nothing is said of how many appeals there are for so many people.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from libs.common.city.catalogue import FIVE_NATURES, SEVEN_HAVES
from libs.common.city.problems import Problems, Row, read_table, read_toml
from libs.common.city.settings import Name
from libs.common.city.units import Unit

FILE = "indices.toml"
GENERAL = Path(__file__).with_name(FILE)
PEOPLE_COLUMNS = ("district", "people", "as_of", "source")
TAGS = SEVEN_HAVES + FIVE_NATURES
_STRICT = ConfigDict(extra="forbid")
Weight = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Indicator:
    """A figure from outside on one of TAGS: worth 0 at `floor` and beyond it, 100 at `target` and beyond, even between.

    Of what is the better the lower it is, the floor lies above the target.
    """

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    tag: str
    name: Name
    unit: Name
    floor: float
    target: float

    def worth(self, value: float) -> float:
        """Return what a figure is worth, 0 to 1."""
        return min(1.0, max(0.0, (value - self.floor) / (self.target - self.floor)))


@dataclass(frozen=True, slots=True, config=_STRICT)
class Parts:
    """How much each part of an index counts."""

    solved: Weight
    volume: Weight
    coverage: Weight


@dataclass(frozen=True, slots=True, config=_STRICT)
class Indices:
    """The whole of indices.toml."""

    least: Annotated[int, Field(ge=2)]
    strength: Annotated[float, Field(gt=0)]
    weights: Parts
    indicators: tuple[Indicator, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        codes = [one.code for one in self.indicators]
        if len(set(codes)) < len(codes):
            raise ValueError("no indicator should be there twice")
        if odd := sorted({one.tag for one in self.indicators} - set(TAGS)):
            raise ValueError(f"the tag {odd[0]} should be one of {', '.join(TAGS)}")
        if any(one.floor == one.target for one in self.indicators):
            raise ValueError("an indicator's target should differ from its floor")
        if not self.weights.solved + self.weights.volume + self.weights.coverage > 0:
            raise ValueError("one of the weights should be over 0")
        return self

    @property
    def by_code(self) -> Mapping[str, Indicator]:
        """The indicators by code."""
        return {one.code: one for one in self.indicators}


@dataclass(frozen=True, slots=True)
class People:
    """How many people live in a district, as counted on a day, by whom."""

    people: int
    as_of: date
    source: str


_FILE = TypeAdapter(Indices)


def load_indices(folder: Path, problems: Problems) -> Indices | None:
    """Read the file of a pack; None when it cannot be used, with the reasons noted."""
    path = folder / FILE
    return read_toml(path if path.is_file() else GENERAL, _FILE, problems)


def load_population(path: Path, units: Mapping[str, Unit], problems: Problems) -> Mapping[str, People]:
    """Read how many people live in each district, by its six digits; nothing if the pack does not say."""
    if not path.is_file():
        return {}
    districts = {unit.district for unit in units.values() if unit.kind == "district"}
    found: dict[str, People] = {}
    for row in read_table(path, PEOPLE_COLUMNS, problems):
        if row["district"] not in districts:
            row.wrong("district", f"{row['district']!r} should be the six-digit code of a district unit")
        elif row["district"] in found:
            row.wrong("district", f"{row['district']!r} stands here twice")
        elif counted := _people(row):
            found[row["district"]] = counted
    return found


def _people(row: Row) -> People | None:
    if not (row["people"].isascii() and row["people"].isdigit() and int(row["people"])):
        row.wrong("people", "should be a whole number over 0")
        return None
    try:
        return People(int(row["people"]), date.fromisoformat(row["as_of"]), row.filled("source"))
    except ValueError:
        row.wrong("as_of", "should be a day such as 2020-11-01")
        return None
