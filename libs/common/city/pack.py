"""The pack of one city, loaded and checked as a whole.

```
deploy/cities/<city>/
  city.toml      deadlines, rates, routing
  emergencies.toml  the numbers for life in danger, and the words that call for each
  units.csv      the centre, departments, companies, districts, streets and towns
  contacts.csv   offices of units that are on duty; optional, like
  changes.csv    units that begin or end, and who succeeds them
  routing.toml   whose work an appeal is, as rules in order; optional
  policies.toml  how long work may take, as rules in order, and what may happen to a clock; optional
  limits.csv     how long work may take of single questions; optional
  calendar.csv   days that are worked otherwise than the calendar has it; optional
  returns.toml   on which grounds a unit may return an order, and how soon; optional
  supervision.toml  what comes under supervision, and how soon it is answered; optional
  callbacks.toml how reporters are asked how it went; optional
  closing.toml   by which signs it is doubted that a matter was done; optional
  kpis.toml      what is measured; optional
  reports.toml   which reports are made by themselves, what may be published; optional, like
  districts.csv  where each district stands on the map
  indices.toml   how the indices of districts are made; optional, like
  population.csv how many people live in each district
  extracts.toml  what units may ask extracts of the record for, and how these are masked; optional
  scoring.toml   how units are scored; optional
  seasons.toml   what comes back every year and what is done before it; optional
  named.csv      by which names people call units and venues that have a unit of their own; optional
  duties.csv     duties beyond the catalogue's, reasons for having none; optional
  topics.toml    how the month's topics are found; optional
  places.csv     what else people call places
  communities.csv  the villages and communities of each street; optional
  points.csv     which district and street the squares of a grid lie in; optional
  catalogue/     the questions, one file for each level-1 category
  categories.csv what level-1 categories are called in English; optional
  scope.toml     what the line accepts, what belongs elsewhere, grounds for a ruling; optional, like
  outward.csv    the bodies outside that appeals are passed on to
  services.csv   which of them are of public space, for Open311 and for neighbours; optional, like
  attributes.csv what is asked of such a service
```
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from libs.common.city.callbacks import Callbacks, load_callbacks
from libs.common.city.catalogue import Catalogue, load_catalogue
from libs.common.city.categories import load_categories
from libs.common.city.closing import Closing, load_closing
from libs.common.city.duties import Duties, load_duties
from libs.common.city.emergencies import Emergencies, load_emergencies
from libs.common.city.extracts import Extracts, load_extracts
from libs.common.city.indices import Indices, People, load_indices, load_population
from libs.common.city.kpis import Kpis, load_kpis
from libs.common.city.limits import load_limits
from libs.common.city.named import Named, load_named
from libs.common.city.names import (
    COMMUNITY_COLUMNS,
    PLACE_COLUMNS,
    Communities,
    PlaceName,
    load_communities,
    load_places,
)
from libs.common.city.overrides import Overrides, load_overrides
from libs.common.city.points import Points, load_points
from libs.common.city.policies import PolicySet, class_rules, load_policies, sections
from libs.common.city.problems import Problems
from libs.common.city.reports import Grid, Reports, load_grid, load_reports
from libs.common.city.returns import Returns, load_returns
from libs.common.city.rules import Known, RuleSet, load_rules
from libs.common.city.scope import Body, Scope, load_bodies, load_scope
from libs.common.city.scoring import Scoring, load_scoring
from libs.common.city.seasons import Seasons, load_seasons
from libs.common.city.services import Services, load_services
from libs.common.city.settings import (
    Access,
    Bounds,
    Helping,
    Hotspots,
    Lines,
    Messages,
    Name,
    Notices,
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
from libs.common.city.supervision import Supervision, load_supervision
from libs.common.city.topics import Topics, load_topics
from libs.common.city.units import CHANGE_COLUMNS, CONTACT_COLUMNS, UNIT_COLUMNS, Unit, load_units

__all__ = [
    "CHANGE_COLUMNS", "COMMUNITY_COLUMNS", "CONTACT_COLUMNS", "PLACE_COLUMNS", "UNIT_COLUMNS",
    "City", "PlaceName", "Unit", "load_city",
]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class City:
    """All that the services know of the city they serve. Two packs are two cities, whatever they say.

    `base_policies` is what stands behind a policies.toml that comes in: the text of each part by its name.
    """

    code: str
    name: Name
    timezone: str
    default_language: str
    bounds: Bounds
    units: Mapping[str, Unit]
    places: tuple[PlaceName, ...]
    communities: tuple[Communities, ...]
    catalogue: Catalogue
    categories: Mapping[str, Name]
    duties: Duties
    named: Named
    rules: RuleSet
    returns: Returns
    supervision: Supervision
    seasons: Seasons
    callbacks: Callbacks
    closing: Closing
    kpis: Kpis
    reports: Reports
    grid: Grid
    indices: Indices
    population: Mapping[str, People]
    extracts: Extracts
    scoring: Scoring
    policies: PolicySet
    base_policies: Mapping[str, str]
    calendar: Overrides
    policy: Policy
    rates: Rates
    emergencies: Emergencies
    bodies: Mapping[str, Body]
    scope: Scope
    screening: Screening
    routing: Routing
    helping: Helping
    services: Services
    lines: Lines
    access: Access
    messages: Messages
    notices: Notices
    retention: Retention
    raising: tuple[Raising, ...]
    repeats: Repeats
    hotspots: Hotspots
    points: Points
    topics: Topics


def load_city(path: Path) -> City:
    """Read the pack in a folder. Raises CityError with every problem found, by file, line and column.

    It is read once for as long as its files stay as they are: the services of one process share it.
    """
    files = ((file, file.stat()) for file in sorted(path.rglob("*")))
    return _load(path, tuple((file.name, state.st_mtime_ns, state.st_size) for file, state in files))


@lru_cache(maxsize=2)
def _load(path: Path, _: tuple[tuple[str, int, int], ...]) -> City:
    problems = Problems()
    settings = load_settings(path / "city.toml", problems)
    units = load_units(path, problems)
    places = load_places(path / "places.csv", units, problems)
    communities = load_communities(path / "communities.csv", units, problems)
    catalogue = load_catalogue(path / "catalogue", {unit.code: unit.kind for unit in units.values()}, problems)
    bodies = load_bodies(path / "outward.csv", problems)
    parts = {
        "units": units,
        "places": places,
        "communities": communities,
        "catalogue": catalogue,
        "categories": load_categories(path, catalogue, problems),
        "duties": load_duties(path / "duties.csv", units, catalogue, problems),
        "named": load_named(path, units, catalogue, problems),
        "rules": load_rules(path, Known(units, catalogue), problems),
        "returns": load_returns(path, problems),
        "supervision": load_supervision(path, problems),
        "seasons": load_seasons(path, units, catalogue, problems),
        "callbacks": load_callbacks(path, problems),
        "closing": load_closing(path, problems),
        "kpis": load_kpis(path, problems),
        "reports": load_reports(path, problems),
        "grid": load_grid(path / "districts.csv", units, problems),
        "indices": load_indices(path, problems),
        "population": load_population(path / "population.csv", units, problems),
        "extracts": load_extracts(path, problems),
        "scoring": load_scoring(path, problems),
        "topics": load_topics(path, problems),
        "services": load_services(path, catalogue, problems),
        "emergencies": load_emergencies(path / "emergencies.toml", problems),
        "bodies": bodies,
        "scope": load_scope(path / "scope.toml", bodies, problems),
        "points": load_points(path / "points.csv", units, problems),
        "calendar": load_overrides(path, problems),
        **_judged_by(path, settings, catalogue, problems),
    }
    problems.raise_if_any()
    return City(**_said_by(cast(Settings, settings)), **parts)


def _judged_by(path: Path, settings: Settings | None, catalogue: Catalogue, problems: Problems) -> dict[str, Any]:
    base = load_limits(path, catalogue, problems) | (class_rules(settings.policy) if settings else {})
    policies = load_policies(path, base, catalogue, problems) if settings else None
    return {"policies": policies, "base_policies": base | (sections(policies.text) if policies else {})}


def _said_by(settings: Settings) -> dict[str, Any]:
    """Return what city.toml says: who the city is, and every other section under its own name."""
    of_itself = {part.name: getattr(settings.city, part.name) for part in fields(settings.city)}
    return of_itself | {part.name: getattr(settings, part.name) for part in fields(settings) if part.name != "city"}
