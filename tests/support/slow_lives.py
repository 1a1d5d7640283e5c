"""What may happen to a ticket's clocks, drawn from a seed, and the same life told by hand: what the clocks must say."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from tests.support.slow_clocks import BEIJING, SlowClock, SlowTime, office

NEW_YEAR = datetime(2026, 1, 1, tzinfo=BEIJING)
SNOW = (datetime(2026, 1, 18, 20, tzinfo=BEIJING), date(2026, 1, 19))
"""When it was said that a day is not worked, and which."""
HOUR, DAY, WORK = 3600, 86_400, 9 * 3600
CLASSES = {"urgent": (HOUR // 2, 2 * HOUR), "livelihood": (2 * HOUR, DAY), "general": (DAY, 7 * DAY)}
What = tuple[datetime, str, str, int, datetime]
"""When, what, of which clock and round, and when it is due then."""


def limits(urgency: str, channel: str, start: datetime) -> tuple[tuple[int, int], str]:
    """Return the seconds of both clocks, and in which time, as the rules of the test have it."""
    if channel == "mail":
        return (WORK, 5 * WORK), "working"
    if urgency == "complex":
        return (6 * HOUR, (10 if start >= NEW_YEAR else 15) * WORK), "working"
    return CLASSES[urgency], "natural"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens to a ticket."""

    at: datetime
    what: str
    value: Any = None


def life(random: Random) -> Iterator[Step]:
    """Yield what happens to one ticket."""
    at = datetime(2025, 1, 2, tzinfo=BEIJING) + timedelta(seconds=random.randrange(700 * DAY))
    yield Step(at, "received", (random.choice(("mail", "web", "phone")), random.random() < 0.3))
    for _ in range(random.randint(2, 9)):
        at += timedelta(seconds=random.choice((random.randrange(2 * HOUR), random.randrange(3 * DAY))))
        what = random.choice(("class", "class", "pause", "resume", "more", "joined", "contacted"))
        value: Any = None
        if what == "class":
            value = random.choice(("urgent", "livelihood", "general", "general", "complex", "complex"))
        elif what == "pause":
            value = random.choice((None, timedelta(seconds=random.randrange(HOUR, 2 * DAY))))
        elif what == "more":
            value = random.choice((DAY, 2 * DAY))
        elif what == "joined":
            value = timedelta(seconds=random.randrange(4 * DAY))
        yield Step(at, what, value)
    at += timedelta(seconds=random.randrange(10 * DAY))
    yield Step(at, random.choice(("resolved", "resolved", "withdrawn", "linked")))
    if random.random() < 0.4:
        at += timedelta(seconds=random.randrange(1, 3 * DAY))
        yield Step(at, "reopened")
        yield Step(at + timedelta(seconds=random.randrange(12 * DAY)), "resolved again")


def happenings(seed: int) -> list[Step]:
    """Return what happens to one ticket, in order, the day of snow among it if that comes in its time."""
    steps = list(life(Random(seed)))
    if not any(step.what in {"resolved", "linked"} for step in steps):
        steps = [step for step in steps if not step.what.startswith("re") or step.what in {"received", "resume"}]
    snow = [Step(SNOW[0], "snow")] if steps[0].at < SNOW[0] else []
    return sorted([*steps, *snow], key=lambda step: step.at)


@cache
def slow_times() -> tuple[SlowTime, SlowTime]:
    """Return the time before and after it was known of the day of snow."""
    return SlowTime(office()), SlowTime(office(frozenset({SNOW[1]})))


