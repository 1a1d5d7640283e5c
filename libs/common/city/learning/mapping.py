"""The map of a city's records: which column holds what, and what the records cannot know of the city. A YAML file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from libs.common.city.problems import CityError
from libs.common.city.settings import Bounds, Calendar, Identity, Name
from libs.common.contracts.vocabulary import Channel

_STRICT = ConfigDict(extra="forbid")
Column = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Columns:
    """The column of each thing; what may be empty the records may lack.

    `unit` took it in the end, `department` is above it; `district` and the smaller `area` are where it happened.
    """

    number: Column
    opened: Column
    words: Column
    level1: Column
    level2: Column
    level3: Column
    unit: Column
    department: str = ""
    due: str = ""
    closed: str = ""
    on_time: str = ""
    address: str = ""
    district: str = ""
    area: str = ""
    lat: str = ""
    lon: str = ""
    channel: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """All columns that are used."""
        return tuple(filter(None, (getattr(self, name) for name in self.__dataclass_fields__)))


@dataclass(frozen=True, slots=True, config=_STRICT)
class Centre:
    """The hotline itself: what it is called, and its number."""

    name: Name
    phone: str = ""


@dataclass(frozen=True, slots=True, config=_STRICT)
class Mapped:
    """The whole map.

    `dates` is a pattern of `datetime.strptime`, in the city's zone. `points_unknown`: a column and what stands in it
    where a point is only a filler. `districts` names those whose column holds a code. `channels` are the city's words
    for how a record came; a word that is not listed counts as `web`. `departments` names those that go by a code.
    `on_time` is what the column says of one that was done in time, `emergency` the number for life in danger.
    """

    city: Identity
    centre: Centre
    dates: str
    columns: Columns
    bounds: Bounds
    office: Calendar
    emergency: str = "112"
    on_time: str = ""
    points_unknown: Mapping[str, str] = Field(default_factory=dict)
    districts: Mapping[str, str] = Field(default_factory=dict)
    departments: Mapping[str, str] = Field(default_factory=dict)
    channels: Mapping[str, Channel] = Field(default_factory=dict)


_MAP = TypeAdapter(Mapped)


def load_map(path: Path) -> Mapped:
    """Read a map. Raises CityError with every problem found."""
    try:
        return _MAP.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as broken:
        raise CityError([f"{path}: cannot be read as YAML: {broken}"]) from broken
    except ValidationError as wrong:
        raise CityError(
            [f"{path.name} {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in wrong.errors(include_url=False)]
        ) from wrong
