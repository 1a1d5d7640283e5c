"""What clocks are held to: limits by rules, in the version of their time, and the marks on the way and beyond."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from libs.common.city.policies import Extension, Ground, Level, PolicySet, Rule
from libs.common.contracts.vocabulary import AccessNeed, Channel, ClockName, Light, ReporterType, Urgency
from services.sla.calendar import Calendar, Kind

MOST_KEPT = 50_000
"""Kinds of matter whose terms a version remembers; there are as many as questions and what else rules look at."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What happens when this fraction of a clock's time is used up."""

    at: float
    kind: Literal["warn", "light", "supervise"]
    grade: int = 0
    light: Light = "green"


class Matter(NamedTuple):
    """An appeal as rules look at it. What is not known yet meets no condition on it."""

    urgency: Urgency
    code: str = ""
    elderly: bool = False
    access: tuple[AccessNeed, ...] = ()
    channel: Channel | None = None
    reporter_type: ReporterType | None = None
    names: tuple[str, ...] = ()
    """Of its category, level by level."""


class Terms(NamedTuple):
    """How long a clock may run, and in which time."""

    limit: timedelta
    kind: Kind


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the rules. `day` is how long a day of work is."""

    rules: PolicySet
    day: timedelta
    _found: dict[tuple[ClockName, Matter], tuple[Terms, ...]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def version(self) -> str:
        """What it is known by, and kept on the clocks it judges."""
        return self.rules.version

    @property
    def grounds(self) -> Mapping[str, Ground]:
        """On what clocks may stand still."""
        return self.rules.grounds

    @property
    def extensions(self) -> Mapping[Level, Extension]:
        """What each level may grant."""
        return self.rules.extensions

    def share(self, reason: str) -> float:
        """Return how much of its limits a round has that was opened for this reason."""
        return float(getattr(self.rules.reopening, reason, 1.0))

    def terms(self, name: ClockName, matter: Matter) -> tuple[Terms, ...]:
        """Return what holds of a clock: the first of these that is due. Nearly always it is one."""
        key = (name, matter)
        found = self._found.get(key)
        if found is None:
            if len(self._found) > MOST_KEPT:
                self._found.clear()
            found = self._found[key] = self._ruled(name, matter)
        return found

    def in_time(self, span: timedelta, count: Kind) -> timedelta:
        """Return a span of the file in the time that is counted: its whole days are days of work there."""
        return span if count == "natural" else span.days * self.day + timedelta(seconds=span.seconds)

    def _ruled(self, name: ClockName, matter: Matter) -> tuple[Terms, ...]:
        pairs = zip(self.rules.rules, self.rules.about, strict=True)
        rules = [rule for rule, codes in pairs if all(_conditions(rule, codes, matter))]
        caps = [cap for rule in rules if (cap := getattr(rule, f"{name}_at_most"))]
        limit, count = next((limit, rule.count) for rule in rules if (limit := getattr(rule, name)))
        if count == "natural":
            return (Terms(min([limit, *caps]), "natural"),)
        return (Terms(self.in_time(limit, count), count), *(Terms(cap, "natural") for cap in caps))


def _conditions(rule: Rule, codes: Sequence[str] | None, matter: Matter) -> Iterator[bool]:
    yield not rule.urgency or matter.urgency in rule.urgency
    yield rule.elderly is None or rule.elderly == matter.elderly
    yield not rule.channel or matter.channel in rule.channel
    yield not rule.reporter_type or matter.reporter_type in rule.reporter_type
    yield not rule.access or not set(rule.access).isdisjoint(matter.access)
    yield codes is None or _is_about(rule.category, codes, matter)


def _is_about(names: Sequence[str], codes: Sequence[str], matter: Matter) -> bool:
    """Whether a matter is in a category of these names, or of a code that was in one when the rules were read."""
    named = not set(names).isdisjoint(matter.names)
    return named or any(matter.code == code or matter.code.startswith(f"{code}-") for code in codes)


@dataclass(frozen=True, slots=True)
class Book:
    """What sla judges by: the calendar, the marks of each clock in order of time, and every version with its start.

    A clock is judged by the version in force when it began, so that nobody's time changes under their hands.
    """

    calendar: Calendar
    marks: Mapping[ClockName, tuple[Mark, ...]]
    starts: tuple[datetime, ...]
    policies: tuple[Policy, ...]

    def at(self, moment: datetime) -> Policy:
        """Return the version in force at a moment; before the first there was the first."""
        if len(self.policies) == 1:
            return self.policies[0]
        return self.policies[max(0, bisect_right(self.starts, moment) - 1)]

    def named(self, version: str, started_at: datetime) -> Policy:
        """Return the version a clock was begun under, or that of its start if nobody has it any more."""
        return next((one for one in self.policies if one.version == version), None) or self.at(started_at)

    def light(self, name: ClockName, fired: int) -> Light:
        """Return the light after this many marks took effect."""
        return next((mark.light for mark in self.marks[name][:fired][::-1] if mark.kind == "light"), "green")
