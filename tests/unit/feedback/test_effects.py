"""Effects: intervals that hold what was done as often as they say, and that say so where nothing can be told."""

import math
from collections.abc import Callable
from datetime import date
from random import Random

from libs.common.city.topics import EffectRules
from services.feedback.domain.effects import Effect, Span, Weeks, effect
from tests.support.topics import poisson

RULES = EffectRules()
SPAN = Span(before=40, begin=44, length=54)
UNTIL = date(2026, 11, 30)
HELD = 0.93
RUNS = 100


def series(random: Random, span: Span, change: float, points: float) -> Weeks:
    """Return weeks that wander, drift and swing with the year, changed by `change` (a logarithm) from `begin` on."""
    mean, drift, swing = math.exp(random.uniform(2.7, 6)), random.gauss(0, 0.15), random.choice((0, 0, 0.2, -0.2))
    share, wander = random.uniform(0.6, 0.9), random.gauss(0, 0.09)
    columns: tuple[list[int], list[int], list[int]] = ([], [], [])
    for week in range(span.length):
        acts = week >= span.begin
        wander = 0.4 * wander + random.gauss(0, 0.08)
        size = mean * math.exp(wander + drift * week / span.length + swing * math.sin(week * math.tau / 52))
        tickets = poisson(size * math.exp(change if acts else 0.0), random)
        answered = round(0.6 * tickets)
        p = share + (points if acts else 0.0)
        solved = random.gauss(p * answered, math.sqrt(p * (1 - p) * answered))
        columns[0].append(tickets)
        columns[1].append(answered)
        columns[2].append(min(answered, max(0, round(solved))))
    return Weeks(f"{random.random()}", *columns)


def measured(seed: int, change: float = 0.0, points: float = 0.0, others: int = 40, span: Span = SPAN) -> Effect:
    random = Random(seed)
    pool = [series(random, span, 0.0, 0.0) for _ in range(others)]
    return effect(series(random, span, change, points), pool, span, UNTIL, RULES)


def held(measure: Callable[[int], Effect], change: float, points: float) -> tuple[float, float]:
    """Return how often the intervals of volume and of solving held what was done, of those that were told."""
    volumes, solvings = list[bool](), list[bool]()
    for seed in range(RUNS):
        found = measure(seed)
        for one, truth, told in ((found.volume, change, volumes), (found.solving, points, solvings)):
            if one.low is not None and one.high is not None:
                told.append(one.low <= truth <= one.high)
    assert min(len(volumes), len(solvings)) > RUNS * 0.85
    return sum(volumes) / len(volumes), sum(solvings) / len(solvings)


def test_where_nothing_was_done_the_interval_holds_none_as_often_as_it_says() -> None:
    assert min(held(lambda seed: measured(20_000 + seed), 0.0, 0.0)) >= HELD


def test_what_was_done_lies_in_the_interval_as_often_as_it_says() -> None:
    assert min(held(lambda seed: measured(40_000 + seed, -0.4, 0.08), -0.4, 0.08)) >= HELD


def test_half_as_many_is_seen() -> None:
    seen = [measured(seed, math.log(0.5)).volume for seed in range(20)]
    assert sum(one.high is not None and one.high < 0 for one in seen) >= 15


def test_nothing_is_told_of_too_few_weeks_appeals_or_others() -> None:
    assert measured(1, span=Span(5, 7, 20)).volume.why_not == "too_short_before"
    assert measured(1, span=Span(20, 22, 24)).volume.why_not == "too_early"
    assert measured(1, others=18).volume.why_not == "no_peers"
    rare = Weeks("rare", [1] * SPAN.length, [1] * SPAN.length, [1] * SPAN.length)
    assert effect(rare, [rare] * 30, SPAN, UNTIL, RULES).volume.why_not == "too_few"
    assert effect(rare, [], Span(0, 0, 0), UNTIL, RULES).weekly == (None, None)


def test_a_matter_that_went_its_own_way_before_is_not_told() -> None:
    random = Random(4)
    pool = [series(random, SPAN, 0.0, 0.0) for _ in range(40)]
    rising = [round(60 * math.exp(week / 20)) for week in range(SPAN.length)]
    found = effect(Weeks("rising", rising, rising, rising), pool, SPAN, UNTIL, RULES)
    assert (found.volume.value, found.volume.why_not) == (None, "trend")
    assert found.weekly[0] is not None


def test_the_weeks_a_matter_was_picked_by_count_for_neither_side() -> None:
    random = Random(5)
    pool = [series(random, SPAN, 0.0, 0.0) for _ in range(40)]
    level = [100] * SPAN.length
    peak = [300 if SPAN.before <= week < SPAN.begin else 100 for week in range(SPAN.length)]
    plain, peaked = (
        effect(Weeks("own", counts, counts, counts), pool, SPAN, UNTIL, RULES).volume for counts in (level, peak)
    )
    assert plain == peaked
