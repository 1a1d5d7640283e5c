"""What stands out of the counts: the tightest matter and place that explain it, and nothing that its past explains."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from libs.common.city.days import kind_of_day
from libs.common.city.pack import load_city
from services.classify.hotspots import WINDOWS, Baseline, Cell, Day, Detector, Found, Grid, load_lexicon
from services.classify.hotspots.baseline import HOLIDAY
from services.classify.hotspots.grid import CITY, DISTRICT, LEVEL1, STREET
from services.classify.hotspots.scanning import Scan, clearest
from tests.support.stages import CITY as PACK

BEIJING = ZoneInfo("Asia/Shanghai")
CITY_PACK = load_city(PACK)
GRID = Grid(CITY_PACK.catalogue, CITY_PACK.units)
HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 23, 4, tzinfo=UTC)
FIRST = date(2026, 3, 1)
DAYS = 21
COLD, NOISE = "heating-01-01", "env-02-06"
WANGJING, CHAOYANG = "s-110105026", "110105"
A_DAY = 20_000


def usual_day(chance: np.random.Generator, lift: float = 1.0) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Draw a day in which every question is raised alike everywhere."""
    size = GRID.shape[0] * GRID.shape[1]
    return chance.poisson(lift * A_DAY / size, GRID.shape).astype(float)


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    """Three weeks of usual days; every hour alike."""
    chance, learnt = np.random.default_rng(1), Baseline.blank(GRID, kind_of_day)
    for number in range(DAYS):
        counts = usual_day(chance)
        hours = np.repeat(counts.sum(axis=1, keepdims=True) / 24, 24, axis=1)
        learnt.learn(Day(FIRST + timedelta(days=number), counts, np.zeros_like(counts), hours))
    return learnt


def found(baseline: Baseline, more: Sequence[Cell], lift: float = 1.0) -> list[Found]:
    """Return what stands out of a usual hour to which some tickets are added."""
    came = usual_day(np.random.default_rng(2), lift / 24) + GRID.counted(more)
    counts = {HOUR: (came, baseline.brought(NOON - HOUR, NOON, BEIJING))}
    return clearest(GRID, Scan(baseline).look(counts, least=6, budget=0.25))


def test_a_usual_hour_has_nothing_hot(baseline: Baseline) -> None:
    assert found(baseline, []) == []


def test_a_burst_in_one_street_is_of_that_street_and_that_question(baseline: Baseline) -> None:
    (hot,) = found(baseline, [Cell(COLD, CHAOYANG, WANGJING, 10)])
    assert (hot.spot.codes, hot.spot.street, hot.spot.category[2]) == ((COLD,), WANGJING, "暖气不热")


def test_a_burst_all_over_the_city_is_of_the_city(baseline: Baseline) -> None:
    streets = [place.split("/") for place in GRID.places if place.split("/")[1]]
    (hot,) = found(baseline, [Cell(COLD, district, street, 1) for district, street in streets[:120]])
    assert (hot.spot.codes, hot.spot.district, hot.spot.street) == ((COLD,), None, None)


def test_a_burst_over_one_district_is_of_the_district(baseline: Baseline) -> None:
    streets = [place.split("/")[1] for place in GRID.places if place.startswith(CHAOYANG) and place[-1] != "/"]
    (hot,) = found(baseline, [Cell(COLD, CHAOYANG, street, 2) for street in streets])
    assert (hot.spot.district, hot.spot.street) == (CHAOYANG, None)


def test_a_burst_over_many_questions_of_a_kind_is_of_what_they_share(baseline: Baseline) -> None:
    codes = [q.code for q in CITY_PACK.catalogue if q.category[:2] == CITY_PACK.catalogue.by_code[COLD].category[:2]]
    (hot,) = found(baseline, [Cell(code, CHAOYANG, WANGJING, 5) for code in codes])
    assert (set(hot.spot.codes), hot.spot.category[2]) == (set(codes), "")


def test_a_slow_rise_all_over_the_city_stands_out_at_its_tenth_ticket(baseline: Baseline) -> None:
    every, chance = timedelta(minutes=16), np.random.default_rng(2)
    came = [place.split("/") for place in GRID.places if place.split("/")[1]][::35][:10]
    counts = {}
    for window in WINDOWS[:-1]:
        within = [Cell(COLD, d, s, 1) for number, (d, s) in enumerate(came) if number * every < window]
        usual = usual_day(chance, window / timedelta(days=1))
        counts[window] = usual + GRID.counted(within), baseline.brought(NOON - window, NOON, BEIJING)
    (hot,) = clearest(GRID, Scan(baseline).look(counts, least=6, budget=0.5))
    assert (hot.spot.codes, hot.spot.district, hot.window) == ((COLD,), None, timedelta(hours=3))


def test_two_events_are_two(baseline: Baseline) -> None:
    hot = found(baseline, [Cell(COLD, CHAOYANG, WANGJING, 10), Cell(NOISE, "110108", "s-110108001", 12)])
    assert {one.spot.codes for one in hot} == {(COLD,), (NOISE,)}


def test_a_day_on_which_everything_is_more_has_nothing_hot(baseline: Baseline) -> None:
    assert found(baseline, [], lift=1.8) == []


