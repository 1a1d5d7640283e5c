"""What citizens will send and when: fixed by the seed and the hour it begins at, before anything is sent."""

import heapq
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from deploy.simulator.citizens import Citizens

EVENTS = {
    "heating-failure": "heating-01-03",
    "water-outage": "water-01-01",
    "power-outage": "power-01-01",
    "gas-outage": "gas-02-01",
}
"""Bursts that have a name; any question's code of the city pack can be one as well."""
HOURS = (3, 2, 2, 2, 2, 3, 6, 12, 20, 26, 26, 22, 16, 17, 21, 22, 21, 18, 16, 15, 14, 11, 8, 5)
"""How busy each hour of the day is, in relation to the others."""
BURST = timedelta(minutes=10)
REPEATS, ALARMS, WITHDRAWN = 0.03, 0.005, 0.01
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class PlanError(ValueError):
    """An option that cannot be planned with; the text says what would be right."""


@dataclass(frozen=True, slots=True)
class Event:
    """A burst: so many citizens with one question within ten minutes."""

    code: str
    after: timedelta
    count: int


@dataclass(frozen=True, slots=True)
class Planned:
    """One appeal: when it is sent, its number, its body, its question, and when it is taken back, if ever."""

    at: datetime
    ref: str
    body: dict[str, Any]
    code: str | None = None
    withdraw: timedelta | None = None


def span(text: str) -> timedelta:
    """Read a duration such as 90s, 10m, 2h or 1d. Raises PlanError."""
    found = _SPAN.fullmatch(text)
    if not found:
        raise PlanError(f"{text!r} is no duration; write 90s, 10m, 2h or 1d")
    return timedelta(**{_UNITS[found[2]]: float(found[1])})


def event(text: str) -> Event:
    """Read a burst such as heating-failure@10m:500. Raises PlanError."""
    found = re.fullmatch(r"([a-z0-9-]+)@([^:]+):(\d+)", text)
    if not found:
        raise PlanError(f"{text!r} is no event; write what@when:how-many, such as heating-failure@10m:500")
    return Event(EVENTS.get(found[1], found[1]), span(found[2]), int(found[3]))


def plan(
    citizens: Citizens, seed: int, start: datetime, per_minute: float, events: Sequence[Event] = ()
) -> Iterator[Planned]:
    """Yield appeals without end, in the order of their times. `start` is in the city's own time zone."""
    bursts = [_burst(citizens, seed, number, start, event) for number, event in enumerate(events, 1)]
    return heapq.merge(_ordinary(citizens, seed, start, per_minute), *bursts, key=lambda planned: planned.at)


def _ordinary(citizens: Citizens, seed: int, start: datetime, per_minute: float) -> Iterator[Planned]:
    random = Random(f"{seed} ordinary")
    repeats: list[tuple[datetime, str, dict[str, Any], str]] = []
    for number, at in enumerate(_moments(random, start, per_minute), 1):
        while repeats and repeats[0][0] <= at:
            yield Planned(*heapq.heappop(repeats))
        spot, ref = random.choice(citizens.spots), _ref(seed, start, str(number))
        if random.random() < ALARMS:
            yield Planned(at, ref, citizens.emergency(random, spot))
            continue
        question = citizens.question(random, at.month)
        body = citizens.appeal(random, question, spot)
        changes_mind = timedelta(minutes=random.randint(20, 300)) if random.random() < WITHDRAWN else None
        yield Planned(at, ref, body, question.code, changes_mind)
        if random.random() < REPEATS:
            again = at + timedelta(minutes=random.randint(5, 90))
            heapq.heappush(repeats, (again, f"{ref}-again", body, question.code))


def _moments(random: Random, start: datetime, per_minute: float) -> Iterator[datetime]:
    """Yield when appeals come: a Poisson process whose rate follows the hour, `per_minute` being the day's mean."""
    busiest, mean, at = max(HOURS), sum(HOURS) / len(HOURS), start
    while True:
        at += timedelta(minutes=random.expovariate(per_minute * busiest / mean))
        if random.random() < HOURS[at.hour] / busiest:
            yield at


def _burst(citizens: Citizens, seed: int, number: int, start: datetime, event: Event) -> list[Planned]:
    random = Random(f"{seed} burst {number}")
    try:
        question, spots = citizens.burst(random, event.code)
    except KeyError:
        raise PlanError(f"no question {event.code!r} in the city; name one, or {', '.join(EVENTS)}") from None
    moments = sorted(random.triangular(0, BURST.total_seconds(), 60) for _ in range(event.count))
    refs = (_ref(seed, start, f"burst-{number}-{place}") for place in range(event.count))
    bodies = (citizens.appeal(random, question, random.choice(spots)) for _ in moments)
    at = (start + event.after + timedelta(seconds=seconds) for seconds in moments)
    return [Planned(*parts, event.code) for parts in zip(at, refs, bodies, strict=True)]


def _ref(seed: int, start: datetime, name: str) -> str:
    """Return an appeal's own number: another run of the same seed sends other appeals."""
    return f"sim-{seed}-{start:%Y%m%dT%H%M%S}-{name}"
