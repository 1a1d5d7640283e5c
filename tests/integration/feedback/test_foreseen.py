"""feedback looks ahead on a real database: forecasts of the record, work proposed by them and by the season."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from services.feedback.handlers.averting import measure
from services.feedback.handlers.forecasts import forecast
from services.feedback.service import SERVICE
from services.feedback.store.proactive import done_of
from tests.support.stages import ManualClock, Probe, client, probing, running, settings_for

AUTUMN = datetime(2026, 10, 19, 4, tzinfo=UTC)
"""Noon of a Monday in Beijing, four weeks before the heating begins."""
COLD = ("heating-01-01", "供热采暖", "供热质量", "暖气不热")
LEAK = ("water-01-01", "供水排水", "自来水供应", "突然停水")
FILL = """
INSERT INTO cases (ticket_id, round, code, category, district, street, received_at, elderly, support, excluded,
    reply_faults, evidence, returns)
SELECT gen_random_uuid(), 1, $1::text, jsonb_build_array($2::text, $3::text, $4::text), $5::text, $6::text,
    $7::timestamptz + interval '1 day' * d + interval '1 minute' * n, false, 0, false, '[]', 0, 0
FROM generate_series(0, $8::int - 1) d, generate_series(1, $9::int) n
"""


class Ahead:
    """The service, its record, and who asks it."""

    def __init__(self, stage: Stage, clock: ManualClock, probe: Probe, key: str) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.http = client([stage], key)

    async def came(
        self, matter: tuple[str, str, str, str], street: str, start: datetime, days: int, each: int
    ) -> None:  # fmt: skip
        """Put so many appeals a day into the record."""
        district = self.stage.context.engine.city.units[street].district
        pool = self.stage.context.database.pool
        await pool.execute(FILL, *matter, district, street, start, days, each)

    async def night(self) -> None:
        """Let the next day come, and its forecasts be made."""
        self.clock.advance(days=1)
        await forecast(self.stage.context)

    async def get(self, path: str, **params: Any) -> Any:
        """Return what a path answers."""
        answer = await self.http.get(f"/feedback/v1/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def of_unit(self, *units: str, role: Role = "unit") -> httpx.AsyncClient:
        """Return a client that acts for units."""
        keys = KeyRing(self.stage.context.settings.keys_file)
        return client([self.stage], keys.issue(f"{role}-{'-'.join(units)}", [role], units))


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[Ahead]:
    clock, bus = ManualClock(AUTUMN), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    async with probing(bus, "jiesu.feedback.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        world = Ahead(stage, clock, probe, (tmp_path / "key").read_text())
        async with world.http:
            yield world


def streets(world: Ahead, number: int) -> list[str]:
    units = world.stage.context.engine.city.units.values()
    return [unit.code for unit in units if unit.kind == "street"][:number]


async def test_without_eight_weeks_of_a_record_there_is_no_forecast_and_no_work(world: Ahead) -> None:
    (street,) = streets(world, 1)
    await world.came(LEAK, street, AUTUMN - timedelta(days=30), 30, 5)
    await world.night()
    assert (await world.get("proactive"))["items"] == []
    answer = await world.http.get("/feedback/v1/forecasts")
    assert (answer.status_code, "eight weeks" in answer.json()["detail"]) == (404, True)


async def test_a_steady_record_is_forecast_as_it_is_and_what_came_stands_beside_it(world: Ahead) -> None:
    (street,) = streets(world, 1)
    await world.came(LEAK, street, AUTUMN - timedelta(days=83), 84, 10)
    await world.night()
    seen = await world.get("forecasts", level="code", about=LEAK[0])
    (series,) = seen["series"]
    assert (series["usual"], series["error"]) == (70, {"weeks": 4, "wape": 0, "naive": 0, "covered": 1})
    first = series["points"][0]
    assert first == {"starts": "2026-10-20", "expected": 10, "low": 10, "high": 10, "came": None}
    assert len(series["points"]) == 14
    await world.came(LEAK, street, AUTUMN + timedelta(days=1), 7, 12)
    world.clock.advance(days=6)
    await world.night()
    made = await world.get("forecasts", level="l1", made_on="2026-10-20", horizon=8)
    assert [point["came"] for point in made["series"][0]["points"]] == [12] * 7 + [None]
    weeks = await world.get("forecasts", level="l1", made_on="2026-10-20", span="week", horizon=2)
    assert [point["came"] for point in weeks["series"][0]["points"]] == [84, None]


async def test_before_the_heating_its_company_districts_and_the_streets_that_were_cold_are_told(world: Ahead) -> None:
    cold, warm = streets(world, 2)
    last_year = datetime(2025, 11, 15, 1, tzinfo=UTC)
    await world.came(COLD, cold, last_year, 56, 2)
    await world.came(COLD, warm, last_year, 2, 1)
    world.clock.advance(days=7)
    await world.night()
    works = {work["unit"]["code"]: work for work in (await world.get("proactive", rule="season"))["items"]}
    heating = {code: work for code, work in works.items() if COLD[0] in work["codes"]}
    district = world.stage.context.engine.city.units[cold].parent
    assert {"co-heating", district, cold} <= heating.keys()
    assert warm not in heating
    assert "112件" in heating[cold]["why"]
    assert heating[cold]["by_date"] == "2026-11-14T15:59:59Z"
    await world.night()
    assert len((await world.get("proactive", rule="season"))["items"]) == len(works)
    proposed = await world.probe.named("proactive.proposed")
    assert {event.data.unit.code for event in proposed} >= heating.keys()


async def test_a_street_with_the_same_trouble_in_many_weeks_is_told_once(world: Ahead) -> None:
    street, other = streets(world, 2)
    await world.came(LEAK, other, AUTUMN - timedelta(days=60), 1, 1)
    await world.came(("sanit-01-01", "市容环卫", "垃圾清运", "x"), street, AUTUMN - timedelta(days=28), 28, 1)
    await world.came(("sanit-01-01", "市容环卫", "垃圾清运", "x"), other, AUTUMN - timedelta(days=2), 1, 9)
    await world.night()
    await world.night()
    works = (await world.get("proactive", rule="places"))["items"]
    assert [(work["street"], work["codes"]) for work in works] == [(street, ["sanit-01-01"])]


async def test_the_unit_says_done_once_with_evidence_and_it_counts(world: Ahead) -> None:
    (street,) = streets(world, 1)
    body = {"unit": street, "codes": [LEAK[0]], "what": "检查老旧阀门", "by_date": "2026-10-30T00:00:00+08:00"}
    added = await world.http.post("/feedback/v1/proactive", json=body)
    assert added.status_code == 201, added.text
    path = f"/feedback/v1/proactive/{added.json()['order_id']}"
    async with world.of_unit(street) as unit, world.of_unit("co-gas") as stranger:
        assert [w["what"] for w in (await unit.get("/feedback/v1/proactive")).json()["items"]] == ["检查老旧阀门"]
        assert (await stranger.get("/feedback/v1/proactive")).json()["items"] == []
        said = {"note": "已更换，联系13800138000", "evidence": 2}
        assert (await stranger.post(f"{path}/done", json=said)).status_code == 403
        done = await unit.post(f"{path}/done", json=said)
        assert (done.status_code, done.json()["note"]) == (200, "已更换，联系⟦phone-1⟧")
        assert (await unit.post(f"{path}/decline", json={"ground": "no_means", "note": "x"})).status_code == 409
    (credit,) = await world.get("proactive/credits", since="2026-10-01T00:00:00Z", until="2026-11-01T00:00:00Z")
    assert credit == {"unit_code": street, "orders": 1, "proven": 0, "points": 0.2}
    (event,) = await world.probe.named("proactive.done")
    assert (event.data.unit.code, event.data.evidence) == (street, 2)


async def test_what_was_declined_is_told_with_its_ground_and_counts_nothing(world: Ahead) -> None:
    body = {"unit": "co-gas", "codes": ["gas-01-01"], "what": "巡检", "by_date": "2026-10-30T00:00:00+08:00"}
    order = (await world.http.post("/feedback/v1/proactive", json=body)).json()["order_id"]
    said = {"ground": "not_our_duty", "note": "属市政"}
    assert (await world.http.post(f"/feedback/v1/proactive/{order}/decline", json=said)).json()["state"] == "declined"
    (event,) = await world.probe.named("proactive.declined")
    assert event.data.ground == "not_our_duty"
    bonus = world.stage.context.engine.city.seasons.bonus
    assert await done_of(world.stage.context.database, AUTUMN - timedelta(days=9), AUTUMN, bonus) == []


async def test_fewer_appeals_than_from_like_streets_are_an_effect(world: Ahead) -> None:
    acted, *others = streets(world, 8)
    for street in (acted, *others):
        await world.came(LEAK, street, AUTUMN - timedelta(days=60), 60, 2)
        await world.came(LEAK, street, AUTUMN, 60, 1 if street == acted else 3)
    body = {"unit": acted, "codes": [LEAK[0]], "what": "换阀", "by_date": "2026-10-30T00:00:00+08:00", "street": acted}
    order = (await world.http.post("/feedback/v1/proactive", json=body)).json()["order_id"]
    await world.http.post(f"/feedback/v1/proactive/{order}/done", json={"note": "已换", "evidence": 1})
    world.clock.advance(days=57)
    await measure(world.stage.context, world.clock.now())
    effect = (await world.get(f"proactive/{order}"))["effect"]
    assert (effect["came"], effect["before"], effect["places"], effect["final"]) == (56, 112, 7, True)
    assert effect["low"] < 0.34 < effect["high"] < 1
    assert effect["proven"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"unit": "nobody"}, "unit"),
        ({"codes": ["heating-01-01", "nothing"]}, "codes.1"),
        ({"district": "999999"}, "district"),
        ({"street": "co-gas"}, "street"),
        ({"by_date": "2020-01-01T00:00:00Z"}, "by_date"),
        ({"codes": []}, "codes"),
    ],
)
async def test_work_that_cannot_be_is_refused_by_field(world: Ahead, wrong: dict[str, Any], field: str) -> None:
    body = {"unit": "co-gas", "codes": ["gas-01-01"], "what": "巡检", "by_date": "2026-10-30T00:00:00+08:00"} | wrong
    refused = await world.http.post("/feedback/v1/proactive", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


async def test_the_seasons_say_what_is_to_be_done_and_from_when_on(world: Ahead) -> None:
    seasons = {season["id"]: season for season in await world.get("seasons")}
    heating = seasons["heating"]
    assert (heating["first"], heating["last"], heating["under_way"]) == ("2026-11-15", "2027-03-15", False)
    assert heating["work"][0]["starts"] == "2026-10-04"


async def test_without_like_places_what_came_stands_beside_what_was_foreseen(world: Ahead) -> None:
    (street,) = streets(world, 1)
    district = world.stage.context.engine.city.units[street].district
    await world.came(LEAK, street, AUTUMN - timedelta(days=83), 84, 10)
    await world.night()
    body = {"unit": "co-water", "codes": [LEAK[0]], "what": "换管", "by_date": "2026-10-30T00:00:00+08:00"}
    added = await world.http.post("/feedback/v1/proactive", json=body | {"district": district})
    path = f"proactive/{added.json()['order_id']}"
    await world.http.post(f"/feedback/v1/{path}/done", json={"note": "已换", "evidence": 1})
    await world.came(LEAK, street, AUTUMN + timedelta(days=1), 42, 4)
    world.clock.advance(days=41)
    await world.night()
    effect = (await world.get(path))["effect"]
    assert (effect["weeks"], effect["final"], effect["places"], effect["ratio"]) == (6, False, 0, None)
    assert (effect["foreseen"], effect["expected"], effect["proven"]) == (168, 420, True)


async def test_a_week_well_above_the_usual_is_told_to_the_owner_of_the_question(world: Ahead) -> None:
    (street,) = streets(world, 1)
    await world.came(LEAK, street, AUTUMN - timedelta(days=100), 80, 4)
    await world.came(LEAK, street, AUTUMN - timedelta(days=20), 21, 16)
    await world.night()
    (work,) = (await world.get("proactive", rule="surge"))["items"]
    assert (work["unit"]["code"], work["codes"], work["street"]) == ("co-water", [LEAK[0]], None)
    assert "平常一周28件" in work["why"]