def test_a_season_of_a_whole_category_is_not_hot_but_its_worst_hour_is(baseline: Baseline) -> None:
    codes = [q.code for q in CITY_PACK.catalogue if q.l1 == CITY_PACK.catalogue.by_code[COLD].l1]
    streets = [place.split("/") for place in GRID.places if place.split("/")[1]]
    more = GRID.counted([Cell(code, d, s, 4) for code, (d, s) in zip(codes * 3, streets * len(codes), strict=False)])
    for window, told in ((timedelta(days=1), False), (HOUR, True)):
        came = usual_day(np.random.default_rng(2), window / timedelta(days=1)) + more
        counts = {window: (came, baseline.brought(NOON - window, NOON, BEIJING))}
        hot = clearest(GRID, Scan(baseline).look(counts, least=6, budget=0.25))
        assert any(len(one.spot.codes) == len(codes) and one.spot.district is None for one in hot) is told


def test_few_are_never_hot(baseline: Baseline) -> None:
    assert found(baseline, [Cell(COLD, CHAOYANG, WANGJING, 5)]) == []


def test_a_question_or_a_place_that_is_no_more_is_left_out() -> None:
    assert GRID.counted([Cell("no-such-question", CHAOYANG, WANGJING, 3)]).sum() == 0
    counted = GRID.counted([Cell(COLD, CHAOYANG, "s-gone", 3), Cell(COLD, "999999", "s-gone", 4)])
    assert GRID.summed(counted, LEVEL1, CITY).sum() == 7
    assert GRID.summed(counted, LEVEL1, DISTRICT)[:, GRID.areas[DISTRICT][GRID.place(CHAOYANG, "")]].sum() == 3
    assert GRID.summed(counted, LEVEL1, STREET)[:, GRID.place("", "")].sum() == 4


def test_sums_of_all_levels_are_those_of_each() -> None:
    counts = usual_day(np.random.default_rng(4))
    for (matter, area), sums in GRID.pyramid(counts).items():
        assert np.array_equal(sums, GRID.summed(counts, matter, area))


def test_a_baseline_comes_back_as_it_was_packed(baseline: Baseline) -> None:
    again = Baseline.unpacked(baseline.packed(), GRID, kind_of_day)
    assert again.until == FIRST + timedelta(days=DAYS - 1)
    assert np.allclose(again.means(), baseline.means(), rtol=1e-4)
    assert np.allclose(again.recent, baseline.recent)


def test_what_is_learnt_is_what_comes(baseline: Baseline) -> None:
    expected = float(baseline.means().sum())
    assert expected == pytest.approx(A_DAY, rel=0.05)
    share = baseline.brought(NOON - HOUR, NOON, BEIJING)
    assert np.allclose(share, 1 / 24, rtol=0.2)


def test_an_event_does_not_become_usual_while_it_lasts(baseline: Baseline) -> None:
    learnt = Baseline.unpacked(baseline.packed(), GRID, kind_of_day)
    inside = GRID.counted([Cell(COLD, CHAOYANG, WANGJING, 500)])
    hours = np.zeros((len(GRID.codes), 24))
    learnt.learn(Day(FIRST + timedelta(days=DAYS), usual_day(np.random.default_rng(3)), inside, hours))
    code, place = GRID.codes.index(COLD), GRID.place(CHAOYANG, WANGJING)
    assert learnt.means()[code, place] < 2 * baseline.means()[code, place] + 0.01


def test_weekends_are_learnt_apart_from_workdays() -> None:
    learnt, chance = Baseline.blank(GRID, kind_of_day), np.random.default_rng(1)
    for number in range(28):
        on = FIRST + timedelta(days=number)
        counts = usual_day(chance, 0.5 if on.weekday() >= 5 else 1.0)
        hours = np.repeat(counts.sum(axis=1, keepdims=True) / 24, 24, axis=1)
        learnt.learn(Day(on, counts, np.zeros_like(counts), hours))
    saturday, monday = (float(learnt.brought_by_day(date(2026, 4, day)).mean()) for day in (11, 13))
    assert saturday / monday == pytest.approx(0.5, abs=0.12)


@pytest.mark.parametrize(
    ("holidays", "on", "days"),
    [("CN", date(2026, 10, 1), 1), ("CN", date(2026, 11, 26), 0), ("US-MA", date(2026, 11, 26), 1),
     ("US-MA", date(2026, 10, 1), 0)],
)  # fmt: skip
def test_a_holiday_is_a_day_that_the_city_keeps_as_one(holidays: str, on: date, days: int) -> None:
    policy = CITY_PACK.policy
    city = replace(CITY_PACK, policy=replace(policy, calendar=replace(policy.calendar, holidays=holidays)))
    learnt = Detector(city, load_lexicon(PACK / "hotspots.toml")).learnt(on, [], {})
    assert Baseline.unpacked(learnt, GRID, kind_of_day).class_days[HOLIDAY] == days


def test_an_expectation_of_a_spot_is_that_of_its_cells() -> None:
    detector = Detector(CITY_PACK, load_lexicon(PACK / "hotspots.toml"))
    codes = [question.code for question in CITY_PACK.catalogue]
    whole = detector.expected(codes, None, None, NOON - HOUR, NOON)
    parts = sum(
        detector.expected(codes, d, None, NOON - HOUR, NOON) for d in {p.split("/")[0] for p in GRID.places} - {""}
    )
    assert 0 < parts < whole
