"""Personal data enters by fields and by words, and is found nowhere but in intake's vault."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.common.local.postgres import PrivatePostgres
from libs.common.runtime.telemetry import configure_logs
from tests.support.platform import Platform, eventually, running_platform
from tests.support.stages import ManualClock

NAME, PHONE, ID_CARD, ROOM = "欧阳婷婷", "13912345678", "110105199003072316", "2单元501室"
APPEAL = {
    "text": f"我叫{NAME}，身份证{ID_CARD}，电话139 1234 5678，家住3号楼{ROOM}，暖气不热已经三天了，室温只有十三度",
    "title": f"{NAME}反映暖气不热",
    "address": f"朝阳区望京街道花家地西里3号楼{ROOM}",
    "reporter": {"type": "person", "name": NAME, "phone": PHONE},
    "external_ref": f"ref-{PHONE}",
}
SECRETS = (NAME, PHONE, "139 1234 5678", ID_CARD, "501室", "501")


@pytest.fixture
async def platform(postgres_server: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Platform]:
    async with running_platform(postgres_server, tmp_path, ManualClock()) as platform:
        yield platform


async def _everything_stored(platform: Platform) -> dict[str, str]:
    stored = {}
    for service in platform.stages:
        tables = await platform.rows(service, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables:
            stored[f"{service}.{table}"] = str(await platform.rows(service, f"SELECT t::text FROM {table} t"))  # noqa: S608
    return stored


async def test_personal_data_is_in_no_topic_table_log_or_metric(
    platform: Platform, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    configure_logs("debug")
    ticket = (await platform.post(**APPEAL))["ticket_id"]
    await platform.probe.named("ticket.dispatched", "clock.started", subject=ticket)
    await platform.order(ticket, "accept")
    await platform.order(ticket, "contact", method="phone", note=f"已联系{NAME}女士 电话{PHONE}")
    await platform.order(ticket, "resolve", reply=f"您好，{PHONE}的机主，暖气已修复")
    await platform.probe.named("review.requested", subject=ticket)
    await platform.http.post(
        f"/feedback/v1/tickets/{ticket}/review",
        json={"resolved": "yes", "satisfied": 5, "comment": f"谢谢，有事打{PHONE}"},
    )
    await platform.probe.named("ticket.closed", subject=ticket)
    opened = await platform.http.post(
        f"/intake/v1/tickets/{ticket}/contact", json={"purpose": "callback", "note": f"{NAME}来电{PHONE}"}
    )
    out, err = capfd.readouterr()
    places = await _everything_stored(platform)
    places["topics"] = "".join(e.data.model_dump_json() + e.subject for e in platform.probe.seen)
    places["logs"] = caplog.text + out + err
    places["metrics"] = (await platform.http.get("/metrics")).text
    found = [(place, secret) for place, text in places.items() for secret in SECRETS[:5] if secret in text]
    assert found == []
    assert (opened.json()["name"], opened.json()["phone"]) == (NAME, PHONE)


async def test_the_unit_reads_the_words_with_marks_it_can_have_opened(platform: Platform) -> None:
    ticket = (await platform.post(**APPEAL))["ticket_id"]
    await platform.probe.named("ticket.dispatched", subject=ticket)
    order = (await platform.http.get(f"/dispatch/v1/orders/{ticket}")).json()
    opened = (await platform.http.post(f"/intake/v1/tickets/{ticket}/contact", json={"purpose": "handling"})).json()
    for mark, original in opened["marks"].items():
        assert f"⟦{mark}⟧" in order["text"] + order["title"] + order["address"]
        assert original not in order["text"]


WORDS = ("琉璃瓦花坛", "水表井盖下", "玉兰杯", "紫藤架")
"""Words so rare that they are found again wherever they went."""
FOREIGN = ("classify", "dispatch", "sla", "feedback")


async def _settled(platform: Platform) -> None:
    """Wait until no event is on its way any more; the bus takes one only when every service has committed it."""

    async def empty() -> bool:
        counts = [await platform.rows(name, "SELECT count(*) FROM outbox") for name in platform.stages]
        return all(rows == [(0,)] for rows in counts)

    await eventually(empty, "no outbox holds anything")


async def _lived(platform: Platform) -> str:
    """Let a ticket be worked on in words of everybody's, returned, ruled on, answered for and closed."""
    appeal = {**APPEAL, "text": f"{APPEAL['text']}，就在{WORDS[0]}旁边", "title": f"{WORDS[0]}的暖气不热"}
    ticket: str = (await platform.post(**appeal))["ticket_id"]
    await platform.probe.named("ticket.dispatched", subject=ticket)
    added = await platform.http.post(f"/intake/v1/tickets/{ticket}/supplement", json={"text": f"{WORDS[1]}也是凉的"})
    assert added.status_code == 200, added.text
    await platform.order(ticket, "return", ground="not_our_duty", note=f"{WORDS[2]}不归我们，由小区自管")
    ruling = {"upheld": True, "unit": "dept-housing", "right_code": "heating-01-02", "note": f"{WORDS[2]}归你们"}
    await platform.order(ticket, "rule", **ruling)
    await platform.probe.named("ticket.ruled", subject=ticket)
    await platform.order(ticket, "accept")
    await platform.order(ticket, "contact", method="phone", note=f"{WORDS[2]}已看过")
    resolved = await platform.order(ticket, "resolve", reply=f"{WORDS[2]}旁的阀门已修好")
    assert resolved.status_code == 200, resolved.text
    await platform.probe.named("review.requested", subject=ticket)
    said = {"resolved": "yes", "satisfied": 5, "comment": f"{WORDS[3]}也亮了", "explained": True}
    await platform.http.post(f"/feedback/v1/tickets/{ticket}/review", json=said)
    await platform.probe.named("ticket.closed", subject=ticket)
    await _settled(platform)
    return ticket


