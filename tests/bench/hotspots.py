"""How soon hot events are found, and how many are found that are none, in a simulated city of 100,000 appeals a day.

    python -m tests.bench.hotspots [--days 5] [--history 28] [--volume 100000] [--seed 1]

The city has its pack's questions and places, with unequal rates, hours, weekends, holidays, weather that lifts whole
categories, questions that swing by themselves, and words of which some are new every day. It is first learnt from, then
watched, with events of five kinds injected: quick and slow, all over the city and in one street, and one with new words
that is judged as all kinds of matters. The engine is asked every five minutes, as the service asks it for its slow
windows; the database is not part of this. Found late is what was found over 15 minutes after its tenth ticket.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from libs.common.city.days import kind_of_day
from libs.common.city.pack import load_city
from libs.common.runtime.settings import Settings
from services.classify.hotspots.baseline import RECENT_DAYS, Baseline, Day
from services.classify.hotspots.grid import LEVEL1, Floats, Grid, Ints
from services.classify.hotspots.scanning import SLOW, WINDOWS, Counts, Found, Scan, clearest
from services.classify.hotspots.words import SPANS, USUAL, Mention, WordFound, grouped, standing_out

FIRST = date(2026, 1, 19)
"""A Monday four weeks before the Spring Festival."""
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
LATE = timedelta(minutes=15)
TENTH = 10
WORDS_A_TICKET = 8
VOCABULARY = 500_000
KINDS = ("quick, city", "quick, street", "slow, city", "slow, street", "new word")
_HOURS = np.array([1, 1, 1, 1, 1, 1, 2, 4, 7, 9, 9, 8, 6, 6, 8, 9, 9, 8, 7, 6, 5, 4, 3, 2], dtype=float)


@dataclass(slots=True)
class Tickets:
    """Tickets of a day in the order of time: minutes since it began, question, place, and grams (ids) each uses."""

    at: Floats
    code: Ints
    place: Ints
    words: NDArray[np.int64]
    event: Ints


@dataclass(slots=True)
class Event:
    """What was injected: when its tickets came, in minutes since the watch began, and when it was found.

    `usual` are the tickets that its question has there on a mean day without it.
    """

    kind: str
    at: Floats
    code: int
    places: Ints
    usual: float
    word: int | None = None
    found: float | None = None

    @property
    def tenth(self) -> float:
        """When its tenth ticket came."""
        return float(self.at[TENTH - 1])

    @property
    def in_time(self) -> bool:
        """Whether it was found soon enough."""
        return self.found is not None and self.found - self.tenth <= LATE / timedelta(minutes=1)


@dataclass(slots=True)
class Tally:
    """What the watch came to."""

    events: list[Event] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class City:
    """A simulated city; equal seeds make equal cities."""

    def __init__(self, grid: Grid, volume: float, seed: int) -> None:
        self.grid = grid
        self.chance = chance = np.random.default_rng(seed)
        codes, places = grid.shape
        rates = chance.lognormal(0, 1.3, codes)
        spread = chance.lognormal(0, 0.7, places) * chance.gamma(2, 0.5, (codes, places))
        self.means = volume * (rates / rates.sum())[:, None] * spread / spread.sum(axis=1, keepdims=True)
        tops = len(grid.tops)
        self.hours = _HOURS * chance.lognormal(0, 0.25, (tops, 24))
        self.hours /= self.hours.sum(axis=1, keepdims=True)
        self.weekend = chance.uniform(0.6, 1.1, tops)

    def day(self, on: date) -> Floats:
        """Draw what each question has in each place that day, weather and all."""
        tops = len(self.grid.tops)
        of_kind = {"work": np.ones(tops), "rest": self.weekend, "holiday": self.weekend * 0.8}[kind_of_day(on)]
        lift = of_kind * self.chance.lognormal(0, 0.06, tops) * self.chance.lognormal(0, 0.05)
        if self.chance.random() < 0.3:
            lift[self.chance.choice(tops, 3, replace=False)] *= self.chance.uniform(1.3, 2.2)
        own = self.chance.lognormal(0, 0.12, len(self.means))
        return np.asarray(self.means * lift[self.grid.matters[LEVEL1]][:, None] * own[:, None])

    def tickets(self, on: date, events: Sequence[Event], began: float) -> Tickets:
        """Draw the tickets of a day, with those of events that fall on it. `began` is its first minute."""
        counts = self.chance.poisson(self.day(on))
        code, place = (np.repeat(axis, counts[np.nonzero(counts)]) for axis in np.nonzero(counts))
        hour = self._drawn_hours(self.grid.matters[LEVEL1][code])
        at = hour * 60 + self.chance.uniform(0, 60, len(code))
        words = self._words(len(code))
        whose = np.full(len(code), -1)
        for number, event in enumerate(events):
            mine = event.at[(event.at >= began) & (event.at < began + 1440)] - began
            drawn = self.chance.choice(len(self.grid.codes), len(mine)) if event.word else event.code
            at, code = np.append(at, mine), np.append(code, np.broadcast_to(drawn, len(mine)))
            place = np.append(place, self.chance.choice(event.places, len(mine)))
            said = self._words(len(mine))
            if event.word:
                said[:, :2] = event.word, event.word + 1
            words, whose = np.concatenate([words, said]), np.append(whose, np.full(len(mine), number))
        order = np.argsort(at)
        return Tickets(at[order], code[order], place[order], words[order], whose[order])

    def _drawn_hours(self, tops: Ints) -> Ints:
        hours = np.zeros(len(tops), dtype=np.intp)
        for top in range(len(self.hours)):
            mine = tops == top
            hours[mine] = self.chance.choice(24, int(mine.sum()), p=self.hours[top])
        return hours

    def _words(self, tickets: int) -> NDArray[np.int64]:
        """Draw grams: most from a long tail of known ones, one in a hundred from what nobody used before."""
        drawn = (VOCABULARY ** self.chance.random((tickets, WORDS_A_TICKET))).astype(np.int64)
        new = self.chance.random(drawn.shape) < 0.01
        drawn[new] = self.chance.integers(VOCABULARY, 20 * VOCABULARY, int(new.sum()))
        return drawn

    def event(self, kind: str, start: float, number: int) -> Event:
        """Draw an event that begins at a minute: 40 tickets in an hour, or 30 in eight hours of a rare matter."""
        quick, wide = not kind.startswith("slow"), not kind.endswith("street")
        by_rate = np.argsort(self.means.sum(axis=1))
        common = by_rate[len(by_rate) // 2 :] if quick else by_rate[: len(by_rate) // 3]
        code = int(self.chance.choice(common))
        named = np.flatnonzero(self.grid.looked_at[0])
        places = named if wide else self.chance.choice(named, 1)
        lasts, tickets = (60, 40) if quick else (480, 30)
        if kind == "quick, city":
            tickets = 300
        at = np.sort(start + self.chance.uniform(0, lasts, tickets))
        usual = float(self.means[code, places].sum())
        return Event(kind, at, code, places, usual, VOCABULARY * 30 + 2 * number if kind == "new word" else None)


class Watch:
    """Watches a city as the service does."""

    def __init__(self, city: City, least: int, budget: float, zone: ZoneInfo) -> None:
        self.city = city
        self.least, self.budget, self.zone = least, budget, zone
        self.baseline = Baseline.blank(city.grid, kind_of_day)
        self.use()
        self.words: dict[int, float] = {}

    def use(self) -> None:
        """Compare with what was learnt."""
        self.scan, self.before = Scan(self.baseline), Scan(self.baseline.without_recent())

    def learn(self, on: date, tickets: Tickets, free: NDArray[np.bool_]) -> None:
        """Learn a day, of which those tickets that are not `free` belong to events that were found."""
        grid = self.city.grid
        hours = np.zeros((len(grid.codes), 24))
        np.add.at(hours, (tickets.code, np.minimum(tickets.at // 60, 23).astype(int)), 1)
        words, times = np.unique(tickets.words[free], return_counts=True)
        said = {f"{w}": int(n) for w, n in zip(words, times, strict=True) if n > 1}
        self.baseline.learn(Day(on, self.counted(tickets, free), self.counted(tickets, ~free), hours, said))
        self.use()

    def counted(self, tickets: Tickets, mine: NDArray[np.bool_]) -> Floats:
        """Return the counts of some tickets."""
        codes, places = self.city.grid.shape
        flat = np.bincount(tickets.code[mine] * places + tickets.place[mine], minlength=codes * places)
        return flat.reshape(codes, places).astype(float)

    def look(self, now: datetime, minute: float, tickets: Tickets, free: NDArray[np.bool_]) -> list[Found]:
        """Return what stands out; `tickets` are of yesterday and today, `minute` counts from yesterday's start."""
        counts: dict[timedelta, tuple[Floats, Floats]] = {}
        for window in WINDOWS[:-1]:
            mine = free & (tickets.at > minute - window / timedelta(minutes=1)) & (tickets.at <= minute)
            counts[window] = self.counted(tickets, mine), self.baseline.brought(now - window, now, self.zone)
        midnight = now.replace(hour=0, minute=0)
        week = self.baseline.brought(midnight - timedelta(days=RECENT_DAYS), now, self.zone)
        today = self.counted(tickets, free & (tickets.at > 1440) & (tickets.at <= minute))
        recent: Counts = {SLOW[-1]: (today + self.baseline.recent.sum(axis=0), week)}
        candidates = [
            *self.scan.look(counts, self.least, self.budget),
            *self.before.look(recent, self.least, self.budget),
        ]
        return clearest(self.city.grid, candidates)

    def new_words(self, now: datetime, minute: float, tickets: Tickets, free: NDArray[np.bool_]) -> list[WordFound]:
        """Return the tickets that share grams which stand out."""
        found: list[WordFound] = []
        days = self.baseline.days
        for span in SPANS[:2]:
            mine = free & (tickets.at > minute - span / timedelta(minutes=1)) & (tickets.at <= minute)
            words, times = np.unique(tickets.words[mine], return_counts=True)
            counts = {f"{w}": int(n) for w, n in zip(words, times, strict=True) if n >= self.least}
            usual = {w: n for w, n in counts.items() if self.baseline.words.get(w, 0) < USUAL * max(days, 1)}
            brought = float(self.baseline.brought(now - span, now, self.zone).mean())
            out = standing_out(usual, self.baseline.past, brought, span, self.least, self.budget)
            found += grouped(_mentions(tickets, mine, list(out)), out, span, self.least)
        return found


