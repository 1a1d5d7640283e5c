"""To whom notices go: what the directory says, by ways that work, that do not, and that nobody may read."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from apprise import Apprise

from libs.common.runtime import notify
from libs.common.runtime.directory import DirectoryError
from libs.common.runtime.notify import PAUSES, Notice
from tests.support.office import NOTICE, SECRET, WATER, Office, running_office

# One of apprise's plugins tries this module of the standard library.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
async def office(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with running_office(fresh_database, tmp_path) as office:
        yield office


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