@dataclass(slots=True)
class Told:
    """The same ticket, told by hand."""

    time: SlowTime = field(default_factory=lambda: slow_times()[0])
    before: SlowTime = field(default_factory=lambda: slow_times()[0])
    clocks: list[SlowClock] = field(default_factory=list)
    said: list[What] = field(default_factory=list)
    now: datetime = NEW_YEAR
    received: datetime = NEW_YEAR
    start: datetime = NEW_YEAR
    channel: str = ""
    elderly: bool = False
    urgency: str = "general"

    def run(self, steps: list[Step]) -> None:
        """Tell the whole life, and forty days more."""
        self.now = steps[0].at
        for step in steps:
            self._pass(step.at)
            getattr(self, f"_{step.what.replace(' ', '_')}")(step)
            self._fire(step.at)
        self._pass(steps[-1].at + timedelta(days=40))

    def _open(self) -> list[SlowClock]:
        return [clock for clock in self.clocks if not clock.ended]

    def _say(self, what: str, clock: SlowClock, at: datetime | None = None) -> None:
        self.said.append((at or self.now, what, clock.name, clock.round, clock.due(self.time)))

    def _pass(self, until: datetime) -> None:
        for clock in self._open():
            if clock.paused and clock.paused[1] <= until:
                begins, ends = clock.paused
                clock.pauses.append((begins, ends))
                clock.paused = None
                self._say("resumed", clock, ends)
                self._marks(clock, ends, until)
            else:
                self._marks(clock, self.now, until)
        self.now = until

    def _fire(self, now: datetime) -> None:
        for clock in self._open():
            self._marks(clock, now, now)

    def _marks(self, clock: SlowClock, since: datetime, until: datetime) -> None:
        for at, what in clock.marks(since, until, self.time):
            self._say(what, clock, at)

    def _held(self, clock: SlowClock) -> tuple[int, str]:
        """Return the seconds and the time that hold: of the limit and the day the elderly wait what is due first."""
        judged = self.received if clock.round == 1 else clock.start
        both, kind = limits(self.urgency, self.channel, judged)
        share = 2 if clock.round == 2 else 1
        options = [(both[clock.name == "completion"] // share, kind)]
        if self.elderly and clock.name == "response":
            options.append((DAY // share, "natural"))
        return min(options, key=lambda one: self.time.reached(clock.start, *one))

    def _held_anew(self) -> None:
        for clock in self._open():
            before = (clock.urgency, clock.seconds, clock.kind, clock.start, clock.due(self.before))
            clock.start = self.start if clock.round == 1 else clock.start
            clock.urgency = self.urgency
            clock.seconds, clock.kind = self._held(clock)
            if before != (clock.urgency, clock.seconds, clock.kind, clock.start, clock.due(self.time)):
                clock.forget(self.now, self.time)
                self._say("started", clock)
        self.before = self.time

    def _begin(self, round_: int) -> None:
        for name in ("response", "completion"):
            clock = SlowClock(name, round_, self.now, self.urgency, 0, "natural")
            clock.seconds, clock.kind = self._held(clock)
            self.clocks.append(clock)
            self._say("started", clock)

    def _received(self, step: Step) -> None:
        self.channel, self.elderly = step.value
        self.received = self.start = step.at
        self._begin(1)

    def _class(self, step: Step) -> None:
        self.urgency = step.value
        self._held_anew()

    def _joined(self, step: Step) -> None:
        self.start = min(self.start, self.received - step.value)
        self._held_anew()

    def _snow(self, _: Step) -> None:
        self.time = slow_times()[1]
        self._held_anew()

    def _pause(self, step: Step) -> None:
        for clock in self._open():
            if not clock.paused:
                self._say("paused", clock)
                longest = timedelta(days=5)
                clock.paused = (step.at, step.at + min(step.value or longest, longest))

    def _resume(self, step: Step) -> None:
        for clock in self._open():
            if clock.paused:
                self._stood(clock)
                self._say("resumed", clock)

    def _stood(self, clock: SlowClock) -> None:
        if clock.paused:
            clock.pauses.append((clock.paused[0], self.now))
            clock.paused = None

    def _more(self, step: Step) -> None:
        clock = next(clock for clock in reversed(self.clocks) if clock.name == "completion")
        if not clock.ended and clock.fired < 5 and len(clock.more) < 4:
            clock.more.append(step.value)
            clock.forget(self.now, self.time)
            self._say("extended", clock)

    def _end(self, clock: SlowClock, how: str) -> None:
        self._stood(clock)
        clock.ended = how
        self._say(how, clock)

    def _contacted(self, _: Step) -> None:
        for clock in self._open():
            if clock.name == "response":
                self._end(clock, "met")

    def _resolved(self, _: Step) -> None:
        for clock in self._open():
            self._end(clock, "met" if clock.name == "completion" else "stopped")

    _resolved_again = _resolved

    def _withdrawn(self, _: Step) -> None:
        for clock in self._open():
            self._end(clock, "stopped")

    _linked = _withdrawn

    def _reopened(self, _: Step) -> None:
        self._begin(2)