def _mentions(tickets: Tickets, mine: NDArray[np.bool_], words: Sequence[str]) -> list[Mention]:
    """Return the tickets that use some grams. In place of an id each has its position."""
    using = np.flatnonzero(mine & np.isin(tickets.words, [int(word) for word in words]).any(axis=1)) if words else ()
    return [
        Mention(UUID(int=int(i)), NOON, str(tickets.code[i]), "", str(tickets.place[i]), int(i),
                frozenset(map(str, tickets.words[i])))
        for i in using
    ]  # fmt: skip


def together(yesterday: Tickets, today: Tickets) -> Tickets:
    """Return two days as one."""
    parts = ((getattr(yesterday, name), getattr(today, name)) for name in ("at", "code", "place", "words", "event"))
    at, *others = parts
    return Tickets(np.append(at[0], at[1] + 1440), *(np.concatenate(pair) for pair in others))


def watched(watch: Watch, days: int, history: int) -> Tally:
    """Learn, then watch with events, one of each kind on each day."""
    city, tally = watch.city, Tally()
    yesterday = city.tickets(FIRST - timedelta(days=1), (), 0.0)
    for number in range(history):
        on = FIRST + timedelta(days=number)
        yesterday = city.tickets(on, (), 0.0)
        watch.learn(on, yesterday, np.ones(len(yesterday.at), dtype=bool))
    members = np.zeros(len(yesterday.at), dtype=bool)
    for number in range(days):
        on, began = FIRST + timedelta(days=history + number), number * 1440.0
        tally.events += [
            city.event(kind, began + city.chance.uniform(0, 1200), len(KINDS) * number + i)
            for i, kind in enumerate(KINDS)
        ]
        today = city.tickets(on, tally.events, began)
        tickets = together(yesterday, today)
        free = np.append(~members, np.ones(len(today.at), dtype=bool))
        _watch_day(watch, on, began, tickets, free, tally)
        members = ~free[len(yesterday.at) :]
        watch.learn(on, today, ~members)
        yesterday = today
    return tally


