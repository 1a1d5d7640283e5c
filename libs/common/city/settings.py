"""city.toml: the rules of the field as one city sets them, read into frozen values.

Durations are ISO 8601 (`PT30M`, `P7D`). An unknown key is a mistake, so that no misspelt setting is silently ignored.
"""

import tomllib
from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from libs.common.city.problems import Problems
from libs.common.contracts.vocabulary import Urgency

_STRICT = ConfigDict(extra="forbid")


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError) as unknown:
        raise ValueError("should be an IANA name such as Asia/Shanghai") from unknown
    return name


Share = Annotated[float, Field(ge=0, le=1)]
Span = Annotated[timedelta, Field(gt=timedelta())]
Timezone = Annotated[str, AfterValidator(_known_timezone)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Name:
    """What a thing is called in Chinese and in English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, config=_STRICT)
class Identity:
    """Which city this is."""

    code: str
    name: Name
    timezone: Timezone
    default_language: str


@dataclass(frozen=True, slots=True, config=_STRICT)
class Bounds:
    """The box around the city, in WGS 84 degrees; it holds land of the neighbours too."""

    south: float
    west: float
    north: float
    east: float

    def contains(self, lat: float, lon: float) -> bool:
        """Whether a point lies in the box, its edge included."""
        return self.south <= lat <= self.north and self.west <= lon <= self.east


@dataclass(frozen=True, slots=True, config=_STRICT)
class Limit:
    """How soon the citizen must hear from the unit, and how soon the matter must be done."""

    response: Span
    completion: Span


@dataclass(frozen=True, slots=True, config=_STRICT)
class Lights:
    """When a clock warns, as shares of its time: reminders of grade 1, 2, 3, then the yellow and the red light."""

    reminders: tuple[Share, ...]
    yellow: Annotated[float, Field(gt=0)]
    red: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        steps = [*self.reminders, self.yellow, self.red]
        if steps != sorted(set(steps)):
            raise ValueError("reminders, yellow and red should rise, such as 0.5, 0.8, 0.95, 1.0, 1.5")
        return self


@dataclass(frozen=True, slots=True, config=_STRICT)
class Calendar:
    """Whether clocks count natural or working time, and what working time is: ISO weekdays (1 = Monday) and hours."""

    count: Literal["natural", "working"]
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...]
    opens: time
    closes: time

    @model_validator(mode="after")
    def _has_hours(self) -> Self:
        if self.opens >= self.closes or not self.weekdays:
            raise ValueError("needs at least one weekday and opens before closes")
        return self


@dataclass(frozen=True, slots=True, config=_STRICT)
class Policy:
    """Deadlines by class of urgency, and how a clock warns."""

    limits: Mapping[Urgency, Limit]
    elderly_response: Span
    lights: Lights
    calendar: Calendar

    @model_validator(mode="after")
    def _every_class(self) -> Self:
        if missing := sorted(set(get_args(Urgency)) - set(self.limits)):
            raise ValueError(f"limits lack {', '.join(missing)}")
        return self

    def limit(self, urgency: Urgency, *, elderly: bool = False) -> Limit:
        """The limit of a class; for an elderly caller or topic the response is never later than the cap.

        Source: the first answer within 24 hours that Beijing's hotline promises on matters of the elderly.
        """
        limit = self.limits[urgency]
        if not elderly:
            return limit
        return Limit(min(limit.response, self.elderly_response), limit.completion)


@dataclass(frozen=True, slots=True, config=_STRICT)
class Rates:
    """Weights of the three rates 三率 (their sum is 1), how long a callback is tried, how often a ticket may reopen."""

    responded: Share
    solved: Share
    satisfied: Share
    callback_window: Span
    reopen_limit: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if abs(self.responded + self.solved + self.satisfied - 1) > 1e-9:
            raise ValueError("responded, solved and satisfied should add up to 1")
        return self


@dataclass(frozen=True, slots=True, config=_STRICT)
class Emergency:
    """A number for life in danger, and the words that call for it instead of a ticket."""

    number: str
    name: Name
    words: tuple[Annotated[str, Field(min_length=2)], ...]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Routing:
    """Confidence below which a person looks, how long a ticket waits for one, returns before the centre rules."""

    low_confidence: Share
    hold_limit: Span
    returns_before_centre: Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Settings:
    """The whole of city.toml."""

    city: Identity
    bounds: Bounds
    policy: Policy
    rates: Rates
    emergencies: tuple[Emergency, ...]
    routing: Routing


_SETTINGS = TypeAdapter(Settings)


def load_settings(path: Path, problems: Problems) -> Settings | None:
    """Read city.toml; None when it cannot be used, with the reasons noted."""
    try:
        return _SETTINGS.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        problems.add(path.name, f"is missing; expected at {path}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        problems.add(path.name, f"is not TOML: {broken}")
    except ValidationError as wrong:
        for error in wrong.errors(include_url=False):
            key = ".".join(str(part) for part in error["loc"])
            problems.add(f"{path.name} {key}", f"{error['msg']} (found {error['input']!r})")
    return None
