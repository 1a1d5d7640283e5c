"""The pack of one city, loaded and checked as a whole.

```
deploy/cities/<city>/
  city.toml      deadlines, rates, routing
  emergencies.toml  the numbers for life in danger, and the words that call for each
  units.csv      the centre, departments, companies, districts, streets and towns
  places.csv     what else people call places
  catalogue/     the questions, one file for each level-1 category
  scope.toml     what the line accepts, what belongs elsewhere, grounds for a ruling; optional, like
  outward.csv    the bodies outside that appeals are passed on to
  services.csv   which of them are of public space, for Open311 and for neighbours; optional, like
  attributes.csv what is asked of such a service
```
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast, get_args

from libs.common.city.catalogue import Catalogue, load_catalogue
from libs.common.city.emergencies import Emergencies, load_emergencies
from libs.common.city.problems import Problems, Row, read_table
from libs.common.city.scope import Body, Scope, load_bodies, load_scope
from libs.common.city.services import Services, load_services
from libs.common.city.settings import (
    Access,
    Bounds,
    Hotspots,
    Lines,
    Messages,
    Name,
    Policy,
    Raising,
    Rates,
    Repeats,
    Retention,
    Routing,
    Screening,
    Settings,
    load_settings,
)

UnitKind = Literal["centre", "district", "street", "town", "department", "company"]
PlaceKind = Literal[
    "alias", "landmark", "station", "estate", "village", "road", "zone",  # where something is
    "common", "none", "city", "outside",  # how a word is to be taken
]  # fmt: skip
UNIT_COLUMNS = ("code", "name_zh", "name_en", "short_zh", "kind", "parent", "district", "phone", "hours")
PLACE_COLUMNS = ("name", "kind", "street", "district")
_HOURS = re.compile(r"24h|[A-Z][a-z]-[A-Z][a-z] \d\d:\d\d-\d\d:\d\d")
_LOCATED = ("district", "street", "town")
_WORDS_ONLY = ("common", "none", "city", "outside")


@dataclass(frozen=True, slots=True)
class Unit:
    """A handling unit 承办单位. `district` is a six-digit statistical code; `hours` read 24h or Mo-Fr 09:00-18:00."""

    code: str
    name: Name
    short: str
    kind: UnitKind
    parent: str | None
    district: str | None
    phone: str | None
    hours: str


@dataclass(frozen=True, slots=True)
class PlaceName:
    """A line of places.csv: a name people use and the street unit or district (six digits) it lies in.

    Kinds that carry no place: `common` (an ordinary word too: it counts only with its suffix, or right behind its
    district), `none` (no place, although it contains the name of one), `city` (this city itself), `outside` (another).
    """

    name: str
    kind: PlaceKind
    street: str | None
    district: str | None


@dataclass(frozen=True, slots=True)
class City:
    """All that the services know of the city they serve."""

    code: str
    name: Name
    timezone: str
    default_language: str
    bounds: Bounds
    units: Mapping[str, Unit]
    places: tuple[PlaceName, ...]
    catalogue: Catalogue
    policy: Policy
    rates: Rates
    emergencies: Emergencies
    bodies: Mapping[str, Body]
    scope: Scope
    screening: Screening
    routing: Routing
    services: Services
    lines: Lines
    access: Access
    messages: Messages
    retention: Retention
    raising: tuple[Raising, ...]
    repeats: Repeats
    hotspots: Hotspots


def load_city(path: Path) -> City:
    """Read the pack in a folder. Raises CityError with every problem found, by file, line and column."""
    problems = Problems()
    settings = load_settings(path / "city.toml", problems)
    units = _load_units(path / "units.csv", problems)
    places = tuple(_place(row, units) for row in read_table(path / "places.csv", PLACE_COLUMNS, problems))
    catalogue = load_catalogue(path / "catalogue", {unit.code: unit.kind for unit in units.values()}, problems)
    services = load_services(path, catalogue, problems)
    emergencies = load_emergencies(path / "emergencies.toml", problems)
    bodies = load_bodies(path / "outward.csv", problems)
    scope = load_scope(path / "scope.toml", bodies, problems)
    problems.raise_if_any()
    return _city(
        cast(Settings, settings), units, places, catalogue, services, cast(Emergencies, emergencies), bodies, scope
    )


def _city(
    settings: Settings,
    units: Mapping[str, Unit],
    places: tuple[PlaceName, ...],
    catalogue: Catalogue,
    services: Services,
    emergencies: Emergencies,
    bodies: Mapping[str, Body],
    scope: Scope,
) -> City:
    identity = settings.city
    return City(
        code=identity.code,
        name=identity.name,
        timezone=identity.timezone,
        default_language=identity.default_language,
        bounds=settings.bounds,
        units=units,
        places=places,
        catalogue=catalogue,
        policy=settings.policy,
        rates=settings.rates,
        emergencies=emergencies,
        bodies=bodies,
        scope=scope,
        screening=settings.screening,
        routing=settings.routing,
        services=services,
        lines=settings.lines,
        access=settings.access,
        messages=settings.messages,
        retention=settings.retention,
        raising=settings.raising,
        repeats=settings.repeats,
        hotspots=settings.hotspots,
    )


def _load_units(path: Path, problems: Problems) -> Mapping[str, Unit]:
    rows: dict[str, Row] = {}
    for row in read_table(path, UNIT_COLUMNS, problems):
        if row.filled("code") in rows:
            row.wrong("code", f"{row['code']!r} stands at line {rows[row['code']].line} already")
        rows[row["code"]] = row
    units = {code: _unit(row) for code, row in rows.items()}
    if path.is_file() and [unit.kind for unit in units.values()].count("centre") != 1:
        problems.add(path.name, "exactly one unit should be of kind centre")
    districts = {unit.district for unit in units.values() if unit.kind == "district"}
    for code, unit in units.items():
        if unit.kind != "centre" and unit.parent not in units:
            rows[code].wrong("parent", f"{unit.parent!r} should be the code of another unit")
        if unit.kind in _LOCATED and unit.district not in districts:
            rows[code].wrong("district", f"{unit.district!r} should be the six-digit code of a district unit")
    return MappingProxyType(units)


def _unit(row: Row) -> Unit:
    if not _HOURS.fullmatch(row["hours"]):
        row.wrong("hours", f"{row['hours']!r} should read 24h or Mo-Fr 09:00-18:00")
    return Unit(
        code=row["code"],
        name=Name(row.filled("name_zh"), row.filled("name_en")),
        short=row.filled("short_zh"),
        kind=cast(UnitKind, row.choice("kind", get_args(UnitKind))),
        parent=row["parent"] or None,
        district=row["district"] or None,
        phone=row["phone"] or None,
        hours=row["hours"],
    )


def _place(row: Row, units: Mapping[str, Unit]) -> PlaceName:
    kind = cast(PlaceKind, row.choice("kind", get_args(PlaceKind)))
    street, district = row["street"], row["district"]
    if kind in _WORDS_ONLY:
        if street or district:
            row.wrong("kind", f"{kind} is said of a word: street and district should be empty")
    elif f"d-{district}" not in units:
        row.wrong("district", f"{district!r} should be the six-digit code of a district unit")
    elif street and (street not in units or units[street].district != district):
        row.wrong("street", f"{street!r} should be the code of a street or town in district {district}")
    return PlaceName(row.filled("name"), kind, street or None, district or None)
