"""Notices that go out as letters: to citizens, whose words and addresses are stored nowhere, and by mail."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from libs.common.runtime.notify import PAUSES, Letter, Notice
from tests.support.gateway import running_mailbox
from tests.support.office import NOTICE, Office, running_office

# One of apprise's plugins tries this module of the standard library.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

CITIZEN = Notice("ticket-1/received/1", "ticket:1", "查进度：{link}")


@pytest.fixture
async def office(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with running_office(fresh_database, tmp_path) as office:
        yield office


async def test_the_line_of_the_directory_goes_before_a_letter_that_says_so(office: Office) -> None:
    async def letters(notices: Sequence[Notice]) -> dict[str, Letter]:
        return {n.key: Letter(n.text, {"sms": "sms:10692"}, unless_named=True) for n in notices}

    await office.tell(NOTICE, Notice("other", "unit:other", "words"))
    await office.courier(letters=letters).step()
    assert {posted.body["to"] for posted in office.gateway.posted} == {"+8613800000000", "10692"}


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
