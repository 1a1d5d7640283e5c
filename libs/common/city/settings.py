"""city.toml: the rules of the field as one city sets them, read into frozen values.

Durations are ISO 8601 (`PT30M`, `P7D`). An unknown key is a mistake, so that no misspelt setting is silently ignored.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from libs.common.city.catalogue import FIVE_NATURES, SEVEN_HAVES
from libs.common.city.days import CHINA, kinds_of, read_hours
from libs.common.city.problems import Problems, read_toml
from libs.common.contracts.vocabulary import Urgency

_STRICT = ConfigDict(extra="forbid")


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError) as unknown:
        raise ValueError("should be an IANA name such as Asia/Shanghai") from unknown
    return name


MessageKind = Literal[
    "received", "linked", "answered", "transferred", "dispatched", "resolved", "asked", "closed", "screened",
]  # fmt: skip


def _known_tag(tag: str) -> str:
    if tag not in SEVEN_HAVES + FIVE_NATURES:
        raise ValueError("should be one of the seven haves or five natures, such as 安全性")
    return tag


Share = Annotated[float, Field(ge=0, le=1)]
Span = Annotated[timedelta, Field(gt=timedelta())]
Timezone = Annotated[str, AfterValidator(_known_timezone)]
Tag = Annotated[str, AfterValidator(_known_tag)]


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
    """Whether clocks count natural or working time, and what working time is: ISO weekdays (1 = Monday) and hours.

    `hours` are several spans of a day, such as 09:00-12:00, instead of one from `opens` to `closes`. `holidays` says
    whose are kept: a country, or a part of one such as US-MA; empty is none. `runs_out` says when a limit is due that
    runs out just as offices close: then, or when they open again.
    """

    count: Literal["natural", "working"]
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...]
    opens: time
    closes: time
    hours: tuple[str, ...] = ()
    holidays: str = CHINA
    runs_out: Literal["closing", "opening"] = "closing"

    @model_validator(mode="after")
    def _has_hours(self) -> Self:
        if self.opens >= self.closes or not self.weekdays:
            raise ValueError("needs at least one weekday and opens before closes")
        read_hours(self.hours)
        kinds_of(self.holidays)
        return self

    @property
    def spans(self) -> tuple[tuple[time, time], ...]:
        """The hours of a usual day of work."""
        return read_hours(self.hours) or ((self.opens, self.closes),)


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
class Routing:
    """Confidence below which a person looks, how long a ticket waits for one, returns before the centre rules.

    Of a city with a model of routing (routing.npz): whether it `learned_leads` where it is at least so `learned_sure`.
    `below` lets it name units under the one that a rule names, `always` any; it never leads where a person is to look.
    """

    low_confidence: Share
    hold_limit: Span
    returns_before_centre: Annotated[int, Field(ge=1)]
    learned_leads: Literal["never", "below", "always"] = "never"
    learned_sure: Share = 0.5


@dataclass(frozen=True, slots=True, config=_STRICT)
class Helping:
    """How long a unit has that was drawn in: to turn up to a whistle 吹哨报到, and for its part of the work.

    `share` is that of the completion limit of the order's class, so that the lead has the rest of it. All are defaults
    of this project.
    """

    whistle_urgent: Span = timedelta(minutes=30)
    whistle: Span = timedelta(hours=24)
    share: Annotated[float, Field(gt=0, le=1)] = 0.5


@dataclass(frozen=True, slots=True, config=_STRICT)
class Repeats:
    """From which likeness an appeal is joined to another by itself, from which it is only suggested, and how long.

    Up to `fresh` apart appeals are compared as they are; towards the end of the `window` their likeness sinks to the
    share `stale`, and beyond it nothing is joined: the same trouble a month later is a new appeal.
    """

    link: Share = 0.4
    suggest: Share = 0.25
    window: Span = timedelta(days=15)
    fresh: Span = timedelta(days=7)
    stale: Share = 0.7

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not (0 < self.suggest <= self.link and self.fresh < self.window):
            raise ValueError("suggest should be over 0 and at most link, and fresh shorter than window")
        return self


@dataclass(frozen=True, slots=True, config=_STRICT)
class Lines:
    """What a line is held to: how soon to answer, the least share of calls answered, below which share it is cold.

    Source of 15 s and 95 %: GB/T 33358-2016 and Beijing's draft local standard of 2021; half is a default of ours.
    """

    answer_within: Span = timedelta(seconds=15)
    connection_rate: Share = 0.95
    cold_below: Share = 0.5


@dataclass(frozen=True, slots=True, config=_STRICT)
class Retention:
    """How long what is kept of a ticket stays after its end, and call records and entries of the audit log from theirs.

    `identity` is the appeal as it came and whose it is, `words` the redacted text; counts and categories stay.
    `open_after_end` is how long the unit that led may open the contact yet, and a seat may ask how it went.
    Source: Personal Information Protection Law, articles 19 (the shortest time that the purpose needs) and 56 (three
    years for the record of what was done with it). The spans of tickets are defaults of this project.
    """

    identity: Span = timedelta(days=365)
    words: Span = timedelta(days=1095)
    files: Span = timedelta(days=180)
    chats: Span = timedelta(days=180)
    calls: Span = timedelta(days=365)
    audit: Span = timedelta(days=1095)
    open_after_end: Span = timedelta(days=30)
    decisions: Span = timedelta(days=365)
    """From when it was made: why an order got its lead."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not max(self.files, self.chats, self.open_after_end) <= self.identity <= self.words:
            raise ValueError("files, chats and open_after_end should be no longer than identity, identity than words")
        return self


