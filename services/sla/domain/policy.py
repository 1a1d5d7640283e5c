"""What clocks are held to: limits by class, and the marks on the way to them and beyond."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from libs.common.contracts.vocabulary import ClockName, Light, Urgency


@dataclass(frozen=True, slots=True)
class Mark:
    """What happens when this fraction of a clock's time is used up."""

    at: float
    kind: Literal["warn", "light", "supervise"]
    grade: int = 0
    light: Light = "green"


@dataclass(frozen=True, slots=True)
class Policy:
    """One dated set of limits. Response is the first contact with the citizen, completion the unit's word.

    `marks` are each clock's, in order of time. Source of the defaults: Beijing's draft local standard of 2021 for
    completion; see the city pack.
    """

    version: str
    response: Mapping[Urgency, timedelta]
    completion: Mapping[Urgency, timedelta]
    elderly_response: timedelta
    marks: Mapping[ClockName, tuple[Mark, ...]]
    longest_pause: timedelta

    def limit(self, name: ClockName, urgency: Urgency, elderly: bool) -> timedelta:
        """Return how long a clock of this kind may run."""
        if name == "completion":
            return self.completion[urgency]
        return min(self.response[urgency], self.elderly_response) if elderly else self.response[urgency]

    def light(self, name: ClockName, fired: int) -> Light:
        """Return the light after this many marks took effect."""
        return next((mark.light for mark in self.marks[name][:fired][::-1] if mark.kind == "light"), "green")
