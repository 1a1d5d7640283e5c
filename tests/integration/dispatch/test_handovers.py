"""Handovers: the open orders of one unit to another, each told, none twice, whatever is killed on the way."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from libs.common.messaging.transaction import Tx
from services.dispatch.domain.handovers import Handover
from services.dispatch.handlers import Here, handovers
from tests.support.routing import BALIZHUANG, Dispatching, dispatching
from tests.support.stages import NOON

NOTE = "供热业务并入区热力"
ALL = {"from_unit": "co-heating", "to_unit": "dept-urban-management", "note": NOTE}


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[Dispatching]:
    async with dispatching(fresh_database, tmp_path) as world:
        yield world


async def units(world: Dispatching, *tickets: UUID) -> list[str]:
    return [(await world.get(f"orders/{ticket}"))["unit"]["code"] for ticket in tickets]


async def test_every_open_order_goes_is_told_once_and_signed_for_anew(world: Dispatching) -> None:
    fresh, signed, done, returned = [await world.judged() for _ in range(4)]
    for ticket in (signed, done):
        await world.post(f"orders/{ticket}/accept")
        await world.post(f"orders/{ticket}/contact", {"method": "phone"})
    await world.post(f"orders/{done}/resolve", {"reply": "2026年3月2日已上门检修管网并恢复供热，联系电话96069"})
    await world.here.database.pool.execute("UPDATE orders SET state = 'returned' WHERE ticket_id = $1", returned)
    begun = await world.post("handovers", ALL)
    assert (begun["found"], begun["by_code"], begun["dry_run"]) == (2, {"heating-01-01": 2}, False)
    ended = await world.ended(f"handovers/{begun['handover_id']}")
    assert (ended["state"], ended["moved"]) == ("done", 2)
    assert await units(world, fresh, signed, done, returned) == [*["dept-urban-management"] * 2, *["co-heating"] * 2]
    order = await world.get(f"orders/{signed}")
    assert (order["state"], order["rule"], order["why"][0]) == ("dispatched", "handover", f"批量移交：{NOTE}")
    assert (order["contacted_at"], order["accepted_at"]) == ("2026-03-02T04:00:00Z", None)
    told = await world.probe.named("ticket.reassigned")
    assert sorted(event.ticket for event in told) == sorted([fresh, signed])
    assert {event.data.previous.code for event in told} == {"co-heating"}
    decisions = await world.get(f"orders/{signed}/decisions")
    assert [(d["unit"], d["rule"], d["rules"]) for d in decisions][1:] == [("dept-urban-management", "handover", "")]
    await world.judged_again(signed, owner="co-water")
    assert await units(world, signed) == ["dept-urban-management"]


async def test_only_the_questions_and_the_street_that_are_named_go(world: Dispatching) -> None:
    here, there = await world.judged(), await world.judged(place=BALIZHUANG)
    other = await world.judged(code="heating-02-01")
    longer = await world.judged(code="heating-010")
    looked = await world.post("handovers", {**ALL, "codes": ["heating-01"], "street": "s-110105026", "dry_run": True})
    assert (looked["found"], looked["by_code"]) == (1, {"heating-01-01": 1})
    assert await world.get("handovers") == []
    begun = await world.post("handovers", {**ALL, "codes": ["heating-01"], "street": "s-110105026"})
    await world.ended(f"handovers/{begun['handover_id']}")
    assert await units(world, here, there, other, longer) == ["dept-urban-management", *["co-heating"] * 3]


async def test_a_handover_that_is_killed_between_and_within_batches_goes_on_and_moves_none_twice(
    world: Dispatching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handovers, "AT_ONCE", 2)
    tickets = [await world.judged() for _ in range(5)]
    asked = Handover(
        world.clock.new_id(), "co-heating", "dept-urban-management", (), None, NOTE, "test", "waiting", NOON
    )
    keep = handovers._keep
    killed: list[object] = []

    async def dies(tx: Tx, here: Here, made: object) -> None:
        await keep(tx, here, made)  # type: ignore[arg-type]
        if len(killed) < 2:
            killed.append(made)
            raise ConnectionResetError

    world.here.loops["handovers"].stop()
    await world.looked("handovers")
    monkeypatch.setattr(handovers, "_keep", dies)
    await handovers.request_handover(world.here, asked, dry_run=False)
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            await handovers.do_handovers(world.here)
    while await handovers.do_handovers(world.here) == 0:
        pass
    done = await world.get(f"handovers/{asked.handover_id}")
    assert (done["state"], done["found"], done["moved"]) == ("done", 5, 5)
    told = await world.probe.until(lambda seen: len([e for e in seen if e.data.name == "ticket.reassigned"]) == 5)
    assert sorted(e.ticket for e in told if e.data.name == "ticket.reassigned") == sorted(tickets)
    again = await handovers.request_handover(world.here, replace(asked, handover_id=world.clock.new_id()), dry_run=True)
    assert again[1] == {}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"to_unit": "dept-magic"}, "to_unit"),
        ({"to_unit": "co-heating"}, "to_unit"),
        ({"street": "d-110105"}, "street"),
        ({"codes": ["HEATING 1"]}, "codes.0"),
        ({"note": " "}, "note"),
    ],
)
async def test_what_cannot_be_handed_over_is_refused_by_its_field(
    world: Dispatching, wrong: dict[str, object], field: str
) -> None:
    refused = await world.http.post("/dispatch/v1/handovers", json={**ALL, **wrong})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


async def test_only_a_supervisor_of_all_units_hands_over_and_personal_data_in_the_note_is_redacted(
    world: Dispatching,
) -> None:
    for who in (
        world.key("seat"),
        world.key("unit", units=("co-heating",)),
        world.key("supervisor", units=("co-heating",)),
    ):
        assert (await world.http.post("/dispatch/v1/handovers", json=ALL, headers=who)).status_code == 403
    begun = await world.post("handovers", {**ALL, "note": "联系13812345678"})
    assert begun["note"] == "联系⟦phone-1⟧"


async def test_a_handover_that_cannot_be_done_fails_and_those_behind_it_are_done(
    world: Dispatching, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await world.judged()
    keep, errors = handovers._keep, [ValueError(NOTE)]

    async def fails(tx: Tx, here: Here, made: object) -> None:
        if errors:
            raise errors.pop()
        await keep(tx, here, made)  # type: ignore[arg-type]

    monkeypatch.setattr(handovers, "_keep", fails)
    first = await world.post("handovers", ALL)
    world.clock.advance(seconds=1)
    second = await world.post("handovers", ALL)
    failed = await world.ended(f"handovers/{first['handover_id']}")
    assert (failed["state"], failed["error"]) == ("failed", "it could not be done: the log has the error")
    assert (await world.ended(f"handovers/{second['handover_id']}"))["moved"] == 1
    assert await units(world, ticket) == ["dept-urban-management"]
