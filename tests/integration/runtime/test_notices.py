"""Notices on a real database and real sockets: told once, tried again when that is safe, and never lost from sight."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from libs.common.runtime import notify
from libs.common.runtime.notify import HOLDING_TRIES, LEASE_SECONDS, LIMIT, PAUSES, Courier, Notice, enqueue
from tests.support.office import NOTICE, WATER, Office, running_office

# One of apprise's plugins tries this module of the standard library.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
async def office(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with running_office(fresh_database, tmp_path) as office:
        yield office


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for an answer as short as possible."""
    monkeypatch.setattr(notify, "SEND_SECONDS", 0.05)


async def test_a_notice_is_sent_once(office: Office) -> None:
    await office.tell(NOTICE)
    courier = office.courier()
    await courier.step()
    await courier.step()
    (posted,) = office.gateway.posted
    assert (posted.body["to"], posted.body["text"]) == ("+8613800000000", NOTICE.text)
    assert posted.headers["idempotency-key"] == posted.body["key"]
    row = await office.row()
    assert (row["state"], row["error"], row["ended_at"]) == ("sent", None, office.clock.now())


async def test_a_transaction_that_is_rolled_back_tells_nobody(office: Office) -> None:
    async with office.database.begin() as tx:
        await enqueue(tx.connection, [NOTICE], tx.now)
        await tx.connection.execute("ROLLBACK")
        await tx.connection.execute("BEGIN")
    await office.courier().step()
    assert office.gateway.posted == []


async def test_the_same_key_is_one_notice(office: Office) -> None:
    await office.tell(NOTICE, NOTICE)
    await office.courier().step()
    await office.tell(Notice(NOTICE.key, WATER, "other words"))
    await office.courier().step()
    assert [posted.body["text"] for posted in office.gateway.posted] == [NOTICE.text]


async def test_a_notice_is_tried_again_after_a_500_with_the_same_idempotency_key(office: Office) -> None:
    office.gateway.answers.append(500)
    await office.tell(NOTICE)
    courier = office.courier()
    await courier.step()
    assert ((await office.row())["state"], (await office.row())["error"]) == ("waiting", "http_500")
    await courier.step()
    assert len(office.gateway.posted) == 1
    office.clock.advance(seconds=PAUSES[0])
    await courier.step()
    assert (await office.row())["state"] == "sent"
    assert len({posted.headers["idempotency-key"] for posted in office.gateway.posted}) == 1


async def test_a_fast_platform_clock_does_not_hurry_the_next_try(office: Office) -> None:
    office.clock.rate = 60
    office.gateway.answers.append(500)
    await office.tell(NOTICE)
    await office.courier().step()
    assert (await office.row())["next_at"] == office.clock.now() + timedelta(seconds=60 * PAUSES[0])


async def test_a_notice_fails_after_its_last_try_and_says_why(office: Office) -> None:
    tries = len(PAUSES) + 1
    office.gateway.answers.extend([503] * (tries + 1))
    await office.tell(NOTICE)
    courier = office.courier()
    for _ in range(tries + 1):
        await courier.step()
        office.clock.advance(seconds=max(PAUSES))
    row = await office.row()
    assert (row["state"], row["error"], row["attempts"]) == ("failed", "http_503", tries)
    assert len(office.gateway.posted) == tries


async def test_a_gateway_that_cannot_be_reached_is_tried_again(office: Office) -> None:
    await office.tell(NOTICE)
    await office.courier("http://127.0.0.1:1/").step()
    assert ((await office.row())["state"], (await office.row())["error"]) == ("waiting", "ConnectError")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("way", ["sms:+8613800000000", "json://127.0.0.1:{port}/"])
async def test_a_notice_that_is_not_answered_in_time_is_unknown_and_not_sent_again(office: Office, way: str) -> None:
    office.write(way.format(port=office.gateway.port))
    office.gateway.answers.append(None)
    await office.tell(NOTICE)
    courier = office.courier()
    await courier.step()
    await office.gateway.reached.wait()
    office.clock.advance(days=1)
    await courier.step()
    row = await office.row()
    assert row["state"] == "unknown"
    assert "Timeout" in row["error"]
    assert len(office.gateway.posted) == 1