def _watch_day(
    watch: Watch, on: date, began: float, tickets: Tickets, free: NDArray[np.bool_], tally: Tally
) -> None:  # fmt: skip
    open_: list[Found] = []
    for minute in range(5, 1441, 5):
        now = datetime(on.year, on.month, on.day, tzinfo=watch.zone) + timedelta(minutes=minute)
        here = 1440 + minute
        for event in open_:
            free &= ~_inside(event, tickets, here, timedelta(hours=1))
        started = time.process_time()
        found = watch.look(now, here, tickets, free)
        words = watch.new_words(now, here, tickets, free)
        tally.seconds.append(time.process_time() - started)
        for one in found:
            mine = _inside(one, tickets, here, one.window) & free
            _settle(tally, began + minute, tickets, mine, f"{one.spot.category} {one.spot.street or one.spot.district} "
                    f"{one.window} {one.count} for {one.expected:.2f}")  # fmt: skip
            free &= ~mine
            open_.append(one)
        for group in words:
            mine = np.zeros(len(free), dtype=bool)
            mine[[mention.ticket_id.int for mention in group.mentions]] = True
            if (mine & free).any():
                _settle(tally, began + minute, tickets, mine & free, f"grams {group.grams}")
                free &= ~np.isin(tickets.words, [int(gram) for gram in group.grams]).any(axis=1)


