"""The vault on a real database: rotated, opened by role for a purpose, audited, guarded against guesses."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from libs.common.runtime.privacy import Secrets
from services.intake import store
from services.intake.handlers import audit, keep_keys, list_audit, vault
from services.intake.handlers.sweeping import sweep
from tests.support.stages import client
from tests.support.vault import FULL, HELPER, LEAD, OTHER, PERSON, PHONE, VaultWorld, vault_world


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[VaultWorld]:
    async with vault_world(fresh_database, tmp_path) as world:
        yield world


async def swept(world: VaultWorld) -> None:
    """Run the job of the keys until it rests."""
    while await keep_keys(world.here) != vault.NAP_SECONDS:
        pass


async def test_after_a_rotation_every_key_is_wrapped_by_the_new_master_and_everything_opens(world: VaultWorld) -> None:
    tickets = [await world.led(text=f"停水 {n}") for n in range(3)]
    before = await world.pool.fetch("SELECT ticket_id, appeal FROM vault ORDER BY ticket_id")
    reporters = await world.pool.fetch("SELECT reporter FROM tickets")
    rotated = world.rotate()
    await swept(world)
    assert await world.wrapped_by() == {2} == {rotated.current}
    assert await world.pool.fetch("SELECT ticket_id, appeal FROM vault ORDER BY ticket_id") == before
    Secrets.change(world.home / "secret", lambda secrets: secrets.retire(1))
    await swept(world)
    for ticket in tickets:
        assert (await world.open(ticket, world.http)).json()["phone"] == PHONE
    again = await world.received(text="又停水了")
    assert (await world.http.get(f"/intake/v1/tickets/{again['ticket_id']}?code={again['query_code']}")).is_success
    assert set(await world.pool.fetch("SELECT reporter FROM tickets")) == set(reporters)


async def test_the_operator_sees_what_each_master_wraps_and_how_far_the_sweeps_are(world: VaultWorld) -> None:
    await world.received()
    world.rotate()
    await swept(world)
    seen = (await world.holder("operator").get("/intake/v1/vault/keys")).json()
    assert (seen["current"], seen["wraps"]) == (2, {"2": 1})
    wrap = next(sweep for sweep in seen["sweeps"] if sweep["name"] == "wrap-2")
    assert (wrap["done"], wrap["total"], wrap["finished_at"] is not None) == (1, 1, True)
    assert (await world.holder("seat").get("/intake/v1/vault/keys")).status_code == 403


async def test_a_sweep_that_is_killed_in_a_batch_loses_nothing_and_goes_on_where_it_was(
    world: VaultWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = [await world.led(text=f"停水 {n}") for n in range(5)]
    monkeypatch.setattr(vault, "WRAPPED_AT_ONCE", 2)
    world.rotate()
    world.here.engine.vault.renew()
    await sweep(world.here, vault.wrapping(2))
    with monkeypatch.context() as killed:
        killed.setattr(store, "save_sweep", _killed)
        with pytest.raises(asyncio.CancelledError):
            await sweep(world.here, vault.wrapping(2))
    (half,) = [s for s in await _sweeps(world) if s.name == "wrap-2"]
    assert (half.done, half.total, await world.wrapped_by()) == (2, 5, {1, 2})
    await swept(world)
    assert await world.wrapped_by() == {2}
    assert {(await world.open(ticket, world.http)).status_code for ticket in tickets} == {200}


async def _killed(*_: object) -> None:
    raise asyncio.CancelledError


async def _sweeps(world: VaultWorld) -> list[store.Sweep]:
    async with world.here.database.begin() as tx:
        return await store.sweeps(tx)


async def test_what_an_earlier_release_sealed_opens_and_is_given_a_key_of_its_own(world: VaultWorld) -> None:
    ticket = await world.led()
    engine, id_ = world.here.engine, UUID(ticket)
    (row,) = await store.sealed(world.pool, [id_])
    old = [
        engine.vault.seal(engine.vault.open(sealed, id_.bytes, row.key), id_.bytes)
        for sealed in (row.appeal, row.marks or b"")
    ]
    await world.pool.execute("UPDATE vault SET appeal = $1, marks = $2", *old)
    await world.pool.execute("DELETE FROM vault_keys")
    opened = (await world.open(ticket, world.http)).json()
    added = await world.http.post(f"/intake/v1/tickets/{ticket}/supplement", json={"text": "或者打13911112222"})
    world.clock.advance(days=2)
    await swept(world)
    again = (await world.open(ticket, world.http)).json()
    assert added.is_success
    assert again["text"] == opened["text"] == FULL["text"]
    assert again["marks"].items() > opened["marks"].items()
    (row,) = await store.sealed(world.pool, [id_])
    assert (row.appeal[:1], row.key is None) == (b"\0", False)


async def test_a_key_that_does_not_open_holds_up_no_other_and_keeps_its_master(world: VaultWorld) -> None:
    await world.received(text="停水")
    await world.received(text="停电")
    await world.pool.execute(
        "UPDATE vault_keys SET key = set_byte(key, 20, get_byte(key, 20) # 1) "
        "WHERE ticket_id = (SELECT ticket_id FROM vault_keys ORDER BY ticket_id LIMIT 1)"
    )
    world.rotate()
    await swept(world)
    seen = (await world.http.get("/intake/v1/vault/keys")).json()
    assert seen["wraps"] == {"1": 1, "2": 1}


async def test_units_that_work_on_the_order_open_it_and_every_attempt_is_kept(world: VaultWorld) -> None:
    ticket = await world.led()
    holders = {
        "lead": world.holder("unit", LEAD), "helper": world.holder("unit", HELPER),
        "other": world.holder("unit", OTHER), "analyst": world.holder("analyst"), "seat": world.holder("seat"),
    }  # fmt: skip
    got = {name: (await world.open(ticket, by)).status_code for name, by in holders.items()}
    assert got == {"lead": 200, "helper": 200, "other": 403, "analyst": 403, "seat": 200}
    kept = await list_audit(world.here, 0, 10, UUID(ticket), None, None)
    assert [(e.by, e.action, e.purpose, e.outcome) for e in kept] == [
        (f"unit {LEAD}", "contact", "handling", "done"),
        (f"unit {HELPER}", "contact", "handling", "done"),
        (f"unit {OTHER}", "contact", "handling", "not_leading"),
        ("analyst", "contact", "handling", "role"),
        ("seat", "contact", "handling", "done"),
    ]


async def test_a_unit_no_longer_opens_what_was_taken_back_or_ended_long_ago(world: VaultWorld) -> None:
    lead = world.holder("unit", LEAD)
    withdrawn, closed = await world.led(text="停水"), await world.led(text="停电")
    await world.http.post(f"/intake/v1/tickets/{withdrawn}/withdraw", json={})
    await world.closed(closed)
    at_once = [(await world.open(ticket, lead)).status_code for ticket in (withdrawn, closed)]
    world.clock.advance(days=31)
    later = (await world.open(closed, lead)).status_code
    assert (at_once, later) == ([403, 200], 403)
    assert (await world.open(closed, world.http, "audit")).status_code == 200


@pytest.mark.parametrize("wish", ["anonymous", "confidential"])
async def test_who_stays_unknown_to_the_unit_is_reached_by_a_seat(world: VaultWorld, wish: str) -> None:
    ticket = await world.led(reporter={**PERSON, wish: True})
    refused = await world.open(ticket, world.holder("unit", LEAD))
    assert (refused.status_code, "seat" in refused.json()["detail"]) == (403, True)
    opened = (await world.open(ticket, world.holder("seat"))).json()
    assert (opened["phone"], opened["confidential"]) == (PHONE, True)


async def test_who_is_confidential_is_known_to_the_line_and_named_to_nobody_else(world: VaultWorld) -> None:
    ticket = UUID(await world.led(reporter={**PERSON, "confidential": True}))
    (event,) = await world.probe.named("ticket.received", subject=ticket)
    unit = await world.holder("unit", LEAD).get(f"/intake/v1/tickets/{ticket}")
    ways = await world.pool.fetchval("SELECT ways FROM tickets WHERE ticket_id = $1", ticket)
    assert (event.data.anonymous, event.data.reporter is not None, ways) == (False, True, ["sms"])
    assert not any(known in f"{event.data}{unit.text}" for known in (PERSON["name"], PHONE))


async def test_the_lead_of_the_parent_reaches_those_whose_appeals_are_joined_to_it(world: VaultWorld) -> None:
    parent, child = await world.led(text="停水"), (await world.received(text="路灯不亮"))["ticket_id"]
    lead = world.holder("unit", LEAD)
    before = await world.open(child, lead)
    await world.pool.execute(
        "UPDATE tickets SET state = 'linked', parent = $1 WHERE ticket_id = $2", UUID(parent), UUID(child)
    )
    assert (before.status_code, (await world.open(child, lead)).status_code) == (403, 200)


async def test_a_purpose_is_one_of_the_list_and_words_about_it_are_redacted(world: VaultWorld) -> None:
    ticket = await world.led()
    wrong = await world.open(ticket, world.http, "curiosity")
    await world.open(ticket, world.http, "callback", note=f"欧阳婷的电话是{PHONE}")
    (kept,) = await list_audit(world.here, 0, 10, UUID(ticket), None, None)
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "purpose")
    assert kept.note
    assert not [secret for secret in ("欧阳婷", PHONE) if secret in kept.note]


async def test_the_log_refuses_changes_and_shows_those_that_were_forced(world: VaultWorld) -> None:
    ticket = await world.led()
    for _ in range(4):
        await world.open(ticket, world.http)
    for forbidden in ("UPDATE audit SET by = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(asyncpg.RaiseError, match="only added to"):
            await world.pool.execute(forbidden)
    verify = "/intake/v1/audit/verify"
    whole = (await world.http.get(verify)).json()
    assert (whole["intact"], whole["upto"], whole["whole"]) == (True, 4, True)
    await world.pool.execute("ALTER TABLE audit DISABLE TRIGGER ALL")
    await world.pool.execute("UPDATE audit SET by = 'nobody' WHERE seq = 3")
    changed = (await world.http.get(verify)).json()
    await world.pool.execute("UPDATE audit SET by = 'test' WHERE seq = 3")
    await world.pool.execute("DELETE FROM audit WHERE seq = 4")
    cut = (await world.http.get(verify)).json()
    assert (changed["broken_at"], cut["broken_at"]) == (3, 4)
    # Who moves the head along with it is found by a head that was published before.
    await world.pool.execute("UPDATE audit_ends SET seq = 3, seal = (SELECT seal FROM audit WHERE seq = 3)")
    published = (await world.http.get(f"{verify}?after=4")).json()
    assert (published["after"], published["after_seal"]) != (4, whole["upto_seal"])


async def test_the_log_is_read_by_ticket_by_client_and_page_by_page(world: VaultWorld) -> None:
    first, second = await world.led(text="停水"), await world.led(text="停电")
    seat = world.holder("seat")
    for ticket, by in ((first, world.http), (second, seat), (first, seat)):
        await world.open(ticket, by)

    async def listed(**query: Any) -> list[int]:
        answer = (await world.http.get("/intake/v1/audit", params=query)).json()
        return [item["seq"] for item in answer["items"]]

    page = (await world.http.get("/intake/v1/audit", params={"limit": 2})).json()
    assert [await listed(), await listed(ticket_id=first), await listed(by="seat")] == [[1, 2, 3], [1, 3], [2, 3]]
    assert await listed(cursor=page["next"], limit=2) == [3]
    assert await listed(since="2030-01-01T00:00:00Z") == []
    assert (await seat.get("/intake/v1/audit")).status_code == 403


async def test_what_is_over_its_time_leaves_the_log_at_its_old_end_and_it_stays_whole(world: VaultWorld) -> None:
    ticket = await world.led()
    await world.open(ticket, world.http)
    world.clock.advance(days=1000)
    await world.open(ticket, world.http)
    world.clock.advance(days=100)
    await audit.publish_head(world.here)
    kept = await list_audit(world.here, 0, 10, None, None, None)
    assert [(entry.seq, entry.action) for entry in kept] == [(2, "contact"), (3, "prune")]
    checked = (await world.http.get("/intake/v1/audit/verify")).json()
    assert (checked["intact"], checked["after"], checked["upto"]) == (True, 1, 3)


async def test_openings_of_the_time_before_the_log_are_carried_into_it_without_their_words(world: VaultWorld) -> None:
    await world.pool.execute(
        "INSERT INTO openings (ticket_id, by, purpose, at) "
        "SELECT $1, 'seat', '欧阳婷来电', $2 FROM generate_series(1, 3)",
        UUID(int=7),
        world.clock.now(),
    )
    await audit.publish_head(world.here)
    kept = await list_audit(world.here, 0, 10, None, None, None)
    assert [(entry.by, entry.purpose, entry.note) for entry in kept] == [("seat", "unlisted", None)] * 3
    assert (await world.http.get("/intake/v1/audit/verify")).json()["intact"]


async def test_openings_at_the_same_time_stand_in_one_chain(world: VaultWorld) -> None:
    ticket = await world.led()
    await asyncio.gather(*(world.open(ticket, world.http) for _ in range(20)))
    checked = (await world.http.get("/intake/v1/audit/verify")).json()
    assert (checked["intact"], checked["upto"]) == (True, 20)


async def test_whoever_guesses_at_a_code_is_told_to_wait_and_its_citizen_is_not_shut_out(world: VaultWorld) -> None:
    answer = await world.received()
    public = client([world.stage])
    path = f"/intake/v1/tickets/{answer['ticket_id']}"
    tried = [await public.get(path, params={"code": "AAAAAAAAAA"}) for _ in range(6)]
    right = await public.get(path, params={"code": answer["query_code"]})
    assert [guess.status_code for guess in tried] == [403] * 5 + [429]
    assert (tried[-1].headers["retry-after"], right.status_code) == ("1", 200)