async def test_a_courier_that_died_while_sending_leaves_an_unknown_notice(office: Office) -> None:
    office.gateway.answers.append(None)
    await office.tell(NOTICE)
    dying = asyncio.create_task(office.courier().step())
    await office.gateway.reached.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    other = office.courier()
    await other.step()
    assert (await office.row())["state"] == "sending"
    office.clock.advance(seconds=LEASE_SECONDS)
    await other.step()
    assert ((await office.row())["state"], (await office.row())["error"]) == ("unknown", "courier_lost")
    assert len(office.gateway.posted) == 1


async def test_two_couriers_never_send_twice(office: Office) -> None:
    await office.tell(*(Notice(f"notice-{number}", WATER, NOTICE.text) for number in range(100)))

    async def carry(courier: Courier) -> None:
        while await office.states() != {"sent"}:
            await courier.step()

    await asyncio.gather(carry(office.courier()), carry(office.courier()))
    keys = [posted.body["key"] for posted in office.gateway.posted]
    assert (len(keys), len(set(keys))) == (100, 100)


async def test_a_courier_passes_over_what_another_is_just_taking(office: Office) -> None:
    office.write("sms:+8613800000000", to="*")
    await office.tell(*(Notice(f"notice-{number}", f"unit:{number}", NOTICE.text) for number in range(LIMIT + 1)))
    now = office.clock.now()
    async with office.database.pool.acquire() as other, other.transaction():
        taken = await other.fetch(notify.TAKE, now, now + timedelta(seconds=LEASE_SECONDS), LIMIT)
        await asyncio.wait_for(office.courier().step(), 10)
    (posted,) = office.gateway.posted
    assert posted.body["key"].split("/")[1] not in {row["key"] for row in taken}


async def test_a_desk_hears_of_things_in_their_order_though_the_first_had_to_be_tried_again(office: Office) -> None:
    office.gateway.answers.append(503)
    courier, told = office.courier(), [Notice(f"notice-{number}", WATER, str(number)) for number in (3, 1, 2)]
    for notice in told:
        await office.tell(notice)
        await courier.step()
        office.clock.advance(seconds=1)
    assert [posted.body["text"] for posted in office.gateway.posted] == ["3"]
    office.clock.advance(seconds=PAUSES[0])
    while await courier.step() == 0:
        pass
    assert [posted.body["text"] for posted in office.gateway.posted] == ["3", "3", "1", "2"]


@pytest.mark.parametrize("ways", [["sms:+861", "sms:+862"], ["sms:+862"]])
async def test_what_did_reach_a_desk_or_cannot_holds_nothing_up(office: Office, ways: list[str]) -> None:
    office.write(*ways)
    office.gateway.answers.append(503 if len(ways) > 1 else 422)
    courier = office.courier()
    for number in (1, 2):
        await office.tell(Notice(f"notice-{number}", WATER, str(number)))
        await courier.step()
        office.clock.advance(seconds=1)
    assert [posted.body["text"] for posted in office.gateway.posted][-1] == "2"
    assert not await office.holding()


async def test_a_message_that_does_not_get_through_holds_others_up_for_eleven_minutes(office: Office) -> None:
    office.gateway.answers.extend([503] * len(PAUSES))
    await office.tell(NOTICE)
    courier, held = office.courier(), timedelta()
    for pause in PAUSES:
        await courier.step()
        held += timedelta(seconds=pause if await office.holding() else 0)
        office.clock.advance(seconds=pause)
    assert held == timedelta(seconds=sum(PAUSES[:HOLDING_TRIES])) == timedelta(minutes=11, seconds=40)


async def test_what_failed_before_it_could_be_tried_is_only_recorded(office: Office) -> None:
    await office.tell(replace(NOTICE, error="no_gateway"))
    await office.courier().step()
    row = await office.row()
    assert (row["state"], row["error"], row["attempts"]) == ("failed", "no_gateway", 0)
    assert office.gateway.posted == []


async def test_a_notice_waits_for_its_time(office: Office) -> None:
    await office.tell(replace(NOTICE, at=office.clock.now() + timedelta(hours=8)))
    courier = office.courier()
    await courier.step()
    assert office.gateway.posted == []
    office.clock.advance(hours=8)
    await courier.step()
    assert (await office.row())["state"] == "sent"