def _inside(found: Found, tickets: Tickets, here: float, window: timedelta) -> NDArray[np.bool_]:
    recent = (tickets.at > here - window / timedelta(minutes=1)) & (tickets.at <= here)
    return np.asarray(np.isin(tickets.code, found.node[0]) & np.isin(tickets.place, found.node[1]) & recent)


def _settle(tally: Tally, minute: float, tickets: Tickets, mine: NDArray[np.bool_], told: str) -> None:
    """Note which event was found, if a third of the tickets are one's; else it is a false alarm."""
    whose = tickets.event[mine]
    numbers, times = np.unique(whose[whose >= 0], return_counts=True)
    if not len(numbers) or times.max() < len(whose) / 3:
        tally.false.append(f"{minute / 60:6.1f} h  {told}")
        return
    event = tally.events[int(numbers[times.argmax()])]
    event.found = event.found if event.found is not None else minute


def rows(tally: Tally) -> Iterator[str]:
    """Yield the table."""
    yield "event            injected  found in time  late  missed   median minutes after the tenth ticket"
    for kind in KINDS:
        mine = [event for event in tally.events if event.kind == kind]
        delays = np.array([e.found - e.tenth for e in mine if e.found is not None])
        in_time = sum(event.in_time for event in mine)
        median = f"{np.median(delays):+.0f}" if len(delays) else ""
        late, missed = len(delays) - in_time, len(mine) - len(delays)
        yield f"{kind:15} {len(mine):9} {in_time:14} {late:5} {missed:7}   {median:>8}"
    for event in tally.events:
        if not event.in_time:
            took = f"{event.tenth - event.at[0]:.0f} min to its tenth ticket"
            found = f"{event.found - event.tenth:.0f} min after it" if event.found is not None else "never"
            yield f"  {event.kind}: usually {event.usual:.1f} a day, {took}, found {found}"


def main() -> None:
    """Read the arguments, watch, and print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.hotspots", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--history", type=int, default=28)
    parser.add_argument("--volume", type=float, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    pack = load_city(Settings().city)
    grid = Grid(pack.catalogue, pack.units)
    rules = pack.hotspots
    watch = Watch(City(grid, wanted.volume, wanted.seed), rules.least, rules.false_alarms / 2, ZoneInfo(pack.timezone))
    tally = watched(watch, wanted.days, wanted.history)
    print(f"{len(grid.codes)} questions, {len(grid.places)} places, {wanted.volume:,.0f} appeals a day, "
          f"{wanted.history} days learnt, {wanted.days} watched")  # fmt: skip
    print("\n".join(rows(tally)))
    print(f"False alarms: {len(tally.false) / wanted.days:.1f} a day")
    print("\n".join(f"  {line}" for line in tally.false))
    print(f"A look at all windows and words: {1000 * float(np.mean(tally.seconds)):.0f} ms of processor time")
    print(f"The baseline, packed: {len(watch.baseline.packed()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
