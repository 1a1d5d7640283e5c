"""Letting go of personal data: when its time is over, when its owner asks, and what a backup cannot bring back."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.common.contracts.dispatch import TicketProgressed
from libs.common.contracts.vocabulary import UnitRef
from services.intake import store
from services.intake.handlers import let_go, list_audit, retention
from tests.support.stages import client
from tests.support.vault import FULL, LEAD, PERSON, PHONE, VaultWorld, vault_world

SECRETS = ("欧阳婷", PHONE, "501室")


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[VaultWorld]:
    async with vault_world(fresh_database, tmp_path) as world:
        yield world


async def swept(world: VaultWorld) -> None:
    """Run the job of retention until it rests."""
    while await let_go(world.here) != retention.NAP_SECONDS:
        pass


async def shown(world: VaultWorld, ticket: str) -> dict[str, Any]:
    """Return a ticket as it is shown."""
    return dict((await world.http.get(f"/intake/v1/tickets/{ticket}")).json())


async def kept(world: VaultWorld, ticket: str) -> tuple[bool, bool, bool]:
    """Return whether a ticket has its key, its reporter and its words."""
    key = await world.pool.fetchval("SELECT count(*) FROM vault_keys WHERE ticket_id = $1", UUID(ticket))
    (row,) = await world.pool.fetch("SELECT reporter, text FROM tickets WHERE ticket_id = $1", UUID(ticket))
    return bool(key), row["reporter"] is not None, bool(row["text"])


async def test_a_year_after_its_end_nobody_knows_whose_a_ticket_was_and_later_its_words_are_gone(
    world: VaultWorld,
) -> None:
    closed, going = await world.led(text="停水", external_ref="A-1"), await world.led(text="停电")
    await world.closed(closed)
    world.clock.advance(days=364)
    await swept(world)
    assert await kept(world, closed) == (True, True, True)
    world.clock.advance(days=2)
    await swept(world)
    assert (await kept(world, closed), await kept(world, going)) == ((False, False, True), (True, True, True))
    lines = [line["type"] for line in (await shown(world, closed))["timeline"]]
    opened = await world.open(closed, world.http)
    assert (lines.count("personal_data.deleted"), opened.status_code) == (1, 409)
    assert await world.pool.fetchval("SELECT count(*) FROM claims") == 0
    world.clock.advance(days=3 * 365)
    await swept(world)
    assert await kept(world, closed) == (False, False, False)
    after = await shown(world, closed)
    assert (after["status"], after["unit"]["code"]) == ("closed", LEAD)
    deeds = await list_audit(world.here, 0, 10, None, "retention", None)
    assert [entry.note for entry in deeds] == ["identity of 1", "words of 1"]


def erasures(world: VaultWorld) -> list[tuple[str, bool]]:
    """Return which tickets the other stages were told to be erased, and whether with their words."""
    return [(e.subject, e.data.words) for e in world.probe.seen if e.data.name == "ticket.erased"]


async def test_the_other_stages_are_told_of_each_erasure_and_later_of_the_words(world: VaultWorld) -> None:
    retained, asked, back = [await world.led(text=text) for text in ("停水", "停电", "停气")]
    await world.closed(retained)
    world.clock.advance(days=366)
    await swept(world)
    await world.http.post("/intake/v1/persons/erase", json={"phone": PHONE})
    await world.closed(asked)
    await world.http.post("/intake/v1/persons/erase", json={"phone": PHONE})
    await world.closed(back)
    await world.pool.execute(
        "INSERT INTO to_erase (ticket_id, at, why, text_at) VALUES ($1, $2, 'retention', NULL)",
        UUID(back),
        world.clock.now(),
    )
    await swept(world)
    await world.probe.until(lambda _: len(erasures(world)) == 3)
    assert erasures(world) == [(retained, False), (asked, True), (back, False)]
    world.clock.advance(days=4 * 365)
    await swept(world)
    await world.probe.until(lambda _: len(erasures(world)) == 5)
    assert sorted(erasures(world)[3:]) == sorted([(retained, True), (back, True)])


async def test_after_another_database_was_restored_an_erasure_is_told_again_and_changes_nothing_here(
    world: VaultWorld,
) -> None:
    ticket = await world.led()
    await world.closed(ticket)
    await world.http.post("/intake/v1/persons/erase", json={"phone": PHONE})
    before = await shown(world, ticket)
    await world.pool.execute("INSERT INTO to_erase SELECT * FROM erasures ON CONFLICT DO NOTHING")
    await swept(world)
    await world.probe.until(lambda _: len(erasures(world)) == 2)
    assert erasures(world) == [(ticket, True)] * 2
    assert await shown(world, ticket) == before


async def test_what_a_unit_wrote_is_not_kept_if_it_comes_after_the_words_were_deleted(world: VaultWorld) -> None:
    ticket = await world.led()
    await world.http.post("/intake/v1/persons/erase", json={"phone": PHONE, "withdraw": True})
    unit = UnitRef(code=LEAD, name=LEAD)
    await world.peer.say(ticket, TicketProgressed(unit=unit, note="琉璃瓦旁已看过", round=1, at=world.clock.now()))
    lines = await world.pool.fetch("SELECT params FROM timeline WHERE type = 'ticket.progressed'")
    assert [line["params"] for line in lines] == [{"unit": LEAD}]


async def test_the_note_of_a_request_does_not_keep_who_it_is_about(world: VaultWorld) -> None:
    ticket = await world.led()
    note = "欧阳婷来电核实，欧阳婷的号码138 0013 8000"
    for what in ("export", "erase"):
        await world.http.post(f"/intake/v1/persons/{what}", json={"phone": PHONE, "note": note})
    wrong = {"tickets": [{"number": "20260302-0000001", "code": "AAAAAAAAAA"}], "note": note}
    assert (await world.http.post("/intake/v1/persons/export", json=wrong)).status_code == 403
    await world.closed(ticket)
    await world.http.post("/intake/v1/persons/erase", json={"phone": PHONE, "note": note})
    noted = [entry.note for entry in await list_audit(world.here, 0, 10, None, None, None)]
    said = "⟦name-1⟧来电核实，⟦name-1⟧的号码⟦phone-1⟧"
    assert noted == [said, said, None, said]


async def test_call_records_go_after_their_time(world: VaultWorld) -> None:
    await world.pool.execute(
        """
        INSERT INTO calls SELECT decode(lpad(n::text, 4, '0'), 'hex'), 'main', $1::timestamptz - n * interval '1 day',
        true, false, 1, false FROM unnest(ARRAY[10, 364, 366]) n
        """,
        world.clock.now(),
    )
    await swept(world)
    assert await world.pool.fetchval("SELECT count(*) FROM calls") == 2


async def test_a_job_that_is_killed_in_a_batch_undoes_it_and_does_it_again(
    world: VaultWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = [await world.led(text=f"停水 {n}") for n in range(3)]
    for ticket in tickets:
        await world.closed(ticket)
    world.clock.advance(days=366)
    with monkeypatch.context() as killed:
        killed.setattr(store, "add_audit", _killed)
        with pytest.raises(asyncio.CancelledError):
            await swept(world)
    assert [await kept(world, ticket) for ticket in tickets] == [(True, True, True)] * 3
    await swept(world)
    assert [await kept(world, ticket) for ticket in tickets] == [(False, False, True)] * 3


async def _killed(*_: object) -> None:
    raise asyncio.CancelledError


async def test_what_was_backed_up_does_not_open_once_the_key_is_gone(world: VaultWorld) -> None:
    ticket = await world.led()
    (backup,) = await store.sealed(world.pool, [UUID(ticket)])
    await world.closed(ticket)
    await world.http.post("/intake/v1/persons/erase", json={"phone": PHONE})
    await world.pool.execute("UPDATE vault SET appeal = $1, marks = $2", backup.appeal, backup.marks)
    assert (await world.open(ticket, world.http)).status_code == 409
    again = await world.http.post("/intake/v1/persons/export", json={"phone": PHONE})
    assert (again.status_code, again.json()["tickets"]) == (200, [])


async def test_what_a_restored_backup_brought_back_is_erased_again(world: VaultWorld) -> None:
    ticket = await world.led()
    await world.closed(ticket)
    await world.pool.execute(
        "INSERT INTO to_erase (ticket_id, at, why, text_at) VALUES ($1, $2, 'request', $2)",
        UUID(ticket),
        world.clock.now(),
    )
    await swept(world)
    assert await kept(world, ticket) == (False, False, False)
    assert await world.pool.fetchval("SELECT count(*) FROM to_erase") == 0
    assert await world.pool.fetchval("SELECT ticket_id FROM erasures") == UUID(ticket)


async def test_a_person_gets_a_copy_of_everything_and_sees_who_looked_at_it(world: VaultWorld) -> None:
    first, second = await world.led(text=f"我叫欧阳婷，打{PHONE}"), await world.led(text="停电")
    other = await world.led(text="路灯不亮", reporter={"type": "person", "phone": "13911112222"})
    await world.http.post(f"/intake/v1/tickets/{first}/supplement", json={"text": "或者打13933334444"})
    await world.open(first, world.holder("unit", LEAD), "handling")
    seat = world.holder("seat")
    answer = await seat.post("/intake/v1/persons/export", json={"phone": "+86 138-0013-8000", "note": "来电核实"})
    copied = answer.json()
    assert [ticket["ticket_id"] for ticket in copied["tickets"]] == [first, second]
    assert other not in answer.text
    assert copied["tickets"][0]["appeal"]["reporter"]["name"] == "欧阳婷"
    assert "13933334444" in " ".join(line["text"] for line in copied["tickets"][0]["timeline"])
    assert [(seen["by"], seen["action"]) for seen in copied["tickets"][0]["audit"]] == [(f"unit {LEAD}", "contact")]
    noted = await list_audit(world.here, 0, 10, None, "seat", None)
    assert [(e.action, e.ticket_id, e.purpose) for e in noted] == [
        ("export", UUID(first), "person_request"), ("export", UUID(second), "person_request"),
    ]  # fmt: skip


async def test_what_was_said_in_a_chat_about_an_appeal_is_in_the_copy_and_goes_with_the_appeal(
    world: VaultWorld,
) -> None:
    ticket = await world.led()
    asked = (await world.http.post("/intake/v1/sessions", json={"kind": "chat", "ticket_id": ticket})).json()
    path = f"/intake/v1/sessions/{asked['session_id']}"
    await world.http.post(f"{path}/messages?pass={asked['pass']}", json={"text": f"我是欧阳婷，{PHONE}"})
    await world.http.post(f"{path}/leave?pass={asked['pass']}")
    copied = (await world.http.post("/intake/v1/persons/export", json={"phone": PHONE})).json()
    (chat,) = copied["tickets"][0]["sessions"]
    assert [(line["by"], line["text"]) for line in chat["said"]] == [("citizen", f"我是欧阳婷，{PHONE}")]
    await world.closed(ticket)
    await world.http.post("/intake/v1/persons/erase", json={"phone": PHONE})
    left = "SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM spoken) + (SELECT count(*) FROM vault_keys)"
    assert await world.pool.fetchval(left) == 0


async def test_what_was_left_to_be_called_back_is_in_the_copy_and_goes_once_the_call_is_over(world: VaultWorld) -> None:
    wish = {"kind": "callback", "phone": f"+86 {PHONE}", "question": "何时来水"}
    asked = (await world.http.post("/intake/v1/sessions", json=wish)).json()
    path = f"/intake/v1/sessions/{asked['session_id']}"
    copied = (await world.http.post("/intake/v1/persons/export", json={"phone": PHONE})).json()
    (call,) = copied["sessions"]
    assert (call["phone"], call["question"], copied["tickets"]) == (f"+86 {PHONE}", "何时来水", [])
    left = "SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM vault_keys)"
    await world.http.post("/intake/v1/persons/erase", json={"phone": PHONE})
    assert await world.pool.fetchval(left) == 2
    await world.http.post(f"{path}/leave?pass={asked['pass']}")
    await world.http.post("/intake/v1/persons/erase", json={"phone": PHONE})
    assert await world.pool.fetchval(left) == 0
    assert str(await world.pool.fetchval("SELECT ticket_id FROM erasures")) == asked["session_id"]


async def test_who_stayed_anonymous_is_found_by_number_and_code_only(world: VaultWorld) -> None:
    answer = await world.received(reporter={**PERSON, "anonymous": True})
    by_phone = await world.http.post("/intake/v1/persons/export", json={"phone": PHONE})
    named = {"number": answer["number"], "code": answer["query_code"]}
    by_code = await world.http.post("/intake/v1/persons/export", json={"tickets": [named]})
    assert by_phone.json()["tickets"] == []
    assert [ticket["number"] for ticket in by_code.json()["tickets"]] == [answer["number"]]


async def test_a_wrong_code_opens_nothing_and_the_attempt_is_kept(world: VaultWorld) -> None:
    answer = await world.received()
    wrong = {"tickets": [{"number": answer["number"], "code": "AAAAAAAAAA"}]}
    refused = [await world.http.post(f"/intake/v1/persons/{what}", json=wrong) for what in ("export", "erase")]
    assert [(a.status_code, a.json()["errors"][0]["field"]) for a in refused] == [(403, "tickets.0.code")] * 2
    tried = await list_audit(world.here, 0, 10, None, None, None)
    assert [(entry.action, entry.outcome) for entry in tried] == [("export", "wrong_code"), ("erase", "wrong_code")]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "phone"),
        ({"phone": "+() -"}, "phone"),
        ({"phone": PHONE, "purpose": "fun"}, "purpose"),
        ({"phoen": "1"}, "phoen"),
    ],
)
async def test_a_request_that_names_nobody_says_what_is_wrong(
    world: VaultWorld, body: dict[str, Any], field: str
) -> None:
    refused = await world.http.post("/intake/v1/persons/export", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


async def test_the_citizen_gets_a_copy_by_the_query_code(world: VaultWorld) -> None:
    answer = await world.received()
    public, path = client([world.stage]), f"/intake/v1/tickets/{answer['ticket_id']}/export"
    copied = await public.get(path, params={"code": answer["query_code"]})
    wrong = await public.get(path, params={"code": "AAAAAAAAAA"})
    without = await public.get(path)
    assert [a.status_code for a in (copied, wrong, without)] == [200, 403, 422]
    assert copied.json()["appeal"]["text"] == FULL["text"]
    (noted,) = await list_audit(world.here, 0, 10, UUID(answer["ticket_id"]), None, None)
    assert (noted.by, noted.action) == ("citizen", "export")


async def test_a_person_is_erased_but_what_goes_on_stays_until_it_is_taken_back(world: VaultWorld) -> None:
    ended, going = await world.led(text="停水"), await world.led(text="停电")
    await world.closed(ended)

    async def erased(**more: Any) -> dict[str, str | None]:
        answer = await world.http.post("/intake/v1/persons/erase", json={"phone": PHONE, **more})
        return {told["ticket_id"]: told["stays"] for told in answer.json()["tickets"]}

    assert await erased() == {ended: None, going: "goes_on"}
    assert (await kept(world, ended), await kept(world, going)) == ((False, False, False), (True, True, True))
    assert await erased(withdraw=True) == {going: None}
    assert (await kept(world, going), (await shown(world, going))["status"]) == ((False, False, False), "withdrawn")
    outcomes = [(e.action, e.outcome) for e in await list_audit(world.here, 0, 10, UUID(going), None, None)]
    assert outcomes == [("erase", "goes_on"), ("erase", "done")]


async def test_after_an_erasure_no_table_holds_anything_readable_of_the_person(world: VaultWorld) -> None:
    ticket = await world.led(external_ref=f"ref {PHONE}")
    await world.http.post(f"/intake/v1/tickets/{ticket}/supplement", json={"text": f"欧阳婷 {PHONE}"})
    await world.open(ticket, world.http, "callback", note=f"欧阳婷 {PHONE}")
    before = await _everything(world)
    await world.closed(ticket)
    await world.http.post("/intake/v1/persons/erase", json={"phone": PHONE, "note": f"机主{PHONE}来电"})
    after = await _everything(world)
    pseudonym = world.here.engine.pseudonyms.of("phone", PHONE)
    assert not [secret for secret in SECRETS if secret in before + after]
    assert (pseudonym in before, pseudonym in after) == (True, False)


async def _everything(world: VaultWorld) -> str:
    tables = await world.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [await world.pool.fetch(f"SELECT t::text FROM {table['tablename']} t") for table in tables]  # noqa: S608
    return json.dumps([str(row) for table in rows for row in table], ensure_ascii=False)
