"""Backtests: what rules, or another catalogue, would have moved, without moving anything."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.dispatch.handlers import backtests
from tests.support.routing import CHANGED, Dispatching, dispatching
from tests.support.stages import NOON
from tests.support.waiting import until

SPAN = {"from": "2026-03-01T00:00:00+08:00", "until": "2026-04-01T00:00:00+08:00"}


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[Dispatching]:
    async with dispatching(fresh_database, tmp_path) as world:
        await until(lambda: world.get("rules"), len)
        yield world


async def would_move(world: Dispatching, version: str, **body: object) -> dict[str, object]:
    asked = await world.post(f"rules/{version}/backtest", {**SPAN, **body})
    done = await world.ended(f"rules/backtests/{asked['backtest_id']}")
    assert (done["state"], done["error"]) == ("done", None)
    report: dict[str, object] = done["report"]
    return report


async def test_a_new_rule_shows_what_would_move_by_unit_category_and_rule_with_examples(
    world: Dispatching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtests, "AT_ONCE", 2)
    for _ in range(3):
        await world.judged()
        world.clock.advance(minutes=1)
    await world.judged(place=None)
    water: dict[str, Any] = {
        "owner": "co-water",
        "code": "water-01-01",
        "category": ("供水排水", "自来水供应", "突然停水"),
    }
    stays = await world.judged(**water)
    report = await would_move(world, await world.brought(CHANGED))
    assert (report["tickets"], report["moved"], report["share"], report["ways"]) == (5, 3, 0.6, 1)
    assert report["moves"] == [
        {
            "from": {"code": "co-heating", "name": "北京市热力集团有限责任公司"},
            "to": {"code": "s-110105026", "name": "望京街道"},
            "tickets": 3,
            "share": 0.6,
            "examples": ["20260302-0000001", "20260302-0000002", "20260302-0000003"],
        }
    ]
    assert report["by_category"] == [
        {"name": "供热采暖", "tickets": 4, "moved": 3}, {"name": "供水排水", "tickets": 1, "moved": 0},
    ]  # fmt: skip
    assert report["by_rule"] == [
        {"name": "heating", "tickets": 3, "moved": 3}, {"name": "duty", "tickets": 2, "moved": 0},
    ]  # fmt: skip
    assert (await world.get(f"orders/{stays}"))["unit"]["code"] == "co-water"


async def test_a_new_catalogue_is_tried_by_whose_duty_its_questions_are(world: Dispatching) -> None:
    await world.judged()
    own = (await world.get("rules"))[0]["version"]
    assert (await would_move(world, own))["moved"] == 0
    catalogue = {"heating-01-01": {"owner_kind": "department", "owner": "dept-urban-management"}}
    report = await would_move(world, own, catalogue=catalogue)
    assert [move["to"]["code"] for move in report["moves"]] == ["dept-urban-management"]  # type: ignore[attr-defined]


async def test_a_ticket_counts_once_by_its_last_decision_of_rules_and_a_persons_word_is_left_out(
    world: Dispatching,
) -> None:
    ticket = await world.judged(owner="co-water")
    await world.judged_again(ticket)
    await world.post(f"orders/{ticket}/reassign", {"unit": "dept-water", "note": "水务牵头"})
    report = await would_move(world, await world.brought(CHANGED))
    assert (report["tickets"], report["moved"]) == (1, 1)
    assert report["moves"][0]["from"]["code"] == "co-heating"  # type: ignore[index]


async def test_only_the_span_is_tried_and_rules_by_load_are_left_out_and_counted(world: Dispatching) -> None:
    await world.judged()
    world.clock.advance(days=40)
    await world.judged()
    busy = CHANGED.replace('id = "heating"', 'id = "heating"\nbusy = { of = "owner", open = 0 }')
    report = await would_move(world, await world.brought(busy))
    assert (report["tickets"], report["moved"], report["unmeasured"]) == (1, 0, 1)


async def test_a_backtest_that_lost_its_process_is_begun_anew(world: Dispatching) -> None:
    await world.judged()
    version = await world.brought(CHANGED)
    asked = await backtests.request_backtest(
        world.here, version, NOON - timedelta(days=1), NOON + timedelta(days=1), {}, "test"
    )
    world.here.loops["backtests"].wake()
    done = await world.ended(f"rules/backtests/{asked.backtest_id}")
    assert (done["read"], done["report"]["moved"]) == (1, 1)
    assert [one["backtest_id"] for one in await world.get(f"rules/{version}/backtests")] == [str(asked.backtest_id)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"from": "2026-03-02T00:00:00Z", "until": "2026-03-01T00:00:00Z"}, 422),
        ({"from": "2026-01-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"}, 422),
        ({**SPAN, "catalogue": {"heating-01-01": {"owner_kind": "company", "owner": "co-magic"}}}, 422),
        ({**SPAN, "catalogue": {"heating-01-01": {"owner_kind": "wizard"}}}, 422),
        (SPAN, 404),
    ],
)
async def test_what_cannot_be_tried_is_refused(world: Dispatching, body: dict[str, object], status: int) -> None:
    answer = await world.http.post("/dispatch/v1/rules/000000000000/backtest", json=body)
    assert answer.status_code == status


async def test_a_span_may_begin_before_there_were_ids_that_tell_their_time(world: Dispatching) -> None:
    await world.judged()
    own = (await world.get("rules"))[0]["version"]
    asked = await world.post(f"rules/{own}/backtest", {"from": "1900-01-01T00:00:00Z", "until": "1900-02-01T00:00:00Z"})
    done = await world.ended(f"rules/backtests/{asked['backtest_id']}")
    assert (done["state"], done["report"]["tickets"]) == ("done", 0)


async def test_a_backtest_that_cannot_be_done_fails_by_itself_and_one_that_may_yet_is_tried_again(
    world: Dispatching, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[Exception] = [ConnectionResetError(), KeyError("co-heating")]
    route = backtests.route_again

    def fails(*arguments: Any) -> None:
        if errors:
            raise errors.pop(0)
        route(*arguments)

    monkeypatch.setattr(backtests, "route_again", fails)
    await world.judged()
    own = (await world.get("rules"))[0]["version"]
    first = await world.post(f"rules/{own}/backtest", SPAN)
    world.clock.advance(seconds=1)
    second = await world.post(f"rules/{own}/backtest", SPAN)
    failed = await world.ended(f"rules/backtests/{first['backtest_id']}")
    assert (failed["state"], failed["error"]) == ("failed", "it could not be done: the log has the error")
    done = await world.ended(f"rules/backtests/{second['backtest_id']}")
    assert (done["state"], done["report"]["tickets"]) == ("done", 1)
    assert await world.stage.not_ready() == []
