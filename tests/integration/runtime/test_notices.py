"""Notices on a real database and real sockets: told once, tried again when that is safe, and never lost from sight."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from apprise import Apprise

from libs.common.messaging.schema import HEART_1
from libs.common.messaging.transaction import Speaker
from libs.common.runtime import notify
from libs.common.runtime.database import Database, open_database
from libs.common.runtime.directory import Directory, DirectoryError
from libs.common.runtime.notify import (
    HOLDING,
    HOLDING_TRIES,
    LEASE_SECONDS,
    LIMIT,
    PAUSES,
    Courier,
    Letter,
    Letters,
    Notice,
    enqueue,
)
from libs.common.runtime.settings import Settings
from tests.support.gateway import Gateway, running_gateway, running_mailbox
from tests.support.stages import ManualClock

# One of apprise's plugins tries this module of the standard library.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SECRET = "s3cret0f4robot"
WATER = "unit:dept-water"
NOTICE = Notice("ticket-1/1/completion/yellow", WATER, "工单20260302-0000001已超时")


class Office:
    """A database with notices, a directory, and a gateway to reach people by."""

    def __init__(self, database: Database, clock: ManualClock, gateway: Gateway, home: Path) -> None:
        self.database, self.clock, self.gateway = database, clock, gateway
        self.file = home / "notify.toml"
        self.gateway_url = f"http://127.0.0.1:{gateway.port}/send?token={SECRET}"

    def courier(
        self, gateway_url: str | None = None, letters: Letters | None = None, mail_gateway: str = ""
    ) -> Courier:
        """Return one process's courier."""
        url = self.gateway_url if gateway_url is None else gateway_url
        settings = Settings(sms_gateway=url, mail_gateway=mail_gateway)
        return Courier("sla", self.database, self.clock, Directory(self.file), settings, letters)

    def write(self, *ways: str, to: str = WATER) -> None:
        """Let an address lead to these ways, and no other anywhere."""
        beside = self.file.with_suffix(".new")
        beside.write_text(f'[to]\n"{to}" = {list(ways)!r}\n')
        beside.replace(self.file)

    async def tell(self, *notices: Notice) -> None:
        """Enqueue notices in a transaction."""
        async with self.database.begin() as tx:
            await enqueue(tx.connection, notices, tx.now)

    async def row(self, key: str = NOTICE.key) -> dict[str, Any]:
        """Return what is known of a notice."""
        (row,) = await self.database.pool.fetch("SELECT * FROM notices WHERE key = $1", key)
        return dict(row)

    async def holding(self) -> bool:
        """Return whether any notice keeps others waiting."""
        return bool(await self.database.pool.fetch(f"SELECT FROM notices o WHERE {HOLDING}"))

    async def states(self) -> set[str]:
        """Return what became of all notices."""
        return {row["state"] for row in await self.database.pool.fetch("SELECT state FROM notices")}


