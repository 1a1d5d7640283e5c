"""Outward transfers on a real database: away, its number, and back; and the way in from other lines."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.common.contracts.feedback import TicketClosed
from tests.support.screening import ScreeningWorld, screening_world
from tests.support.stages import NOON


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[ScreeningWorld]:
    async with screening_world(fresh_database, tmp_path) as world:
        yield world


async def test_what_belongs_elsewhere_is_passed_on_and_the_citizen_told_where_why_and_how(
    world: ScreeningWorld,
) -> None:
    ticket = await world.led()
    shown = await world.ask(world.http, ticket, "transfer", body="out-court", reason="已经起诉。")
    assert shown.json()["status"] == "answered"
    await world.probe.named("ticket.answered")
    (said,) = world.told(ticket, "ticket.answered")
    assert said.transfer.model_dump() == {"body": "out-court", "name": "北京法院诉讼服务", "receipt": None}
    line = (await world.seen(ticket))["timeline"][-1]
    assert (line["type"], line["text"], said.answer) == (
        "ticket.transferred",
        "您的诉求应由北京法院诉讼服务受理，已转交办理。原因：已经起诉。您也可以拨打12368。",
        line["text"],
    )
    assert "You can also call 12368." in (await world.seen(ticket, "en"))["timeline"][-1]["text"]


async def test_the_number_that_the_body_gives_is_told_and_may_be_put_right(world: ScreeningWorld) -> None:
    ticket = await world.led()
    await world.ask(world.http, ticket, "transfer", body="out-petition", reason="信访事项")
    for receipt in ("XF-1", "XF-2"):
        assert (await world.ask(world.http, ticket, "transfer/receipt", receipt=receipt)).status_code == 200
    await world.probe.until(lambda seen: sum(e.data.name == "ticket.answered" for e in seen) == 3)
    assert [said.transfer.receipt for said in world.told(ticket, "ticket.answered")] == [None, "XF-1", "XF-2"]
    assert (await world.seen(ticket))["timeline"][-1]["text"] == "北京市信访办公室已收到，受理编号XF-2。"


async def test_whose_appeal_is_joined_reads_where_the_first_went_and_that_it_came_back(world: ScreeningWorld) -> None:
    first, second = await world.led(text="一"), await world.received(text="二")
    await world.ask(world.http, second, "link", to=first["ticket_id"], reason="同一件事")
    await world.ask(world.http, first, "transfer", body="out-court", reason="诉讼")
    await world.ask(world.http, first, "transfer/return", reason="法院不受理")
    told = {line["type"]: line["text"] for line in (await world.seen(second, "en"))["timeline"]}
    assert "Beijing" in told["ticket.transferred"]
    assert told["transfer.returned"].endswith("Why: 法院不受理")


@pytest.mark.parametrize("closed", [False, True])
async def test_what_the_body_sends_back_goes_on_as_an_order_also_when_it_was_closed(
    world: ScreeningWorld, closed: bool
) -> None:
    ticket = await world.led()
    await world.ask(world.http, ticket, "transfer", body="out-court", reason="诉讼")
    if closed:
        await world.peer.say(ticket["ticket_id"], TicketClosed(outcome="answered", round=1, at=NOON))
    back = await world.ask(world.http, ticket, "transfer/return", reason="法院不受理")
    assert back.status_code == 200
    await world.probe.until(lambda seen: len(world.told(ticket, "ticket.received")) == 2)
    assert (await world.seen(ticket))["timeline"][-1]["text"].startswith("北京法院诉讼服务已退回，继续由本市办理。")
    again = await world.ask(world.http, ticket, "transfer/return", reason="r")
    assert (again.status_code, again.json()["detail"]) == (409, "the ticket is not transferred")


async def test_transfers_are_listed_by_how_they_stand(world: ScreeningWorld) -> None:
    one, two = await world.led(text="一"), await world.led(text="二")
    for ticket in (one, two):
        await world.ask(world.http, ticket, "transfer", body="out-12366", reason="税务")
    await world.ask(world.http, two, "transfer/receipt", receipt="T-9")
    waiting = (await world.http.get("/intake/v1/transfers")).json()["items"]
    done = (await world.http.get("/intake/v1/transfers", params={"state": "receipted"})).json()["items"]
    assert [(t["number"], t["receipt"]) for t in (*waiting, *done)] == [(one["number"], None), (two["number"], "T-9")]


async def test_it_is_kept_who_passed_on_who_noted_the_number_and_who_took_it_back(world: ScreeningWorld) -> None:
    ticket = await world.led()
    await world.ask(world.holder("seat-1", "seat"), ticket, "transfer", body="out-hebei", reason="外省")
    await world.ask(world.holder("seat-2", "seat"), ticket, "transfer/receipt", receipt="H-1")
    await world.ask(world.holder("seat-3", "seat"), ticket, "transfer/return", reason="不属本省")
    (kept,) = (await world.http.get("/intake/v1/transfers", params={"state": "returned"})).json()["items"]
    assert (kept["by"], kept["receipted_by"], kept["returned_by"]) == ("seat-1", "seat-2", "seat-3")


async def test_transfers_and_flags_are_listed_by_the_language_of_their_tickets(world: ScreeningWorld) -> None:
    numbers = {}
    for language in ("zh", "en"):
        ticket = await world.led(language=language)
        numbers[language] = [ticket["number"]]
        await world.ask(world.http, ticket, "flag", ground="test", evidence="x")
        await world.ask(world.http, ticket, "transfer", body="out-12366", reason="税务")
    for path in ("transfers", "flags"):
        for language in ("zh", "en", "fr"):
            found = (await world.http.get(f"/intake/v1/{path}", params={"language": language})).json()["items"]
            assert [one["number"] for one in found] == numbers.get(language, [])


async def test_an_unknown_body_is_named_and_what_is_not_open_or_not_passed_on_is_refused(
    world: ScreeningWorld,
) -> None:
    ticket = await world.led()
    wrong = await world.ask(world.http, ticket, "transfer", body="out-moon", reason="r")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "body")
    early = await world.ask(world.http, ticket, "transfer/receipt", receipt="1")
    await world.ask(world.http, ticket, "transfer", body="out-court", reason="r")
    twice = await world.ask(world.http, ticket, "transfer", body="out-court", reason="r")
    assert (early.status_code, twice.status_code) == (409, 409)
    unit = world.holder("water", "unit")
    assert (await world.ask(unit, ticket, "transfer", body="out-court", reason="r")).status_code == 403


async def test_another_line_passes_an_appeal_in_once_and_two_lines_may_use_the_same_number(
    world: ScreeningWorld,
) -> None:
    body = {"channel": "line_transfer", "text": "小区停水", "external_ref": "2026-0001"}
    line, other = world.holder("line-12319", "adapter"), world.holder("line-12333", "adapter")
    first, again = [(await line.post("/intake/v1/tickets", json=body)).json() for _ in range(2)]
    elsewhere = (await other.post("/intake/v1/tickets", json=body)).json()
    assert first == again
    assert elsewhere["ticket_id"] != first["ticket_id"]
