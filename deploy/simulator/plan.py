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
    """One appeal: when it is sent, how, and after how long its citizen takes it back, if ever."""

    at: datetime
    ref: str
    body: dict[str, Any]
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
    streams = [_ordinary(citizens, Random(f"{seed} ordinary"), seed, start, per_minute)]
    streams += [_burst(citizens, seed, number, start, event) for number, event in enumerate(events, 1)]
    return heapq.merge(*streams, key=lambda planned: planned.at)


def _ordinary(citizens: Citizens, random: Random, seed: int, start: datetime, per_minute: float) -> Iterator[Planned]:
    waiting: list[tuple[datetime, str, dict[str, Any]]] = []
    for number, at in enumerate(_moments(random, start, per_minute), 1):
        while waiting and waiting[0][0] <= at:
            again, ref, body = heapq.heappop(waiting)
            yield Planned(again, ref, body)
        spot, ref = random.choice(citizens.spots), f"sim-{seed}-{number}"
        if random.random() < ALARMS:
            yield Planned(at, ref, citizens.emergency(random, spot))
            continue
        body = citizens.appeal(random, citizens.question(random, at.month), spot)
        yield Planned(at, ref, body, timedelta(minutes=random.randint(20, 300)) if _one_in(random, WITHDRAWN) else None)
        if _one_in(random, REPEATS):
            heapq.heappush(waiting, (at + timedelta(minutes=random.randint(5, 90)), f"{ref}-again", body))


def _one_in(random: Random, share: float) -> bool:
    return random.random() < share


def _moments(random: Random, start: datetime, per_minute: float) -> Iterator[datetime]:
    """Yield when appeals come: a Poisson process whose rate follows the hour, `per_minute` being the day's mean."""
    busiest, mean, at = max(HOURS), sum(HOURS) / len(HOURS), start
    while True:
        at += timedelta(minutes=random.expovariate(per_minute * busiest / mean))
        if random.random() < HOURS[at.hour] / busiest:
            yield at


def _burst(citizens: Citizens, seed: int, number: int, start: datetime, event: Event) -> Iterator[Planned]:
    random = Random(f"{seed} burst {number}")
    try:
        question, spots = citizens.burst(random, event.code)
    except KeyError:
        raise PlanError(f"no question {event.code!r} in the city; name one, or {', '.join(EVENTS)}") from None
    moments = sorted(random.triangular(0, BURST.total_seconds(), 60) for _ in range(event.count))
    for place, seconds in enumerate(moments, 1):
        body = citizens.appeal(random, question, random.choice(spots))
        yield Planned(start + event.after + timedelta(seconds=seconds), f"sim-{seed}-burst-{number}-{place}", body)