@dataclass(frozen=True, slots=True, config=_STRICT)
class Messages:
    """What citizens are told without asking: the kinds a city switched off, and when it is night, in its own time."""

    off: tuple[MessageKind, ...] = ()
    quiet_from: time = time(22)
    quiet_until: time = time(8)


NoticeDesk = Literal["duty", "head", "above", "centre"]
"""Who is told of a clock: the duty office of the unit that leads, its head, the unit above, the centre."""


def _known_mark(mark: str) -> str:
    if mark not in {"yellow", "red"} and not mark.isdecimal():
        raise ValueError("should be the grade of a reminder such as 1, or yellow or red")
    return mark


@dataclass(frozen=True, slots=True, config=_STRICT)
class Notices:
    """Who is told at which mark of a clock, what may wake somebody, and how long what is alike is gathered.

    `tell` has the desks by the grade of a reminder, or the light; a mark it does not name is told to the duty office.
    At night, in the city's own time, only matters of the classes in `wakes` are told. What concerns one desk and one
    mark goes out together after at most `digest`, by class; a class that is not named there never waits. All are
    defaults of this project. What is urgent wakes and never waits, in any city.
    """

    tell: Mapping[Annotated[str, AfterValidator(_known_mark)], tuple[NoticeDesk, ...]] = field(
        default_factory=lambda: {
            "2": ("duty", "head"),
            "3": ("duty", "head"),
            "yellow": ("duty", "head", "above"),
            "red": ("duty", "head", "above", "centre"),
        }
    )
    wakes: tuple[Urgency, ...] = ("urgent", "livelihood")
    digest: Mapping[Urgency, Span] = field(
        default_factory=lambda: {
            "livelihood": timedelta(minutes=2),
            "general": timedelta(minutes=15),
            "complex": timedelta(minutes=15),
        }
    )
    quiet_from: time = time(22)
    quiet_until: time = time(8)

    @model_validator(mode="after")
    def _urgent_at_once(self) -> Self:
        if "urgent" not in self.wakes or "urgent" in self.digest:
            raise ValueError("wakes should name urgent, and digest should not")
        return self


@dataclass(frozen=True, slots=True, config=_STRICT)
class Raising:
    """How many others with the same trouble raise an appeal: of which classes, to which, of which tag if one is named.

    The tag is that of the appeal's question in the catalogue.
    """

    support: Annotated[int, Field(ge=1)]
    of: tuple[Urgency, ...]
    to: Urgency
    tag: Tag | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Screening:
    """How long a citizen may appeal a ruling on an appeal, and how many from one person in which time are noticed."""

    appeal_within: Span = timedelta(days=15)
    burst_appeals: Annotated[int, Field(ge=1)] = 10
    burst_window: Span = timedelta(days=1)


@dataclass(frozen=True, slots=True, config=_STRICT)
class Access:
    """Who cannot or will not phone: where sign-language video calls are held, and when a call back is offered instead.

    `video_url` is a provider's address with {room} in it, empty if the city has none. The numbers are defaults of ours.
    """

    video_url: Annotated[str, Field(pattern=r"^(https://[^ ]*\{room\}[^ ]*)?$")] = ""
    longest_queue: Annotated[int, Field(ge=1)] = 5
    longest_wait: Span = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, config=_STRICT)
class Hotspots:
    """How sure a hot event must be: how many a day may be raised by chance, and of how many people it must at least be.

    One that flares up within `again_days` after it cooled is the same event again. All are defaults of this project.
    """

    false_alarms: Annotated[float, Field(gt=0, le=100)] = 1.0
    least: Annotated[int, Field(ge=3)] = 6
    again_days: Annotated[int, Field(ge=0, le=365)] = 14


@dataclass(frozen=True, slots=True, config=_STRICT)
class Settings:
    """The whole of city.toml."""

    city: Identity
    bounds: Bounds
    policy: Policy
    rates: Rates
    routing: Routing
    helping: Helping = Helping()
    screening: Screening = Screening()
    raising: tuple[Raising, ...] = ()
    repeats: Repeats = Repeats()
    lines: Lines = Lines()
    retention: Retention = Retention()
    messages: Messages = Messages()
    notices: Notices = Notices()
    access: Access = Access()
    hotspots: Hotspots = Hotspots()


_SETTINGS = TypeAdapter(Settings)


def load_settings(path: Path, problems: Problems) -> Settings | None:
    """Read city.toml; None when it cannot be used, with the reasons noted."""
    return read_toml(path, _SETTINGS, problems)
