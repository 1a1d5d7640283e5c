"""A thousand lives of clocks over two years of holidays, each told a second time by the slow reference."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast
from uuid import UUID

import pytest

from libs.common.city.pack import load_city
from libs.common.city.policies import FILE, PolicySet, read_policies
from libs.common.city.problems import Problems
from libs.common.contracts.envelope import Event
from libs.common.contracts.sla import ClockBreached, ClockWarned
from services.sla.domain import (
    Again,
    Book,
    Classified,
    Clock,
    Done,
    Facts,
    NotPossibleError,
    Policy,
    Received,
    asked,
    decide,
    next_due,
    pause,
    resume,
    ruled,
)
from services.sla.domain.days import DayEntry
from services.sla.handlers import calendar_of
from services.sla.service import book_of
from tests.support.slow_clocks import BEIJING
from tests.support.slow_lives import NEW_YEAR, SNOW, WORK, Step, Told, What, happenings
from tests.support.stages import CITY

TICKET = UUID("01900000-0000-7000-8000-000000000001")
PACK = load_city(CITY)
LIVES, AT_A_TIME = 1000, 100
OLD = """
[[rule]]
id = "letters"
channel = ["mail"]
response = "P1D"
completion = "P5D"
count = "working"
[[rule]]
id = "hard"
urgency = ["complex"]
response = "PT6H"
completion = "P15D"
count = "working"
[[pause]]
code = "nobody_there"
name = { zh = "家中无人", en = "Nobody is there" }
longest = "P5D"
[[extension]]
by = "district"
at_most = "P3D"
times = 1
[[extension]]
by = "centre"
at_most = "P15D"
times = 3
[reopening]
not_solved = 0.5
"""
NEW = OLD.replace("P15D", "P10D")
"""Of 2025, and from the new year on; what they say is said once more in tests.support.slow_lives, by hand."""


@cache
def books() -> tuple[Book, Book]:
    """Return what judges, before and after the day of snow."""
    versions = []
    for text in (OLD, NEW):
        problems = Problems()
        versions.append(read_policies(FILE, text.encode(), PACK.base_policies, PACK.catalogue, problems))
        assert not problems.found
    pack = book_of(PACK)
    marks = {name: tuple(mark for mark in pack.marks[name] if mark.kind != "supervise") for name in pack.marks}
    day = DayEntry(TICKET, SNOW[1], (), "snow", "somebody", SNOW[0])
    policies = tuple(Policy(cast(PolicySet, one), timedelta(seconds=WORK)) for one in versions)
    starts = (datetime(2024, 1, 1, tzinfo=BEIJING), NEW_YEAR)
    before = replace(pack, marks=marks, starts=starts, policies=policies)
    return before, replace(before, calendar=calendar_of(PACK, [day]))


class Real:
    """The ticket as sla's own decisions have it, asked whenever something happens or is due."""

    def __init__(self) -> None:
        self.book = books()[0]
        self.facts = Facts()
        self.clocks: tuple[Clock, ...] = ()
        self.granted: list[Any] = []
        self.said: list[What] = []

    def run(self, steps: list[Step]) -> None:
        for step in steps:
            self._pass(step.at)
            self._do(step)
        self._pass(steps[-1].at + timedelta(days=40))

    def _pass(self, until: datetime) -> None:
        while (due := next_due(self.clocks, self.book)) and due <= until:
            self._look(due)

    def _look(self, now: datetime) -> None:
        ruling = decide(TICKET, self.facts, self.clocks, self.book, now)
        self.clocks = ruling.clocks
        self._hear(now, ruling.events)

    def _hear(self, now: datetime, events: Any) -> None:
        self.said += [(now, _name(event), event.clock, event.round, event.due_at) for event in events]

    def _do(self, step: Step) -> None:
        if step.what in {"pause", "resume"}:
            self._stand(step)
        elif step.what == "more":
            self._more(step)
        elif step.what == "snow":
            self.book = books()[1]
        else:
            self.facts = replace(self.facts, **self._news(step))
        self._look(step.at)

    def _news(self, step: Step) -> dict[str, Any]:
        at, known = step.at, self.facts
        if step.what == "received":
            channel, elderly = step.value
            return {"received": Received(at, elderly, channel=channel)}
        received = cast(Received, known.received)
        if step.what == "joined":
            return {"joined": min(known.joined or received.at, received.at - step.value)}
        news: dict[str, dict[str, Any]] = {
            "class": {"classified": Classified(step.value, False, received)},
            "contacted": {"contacted": Done(1, at)},
            "resolved": {"resolved": Done(1, at)},
            "resolved again": {"resolved": Done(2, at)},
            "withdrawn": {"withdrawn": True},
            "linked": {"ended": "linked", "broken_off": "linked"},
            "reopened": {"ended": None, "reopened": Again(2, at)},
        }
        return news[step.what]

    def _stand(self, step: Step) -> None:
        state = "running" if step.what == "pause" else "paused"
        after = []
        for clock in self.clocks:
            said: list[Event] = []
            if clock.state == state == "running":
                until = step.at + step.value if step.value else None
                clock, said = pause(clock, "nobody_there", until, self.book, step.at)  # noqa: PLW2901 its next state
            elif clock.state == state:
                clock, said = resume(clock, self.book, step.at)  # noqa: PLW2901 the same
            after.append(clock)
            self._hear(step.at, said)
        self.clocks = tuple(after)

    def _more(self, step: Step) -> None:
        clock = next(clock for clock in reversed(self.clocks) if clock.name == "completion")
        try:
            span = timedelta(seconds=step.value)
            wish = asked(UUID(int=len(self.granted)), clock, span, "why", "unit", self.granted, self.book, step.at)
        except NotPossibleError:
            return
        wish, after, said = ruled(wish, clock, "centre", "centre", None, self.book, step.at, granted=True)
        self.granted.append(wish)
        self.clocks = tuple(after if after and one is clock else one for one in self.clocks)
        self._hear(step.at, said)


def _name(event: Any) -> str:
    if isinstance(event, ClockWarned):
        return f"warned {event.grade}"
    return event.light if isinstance(event, ClockBreached) else str(event.name.partition(".")[2])


@pytest.mark.parametrize("first", range(0, LIVES, AT_A_TIME))
def test_every_clock_is_what_an_independent_count_of_what_happened_comes_to(first: int) -> None:
    for seed in range(first, first + AT_A_TIME):
        steps = happenings(seed)
        real, told = Real(), Told()
        real.run(steps)
        told.run(steps)
        assert sorted(real.said) == sorted(told.said), f"life {seed}: {steps}"
        assert [(c.name, c.round, c.fired) for c in real.clocks] == [(c.name, c.round, c.fired) for c in told.clocks]
