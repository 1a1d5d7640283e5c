"""Which work is proposed before anyone appeals, and what it is worth."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from libs.common.city.pack import City, load_city
from libs.common.city.seasons import Bonus
from services.feedback.domain import NotPossibleError
from services.feedback.domain.averting import Effect
from services.feedback.domain.forecasts import Forecast
from services.feedback.domain.proactive import Order, credited, credits_of, declined, done
from services.feedback.domain.proposing import Ground, Trouble, ahead, gravest, places, season_work, surges

DAY = date(2026, 10, 20)
NOON = datetime(2026, 10, 20, 4, tzinfo=UTC)
EASTERN = "110101"


@cache
def city() -> City:
    return load_city(Path("deploy/cities/beijing"))


def ground() -> Ground:
    return Ground(city().units, city().catalogue.by_code, city().seasons, ZoneInfo("Asia/Shanghai"))


def street() -> str:
    return next(unit.code for unit in city().units.values() if unit.kind == "street" and unit.district == EASTERN)


def owned(kind: str) -> str:
    return next(question.code for question in city().catalogue if question.owner_kind == kind)


def forecast(code: str, week: float, usual: float) -> Forecast:
    return Forecast(
        DAY, "levels-1", "l1", "l2", code, EASTERN, (week / 7,) * 14, (0.0,) * 14, (week,) * 14, (week,) * 8,
        (0.0,) * 8, (week,) * 8, usual,
    )  # fmt: skip


def order(**changed: object) -> Order:
    made = Order(
        UUID(int=1), "hand", "hand", "co-gas", "燃气集团", ("gas-01-01",), None, None, {"zh": "巡检", "en": "Look"}, {},
        NOON + timedelta(days=5), None, NOON,
    )  # fmt: skip
    return replace(made, **changed)  # type: ignore[arg-type]


def test_work_is_due_so_many_weeks_before_its_season_and_not_once_it_has_begun() -> None:
    def heating(day: date) -> set[str]:
        return {one.work.by for one in ahead(city().seasons, day) if one.season.id == "heating"}

    assert heating(date(2026, 10, 3)) == set()
    assert heating(date(2026, 10, 4)) == {"owner"}
    assert heating(date(2026, 10, 18)) == {"owner", "district"}
    assert heating(date(2026, 11, 14)) == {"owner", "district", "street"}
    assert heating(date(2026, 11, 15)) == set()


def test_without_a_last_year_every_district_acts_and_no_street() -> None:
    found = [p for one in ahead(city().seasons, date(2026, 11, 14)) for p in season_work(ground(), one, {})]
    heating = [p for p in found if p.theme.startswith("season/heating/2026")]
    kinds = [p.unit.kind for p in heating]
    assert kinds.count("district") == sum(unit.kind == "district" for unit in city().units.values())
    assert ("street" in kinds, kinds.count("company")) == (False, 1)
    assert len({p.theme for p in heating}) == len(heating)


def test_a_week_well_above_the_usual_calls_for_work_of_whoever_owns_the_question() -> None:
    of_company, of_street = owned("company"), owned("street")
    said = [forecast(of_company, 60, 20), forecast(of_street, 60, 20), forecast(of_company, 25, 20),
            forecast(of_company, 12, 2)]  # fmt: skip
    found = list(surges(ground(), said, DAY))
    assert [(p.codes, p.weight) for p in found] == [((of_company,), 3.0), ((of_street,), 3.0)]
    assert found[0].unit.code == city().catalogue.by_code[of_company].owner
    assert (found[1].unit.kind, found[1].unit.district) == ("district", EASTERN)
    assert found[0].by_day == date(2026, 10, 25)


def test_a_street_acts_on_its_own_trouble_and_an_owner_on_its_own() -> None:
    said = [Trouble(owned("street"), street(), 9, 4), Trouble(owned("department"), street(), 8, 3),
            Trouble("gone", street(), 9, 4), Trouble(owned("centre"), street(), 9, 4)]  # fmt: skip
    units = [p.unit for p in places(ground(), said, DAY, last_year=False)]
    assert [unit.kind for unit in units] == ["street", "department"]


def test_the_gravest_are_proposed_and_each_theme_once() -> None:
    said = [Trouble(owned("street"), street(), n, 4) for n in (7, 9)]
    said += [Trouble(owned("department"), street(), 8, 3)]
    found = gravest(places(ground(), said, DAY, last_year=False), 1)
    assert [p.weight for p in found] == [9]


def test_work_ends_once() -> None:
    ended, event = done(order(), "已检", 2, NOON)
    assert (ended.state, ended.in_time, event.evidence) == ("done", True, 2)
    with pytest.raises(NotPossibleError):
        declined(ended, "no_means", "x", NOON)
    assert declined(order(), "no_means", "无力", NOON)[0].state == "declined"


def test_only_what_was_done_in_time_and_with_evidence_counts_and_proof_counts_more() -> None:
    bonus = Bonus(done=0.5, evidence=1, proven=1.0, most=1.8)
    proof = Effect(NOON, True, 8, 1, 20, places=3, ratio=0.2, low=0.1, high=0.5)
    good = order(state="done", ended_at=NOON, evidence=1)
    late = replace(good, ended_at=NOON + timedelta(days=6))
    bare = replace(good, evidence=0)
    week = (NOON, NOON + timedelta(days=7))
    (credit,) = credited(credits_of([good, late, bare, replace(good, effect=proof)], *week, 1), bonus)
    assert (credit.orders, credit.proven, credit.points) == (2, 1, 1.8)
    assert credits_of([order(), late, bare], *week, 1) == []


def test_work_counts_when_it_was_done_and_its_proof_when_it_came() -> None:
    months = NOON, NOON + timedelta(days=30), NOON + timedelta(days=60), NOON + timedelta(days=90)
    proof = Effect(months[2], True, 8, 1, 20, places=3, ratio=0.2, low=0.1, high=0.5)
    good = order(state="done", ended_at=NOON, evidence=1, effect=proof)
    counting = [credits_of([good], *span, 1) for span in pairwise(months)]
    assert [[(one.proven, one.at) for one in month] for month in counting] == [[(False, NOON)], [], [(True, months[2])]]
    for unsure in (replace(proof, final=False), replace(proof, high=1.1)):
        assert credits_of([replace(good, effect=unsure)], *months[2:], 1) == []
