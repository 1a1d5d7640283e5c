"""What one process keeps to look for hot events: the grid, the baseline and what is made of it, grams and moods."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from libs.common.city.days import kinds_of
from libs.common.city.pack import City
from libs.common.city.settings import Hotspots
from services.classify.hotspots.baseline import RECENT_DAYS, Baseline, Day
from services.classify.hotspots.grid import Cell, Floats, Grid
from services.classify.hotspots.moods import Lexicon
from services.classify.hotspots.scanning import SLOW, Counts, Found, Scan, clearest
from services.classify.hotspots.words import Grams, Mention, Out, WordFound, grouped, standing_out, whole_word

WEEK = SLOW[-1]
_MOSTLY = 0.7
"""Of the tickets with a new word, so many are of one place if the event is said to be there."""


class Detector:
    """Finds what stands out. Its baseline is the one last given; a look uses what it found when it began."""

    def __init__(self, city: City, lexicon: Lexicon) -> None:
        self.rules: Hotspots = city.hotspots
        self.zone = ZoneInfo(city.timezone)
        self.grams = Grams(city, lexicon.empty)
        self.lexicon = lexicon
        self._catalogue = city.catalogue
        self._names = {code: unit.name.zh for code, unit in city.units.items()}
        self._grid = Grid(city.catalogue, city.units)
        self._kind_of, _ = kinds_of(city.policy.calendar.holidays)
        self.use(None)

    def use(self, packed: bytes | None) -> None:
        """Compare with this baseline from now on."""
        known = self._grid, self._kind_of
        baseline = Baseline.unpacked(packed, *known) if packed else Baseline.blank(*known)
        self._baseline, self._scan, self._before = baseline, Scan(baseline), Scan(baseline.without_recent())
        self.grams.usual({word: rate / max(baseline.days, 1.0) for word, rate in baseline.words.items()})

    @property
    def places(self) -> list[str]:
        """The places that are told apart, as district/street; what is not known is empty."""
        return self._grid.places

    @property
    def until(self) -> date | None:
        """The last day that was learnt."""
        return self._baseline.until

    def midnight(self, day: date) -> datetime:
        """Return when a day begins."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)

    def today(self, now: datetime) -> date:
        """Return which day it is in the city."""
        return now.astimezone(self.zone).date()

    def week_began(self, now: datetime) -> datetime:
        """Return when the longest window began: with the first of the days whose counts are kept."""
        return self.midnight(self.today(now) - timedelta(days=RECENT_DAYS))

    def learnt(self, on: date, cells: Sequence[tuple[bool, int, Cell]], words: Mapping[str, int]) -> bytes:
        """Return the baseline with one day more, packed. A cell comes with whether it is of an event, and its hour."""
        baseline = Baseline.unpacked(self._baseline.packed(), self._grid, self._kind_of)
        outside, inside = ([cell for of_event, _, cell in cells if of_event is so] for so in (False, True))
        hours = np.stack(
            [self._grid.counted(cell for _, at, cell in cells if at == hour).sum(axis=1) for hour in range(24)], axis=1
        )
        baseline.learn(Day(on, self._grid.counted(outside), self._grid.counted(inside), hours, words))
        return baseline.packed()

    def find(
        self, windows: Sequence[timedelta], cells: Sequence[tuple[str, str, str, Sequence[int]]], now: datetime
    ) -> list[Found]:
        """Return the nodes that stand out.

        Each cell (code, district, street) comes with its count in every window; in that of a week, with today's.
        """
        positions = self._grid.positions((code, district, street) for code, district, street, _ in cells)
        many = np.array([count for *_, count in cells], dtype=np.float64).reshape(len(cells), len(windows))
        counts: Counts = {
            window: self._counted(window, self._grid.spread(positions, many[:, i]), now)
            for i, window in enumerate(windows)
        }
        least, budget = self.rules.least, self.rules.false_alarms / 2
        week = {window: count for window, count in counts.items() if window == WEEK}
        rest = {window: count for window, count in counts.items() if window != WEEK}
        candidates = [*self._scan.look(rest, least, budget), *self._before.look(week, least, budget)]
        return clearest(self._grid, candidates)

    def _counted(self, window: timedelta, came: Floats, now: datetime) -> tuple[Floats, Floats]:
        if window != WEEK:
            return came, self._baseline.brought(now - window, now, self.zone)
        return came + self._baseline.recent.sum(axis=0), self._baseline.brought(self.week_began(now), now, self.zone)

    def expected(
        self, codes: Sequence[str], district: str | None, street: str | None, since: datetime, until: datetime
    ) -> float:
        """Return how many tickets some questions have in one place in a span of time."""
        questions, places = self._grid.inside(codes, district, street)
        return self._scan.expected(questions, places, self._baseline.brought(since, until, self.zone))

    def expected_words(self, grams: Sequence[str], since: datetime, until: datetime) -> float:
        """Return how many tickets use some grams in a span of time: as many as use the rarest of them."""
        past = self._baseline.past
        brought = float(self._baseline.brought(since, until, self.zone).mean())
        return brought * min(past.rates.get(gram, 0.0) for gram in grams) / max(past.days, 1.0)

    def standing_out(self, counts: Mapping[str, int], span: timedelta, now: datetime) -> dict[str, Out]:
        """Return the grams with more tickets in a span than their past explains."""
        baseline = self._baseline
        brought = float(baseline.brought(now - span, now, self.zone).mean())
        least, budget = self.rules.least, self.rules.false_alarms / 2
        return standing_out(counts, baseline.past, brought, span, least, budget)

    def grouped(self, mentions: Sequence[Mention], out: Mapping[str, Out], span: timedelta) -> list[WordFound]:
        """Return the tickets that belong together by the grams that stand out."""
        return grouped(mentions, out, span, self.rules.least)

    def common(self, tickets: Sequence[Mention]) -> tuple[str, str | None, str | None]:
        """Return the question most tickets are judged to be, and the district and street that most are of, if any."""
        code = Counter(m.code for m in tickets).most_common(1)[0][0]
        district, in_district = Counter(m.district for m in tickets).most_common(1)[0]
        street, in_street = Counter(m.street for m in tickets).most_common(1)[0]
        if not district or in_district < _MOSTLY * len(tickets):
            return code, None, None
        return code, district, street if street and in_street >= _MOSTLY * len(tickets) else None

    def category(self, code: str) -> tuple[str, str, str]:
        """Return the names of a question's levels; of one the catalogue has no more, none."""
        question = self._catalogue.by_code.get(code)
        return question.category if question else ("", "", "")

    def name_of(self, district: str | None, street: str | None) -> str:
        """Return what a place is called, with its district; the whole city is not named."""
        return "".join(self._names.get(code, "") for code in (f"d-{district}", street) if district and code)

    def whole_word(self, found: WordFound, texts: Sequence[str]) -> str:
        """Return a new word in full, from the texts that share its grams."""
        return max((whole_word(gram, texts) for gram in found.grams), key=len)
