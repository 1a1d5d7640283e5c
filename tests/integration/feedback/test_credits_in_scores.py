"""Work before the appeal counts in the scores of a month on a real database, version by version."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.feedback.domain.averting import Effect
from services.feedback.domain.proactive import Order
from services.feedback.store.proactive import save_work
from tests.support.record import MONTH, NEXT_MONTH, STREET, TOWN, Record, recording
from tests.support.stages import NOON

PROOF = Effect(NOON, True, 8, 1, 40, places=5, ratio=0.1, low=0.05, high=0.3)


@pytest.fixture
async def record(fresh_database: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with recording(fresh_database, tmp_path) as record:
        yield record


async def worked(record: Record, unit: str, times: int = 1, at: datetime = NOON, **more: Any) -> list[Order]:
    """Write so many pieces of work of a unit that were done in time, with evidence."""
    made = [
        Order(
            record.clock.new_id(), "hand", "hand", unit, unit, ("water-01-01",), None, unit, {"zh": "换阀"}, {},
            at + timedelta(days=1), None, at - timedelta(days=9), state="done", evidence=1, ended_at=at,
        )
        for _ in range(times)
    ]  # fmt: skip
    return await kept(record, *(replace(one, **more) for one in made))


async def kept(record: Record, *orders: Order) -> list[Order]:
    async with record.stage.context.database.begin() as tx:
        await save_work(tx, orders)
    return list(orders)


async def score(record: Record, unit: str = STREET, period: str = MONTH, **params: Any) -> dict[str, Any]:
    return next(one for one in await record.get(f"scores/{period}", **params) if one["unit"]["code"] == unit)


async def published(record: Record, period: str = MONTH) -> None:
    answer = await record.post(f"scores/{period}")
    assert answer.status_code == 200, answer.text


async def counted(record: Record, **params: Any) -> set[UUID]:
    found = await record.get(f"scores/{MONTH}/credited", unit=STREET, **params)
    return {UUID(one["order_id"]) for one in found}


async def test_work_in_time_with_evidence_earns_points_beside_the_total_and_late_or_bare_work_none(
    record: Record,
) -> None:
    await record.answers(STREET, 30, 10)
    await record.answers(TOWN, 30, 10)
    await worked(record, STREET, 3)
    await worked(record, STREET, effect=PROOF)
    await worked(record, TOWN, by_date=NOON - timedelta(days=1))
    await worked(record, TOWN, evidence=0)
    await worked(record, TOWN, at=NOON - timedelta(days=20))
    await published(record)
    mine, other = await score(record), await score(record, TOWN)
    assert (mine["earned"], other["earned"]) == (1.1, 0)
    assert mine["points"] == pytest.approx(100 * mine["total"] + 1.1)
    assert {name: mine[name] for name in ("total", "fair", "standing")} == {
        name: other[name] for name in ("total", "fair", "standing")
    }
    told = {event.subject: event.data for event in await record.probe.named("score.published")}
    assert (told[STREET].earned, told[STREET].points) == (1.1, pytest.approx(mine["points"]))


async def test_points_are_capped_for_each_unit_and_month(record: Record) -> None:
    await worked(record, STREET, 40, effect=PROOF)
    await record.answers(STREET, 5)
    await published(record)
    assert (await score(record))["earned"] == record.stage.context.engine.city.seasons.bonus.most
    assert len(await record.get(f"scores/{MONTH}/credited", unit=STREET)) == 80


async def test_a_unit_that_nobody_had_to_ask_has_its_points_though_it_has_no_answers(record: Record) -> None:
    await record.answers(TOWN, 5)
    await worked(record, STREET, 2)
    await published(record)
    mine = await score(record)
    assert (mine["counted"], mine["earned"], mine["total"], mine["points"]) == (0, 0.4, None, None)
    assert "未诉先办：按期完成并有佐证2件" in await bulletin(record)


async def test_a_later_change_of_the_record_moves_no_published_points(record: Record) -> None:
    await record.answers(STREET, 20)
    first, second = await worked(record, STREET, 2)
    await published(record)
    before = await score(record)
    (late,) = await worked(record, STREET)
    await kept(record, replace(second, evidence=0))
    assert (await score(record), await counted(record)) == (before, {first.order_id, second.order_id})
    await worked(record, STREET, 5)
    await kept(record, replace(late, evidence=0))
    await published(record)
    after = await score(record)
    assert (after["version"], after["earned"]) == (2, pytest.approx(1.2))
    assert {**after, "version": 1, "since": 1, "earned": before["earned"], "points": before["points"]} == before
    assert await score(record, version=1) == before
    assert await counted(record, version=1) == {first.order_id, second.order_id}


async def test_a_ruling_scores_by_the_work_and_the_weights_its_version_was_published_with(record: Record) -> None:
    cases = await record.answers(STREET, 20, 2)
    await worked(record, STREET, 2)
    await published(record)
    await worked(record, STREET, 3)
    context = record.stage.context
    seasons = context.engine.city.seasons
    dearer = replace(seasons, bonus=replace(seasons.bonus, done=1.0))
    context.engine = replace(context.engine, city=replace(context.engine.city, seasons=dearer))
    body = {"unit": STREET, "ticket_id": str(cases[-1].ticket_id), "ground": "unreasonable", "note": "超出政策"}
    appeal = (await record.post(f"scores/{MONTH}/appeals", **body)).json()["appeal_id"]
    await record.post(f"score-appeals/{appeal}/ruling", upheld=True, note="属实")
    mine = await score(record)
    assert (mine["version"], mine["counted"], mine["earned"]) == (2, 21, 0.4)
    await published(record)
    assert (await score(record))["earned"] == seasons.bonus.most


async def test_the_proof_of_an_effect_counts_in_the_month_it_came(record: Record) -> None:
    await record.answers(STREET, 5)
    (order,) = await worked(record, STREET)
    await published(record)
    before = await score(record)
    record.clock.at = NEXT_MONTH + timedelta(days=45)
    await kept(record, replace(order, effect=replace(PROOF, measured_at=NEXT_MONTH + timedelta(days=20))))
    assert (await record.post(f"scores/{MONTH}")).status_code == 409
    assert await score(record) == before
    await published(record, "2026-04")
    assert (await score(record, period="2026-04"))["earned"] == 0.3


async def test_the_diagnosis_and_the_bulletin_say_what_was_earned_before_the_appeal(record: Record) -> None:
    await record.answers(STREET, 20)
    await worked(record, STREET, 2, effect=PROOF)
    await published(record)
    found = await record.get(f"diagnosis/{STREET}", period=MONTH)
    assert (found["ahead"], found["earned"], found["points"]) == ({"orders": 2, "proven": 2, "points": 1}, 1, 101)
    chinese, english = await bulletin(record), await bulletin(record, "en")
    assert "加1分、扣0分后为101.0分。" in chinese
    assert "经核算诉求确有减少2件，加1分。" in chinese
    assert "Before the appeal: 2 pieces of work" in english


async def bulletin(record: Record, language: str = "zh") -> str:
    path = f"/feedback/v1/bulletins/{MONTH}/{STREET}"
    answer = await record.http.get(path, headers={"accept-language": language})
    return "\n".join(line for one in answer.json()["sections"] for line in one["lines"])


async def test_units_read_their_own_credits_alone(record: Record) -> None:
    await record.answers(STREET, 5)
    await worked(record, STREET)
    await published(record)
    async with record.holding("unit", units=(TOWN,)) as town:
        path = f"/feedback/v1/scores/{MONTH}/credited"
        assert (await town.get(path, params={"unit": STREET})).status_code == 403
        assert (await town.get(path, params={"unit": TOWN})).json() == []