@pytest.fixture
async def office(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    clock = ManualClock()
    database = await open_database(fresh_database, Speaker("sla", frozenset(), clock.now, clock.new_id), 4)
    await database.pool.execute(HEART_1)
    async with running_gateway() as gateway:
        office = Office(database, clock, gateway, tmp_path)
        office.write("sms:+8613800000000")
        yield office
    await database.close()


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


async def test_the_line_of_the_directory_goes_before_a_letter_that_says_so(office: Office) -> None:
    async def letters(notices: Sequence[Notice]) -> dict[str, Letter]:
        return {n.key: Letter(n.text, {"sms": "sms:10692"}, unless_named=True) for n in notices}

    await office.tell(NOTICE, Notice("other", "unit:other", "words"))
    await office.courier(letters=letters).step()
    assert {posted.body["to"] for posted in office.gateway.posted} == {"+8613800000000", "10692"}


async def test_every_way_of_an_address_is_told_and_only_the_one_that_failed_again(office: Office) -> None:
    office.write("sms:+861", "sms:+862")
    office.gateway.answers.append(500)
    await office.tell(NOTICE)
    courier = office.courier()
    await courier.step()
    first = {posted.body["to"] for posted in office.gateway.posted}
    office.clock.advance(seconds=PAUSES[0])
    await courier.step()
    assert (first, len(office.gateway.posted), await office.states()) == ({"+861", "+862"}, 3, {"sent"})
    assert len({posted.body["key"] for posted in office.gateway.posted}) == 2


async def test_a_notice_goes_out_by_apprise(office: Office) -> None:
    office.write(f"json://127.0.0.1:{office.gateway.port}/", to="*")
    await office.tell(NOTICE)
    await office.courier().step()
    (posted,) = office.gateway.posted
    assert (posted.body["message"], posted.body["title"], await office.states()) == (NOTICE.text, "接诉即办", {"sent"})


@pytest.mark.parametrize(
    "way", ["dingtalk://token", "wecombot://0123456789abcdef", "feishu://0123456789abcdef", "mailto://a:b@example.org"]
)
def test_the_robots_units_use_are_known(way: str) -> None:
    assert Apprise.instantiate(way, asset=notify.ASSET) is not None


@pytest.mark.parametrize("way", ["dingtalk://what is this", "carrier-pigeon://roof"])
async def test_a_way_that_cannot_be_read_is_told_as_such(office: Office, way: str) -> None:
    office.write(way)
    await office.tell(NOTICE)
    await office.courier().step()
    assert (await office.row())["error"] == "bad_url"


async def test_without_an_address_a_notice_stays_to_be_seen(office: Office) -> None:
    office.file.unlink()
    await office.tell(NOTICE)
    courier = office.courier()
    await courier.step()
    office.write("sms:+8613800000000")
    await courier.step()
    assert ((await office.row())["state"], office.gateway.posted) == ("no_address", [])


async def test_without_a_gateway_a_short_message_has_failed_and_is_not_tried_again(office: Office) -> None:
    await office.tell(NOTICE)
    courier = office.courier("")
    await courier.step()
    office.clock.advance(days=1)
    await courier.step()
    row = await office.row()
    assert (row["state"], row["error"], row["attempts"], row["next_at"]) == ("failed", "no_gateway", 1, None)


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


CITIZEN = Notice("ticket-1/received/1", "ticket:1", "查进度：{link}")


async def test_a_notice_to_a_citizen_goes_out_as_a_letter_that_is_stored_nowhere(office: Office) -> None:
    office.write("sms:+8613900000000", to="*")

    async def letters(notices: Sequence[Notice]) -> dict[str, Letter]:
        mine = [notice for notice in notices if notice.to.startswith("ticket:")]
        ways = {"sms": "sms:+8613812345678"}
        return {n.key: Letter(n.text.replace("{link}", "http://secret"), ways) for n in mine}

    await office.tell(CITIZEN, NOTICE)
    await office.courier(letters=letters).step()
    sent = {posted.body["to"]: posted.body["text"] for posted in office.gateway.posted}
    assert sent == {"+8613812345678": "查进度：http://secret", "+8613900000000": NOTICE.text}
    row = await office.row(CITIZEN.key)
    assert (row["text"], row["state"], list(row["outcomes"])) == (CITIZEN.text, "sent", ["sms"])


async def test_letters_that_cannot_be_made_now_are_made_later(office: Office) -> None:
    async def none_now(notices: Sequence[Notice]) -> dict[str, Letter]:
        raise ConnectionError

    async def letters(notices: Sequence[Notice]) -> dict[str, Letter]:
        return {n.key: Letter(n.text, {"sms": "sms:+8613812345678"}) for n in notices}

    await office.tell(CITIZEN)
    await office.courier(letters=none_now).step()
    row = await office.row(CITIZEN.key)
    assert (row["state"], row["error"]) == ("waiting", "ConnectionError")
    office.clock.advance(seconds=PAUSES[0])
    await office.courier(letters=letters).step()
    assert (await office.row(CITIZEN.key))["state"] == "sent"


async def test_a_letter_with_no_way_left_reaches_nobody_and_never_the_directory(office: Office) -> None:
    office.write("sms:+8613900000000", to="*")

    async def letters(notices: Sequence[Notice]) -> dict[str, Letter]:
        return {n.key: Letter(n.text, {}) for n in notices}

    await office.tell(CITIZEN)
    await office.courier(letters=letters).step()
    assert ((await office.row(CITIZEN.key))["state"], office.gateway.posted) == ("no_address", [])


async def test_a_mail_goes_by_the_mail_server_of_the_settings_to_one_recipient(office: Office) -> None:
    async def letters(notices: Sequence[Notice]) -> dict[str, Letter]:
        return {n.key: Letter("您的诉求已收到", {"mail": "mail:wang+1@example.com"}) for n in notices}

    await office.tell(CITIZEN)
    async with running_mailbox() as mailbox:
        gateway = f"mailto://127.0.0.1:{mailbox.port}?from=12345@city.example"
        await office.courier(letters=letters, mail_gateway=gateway).step()
    ((recipients, text),) = mailbox.mails
    assert recipients == ["wang+1@example.com"]
    assert "12345@city.example" in text
    assert (await office.row(CITIZEN.key))["state"] == "sent"


async def test_without_a_mail_server_a_mail_has_failed(office: Office) -> None:
    async def letters(notices: Sequence[Notice]) -> dict[str, Letter]:
        return {n.key: Letter(n.text, {"mail": "mail:wang@example.com"}) for n in notices}

    await office.tell(CITIZEN)
    await office.courier(letters=letters).step()
    row = await office.row(CITIZEN.key)
    assert (row["state"], row["error"]) == ("failed", "no_gateway")


async def test_the_directory_is_read_again_when_it_changes(office: Office) -> None:
    courier = office.courier()
    await office.tell(NOTICE)
    await courier.step()
    office.write("sms:+8613911111111")
    await office.tell(Notice("another", WATER, NOTICE.text))
    await courier.step()
    assert [posted.body["to"] for posted in office.gateway.posted] == ["+8613800000000", "+8613911111111"]


@pytest.mark.parametrize(
    "wrong", ['[to]\n"a" = "dingtalk://{}"', '[two]\n"a" = ["sms:{}"]', '[to]\n"a" = ["sms:{}"', "\xff{}"]
)
async def test_a_wrong_directory_holds_notices_back_and_does_not_quote_itself(office: Office, wrong: str) -> None:
    office.file.write_bytes(wrong.format(SECRET).encode("latin-1"))
    await office.tell(NOTICE)
    with pytest.raises(DirectoryError, match=r"notify\.toml") as refused:
        await office.courier().step()
    assert SECRET not in repr(refused.value)
    assert (await office.row())["state"] == "waiting"


async def test_no_secret_of_an_address_gets_into_a_log_or_a_table(
    office: Office, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(1)
    port = office.gateway.port
    office.write(
        f"json://robot:{SECRET}@127.0.0.1:{port}/{SECRET}", f"json://{SECRET}@127.0.0.1:1/", f"dingtalk://{SECRET}_/",
        "sms:+8613800000000",
    )  # fmt: skip
    office.gateway.answers.extend([500, 500])
    await office.tell(NOTICE)
    await office.courier().step()
    told = caplog.text + "".join(capsys.readouterr()) + str(await office.row())
    assert (await office.row())["error"] in told
    assert SECRET not in told