async def test_after_an_erasure_no_other_database_holds_the_words_or_the_pseudonym(platform: Platform) -> None:
    ticket = await _lived(platform)
    pseudonym = platform.stages["intake"].context.engine.pseudonyms.of("phone", PHONE)
    before = await _everything_stored(platform)
    wanted = (*WORDS, pseudonym)
    places = [name for name in before if name.split(".")[0] in (*FOREIGN, "intake")]
    assert {word for word in wanted if any(word in before[name] for name in places)} == set(wanted)
    kept = "SELECT code, unit_code, state, returns FROM orders"
    judged = "SELECT resolved, satisfied, explained, unit_code, period FROM reviews"
    scored = (await platform.rows("dispatch", kept), await platform.rows("feedback", judged))
    told = len(platform.probe.seen)

    erased = await platform.http.post("/intake/v1/persons/erase", json={"phone": PHONE})
    assert erased.json() == {"tickets": [{"ticket_id": ticket, "stays": None}]}
    await platform.probe.named("ticket.erased", subject=ticket)
    await _settled(platform)

    after = await _everything_stored(platform)
    assert [(name, word) for name in after for word in wanted if word in after[name]] == []
    said_since = "".join(event.data.model_dump_json() for event in platform.probe.seen[told:])
    assert [word for word in wanted if word in said_since] == []
    assert (await platform.rows("dispatch", kept), await platform.rows("feedback", judged)) == scored
    cards = (await platform.http.get("/feedback/v1/scorecards", params={"period": "2026-03"})).json()
    assert [card["counted"] for card in cards] == [1]


async def test_after_an_erasure_intake_knows_nobody_any_more(platform: Platform) -> None:
    ticket = (await platform.post(**APPEAL))["ticket_id"]
    await platform.probe.named("ticket.dispatched", subject=ticket)
    erased = await platform.http.post("/intake/v1/persons/erase", json={"phone": PHONE, "withdraw": True})
    assert erased.json() == {"tickets": [{"ticket_id": ticket, "stays": None}]}
    pseudonym = platform.stages["intake"].context.engine.pseudonyms.of("phone", PHONE)
    await platform.probe.named("ticket.closed", subject=ticket)
    stored = await _everything_stored(platform)
    assert [place for place, text in stored.items() if place.startswith("intake.") and pseudonym in text] == []
    opened = await platform.http.post(f"/intake/v1/tickets/{ticket}/contact", json={"purpose": "legal"})
    assert opened.status_code == 409
