"""Consultations on a real database: answered on the spot, or found not to be; and emergencies at the door."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from libs.common.contracts.dispatch import TicketDispatched
from libs.common.contracts.feedback import ReviewRequested, TicketClosed, TicketReopened
from tests.support.screening import UNIT, ScreeningWorld, screening_world
from tests.support.stages import NOON, client

ARTICLE = {"article_id": "k-12", "version": "3"}


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[ScreeningWorld]:
    async with screening_world(fresh_database, tmp_path) as world:
        yield world


async def test_an_answer_names_the_article_that_was_read_out(world: ScreeningWorld) -> None:
    ticket = await world.received(kind="consultation", text="请问居住证怎么办")
    await world.ask(world.http, ticket, "answer", text="请到街道政务服务中心办理。", article=ARTICLE)
    await world.probe.named("ticket.answered")
    (said,) = world.told(ticket, "ticket.answered")
    assert (said.answer, said.article.model_dump()) == ("请到街道政务服务中心办理。", ARTICLE)
    shown = await world.seen(ticket)
    assert (shown["status"], shown["timeline"][-1]["text"]) == (
        "answered",
        "已答复：请到街道政务服务中心办理。（依据知识k-12，版本3）",
    )


async def test_an_answer_that_was_none_is_void_and_the_question_goes_on_as_an_order(world: ScreeningWorld) -> None:
    ticket = await world.received(kind="consultation", text="请问居住证怎么办")
    await world.ask(world.http, ticket, "answer", text="不清楚")
    again = await world.ask(world.http, ticket, "answer", answered=False, text="市民说没有解答")
    assert again.json()["status"] == "received"
    await world.probe.until(lambda _: len(world.told(ticket, "ticket.received")) == 2)
    names = [event.name for event in world.told(ticket, "ticket.received", "ticket.answered")]
    assert names == ["ticket.received", "ticket.answered", "ticket.received"]
    assert (await world.seen(ticket))["timeline"][-1]["text"] == "您的问题没有得到解答，转由承办单位办理。"


async def test_a_question_that_nobody_could_answer_is_only_told_to_go_on(world: ScreeningWorld) -> None:
    ticket = await world.led(kind="consultation", text="请问居住证怎么办")
    assert (await world.ask(world.http, ticket, "answer", answered=False)).json()["status"] == "dispatched"
    assert (await world.seen(ticket))["timeline"][-1]["type"] == "ticket.unanswered"
    assert len(world.told(ticket, "ticket.received", "ticket.answered")) == 1


@pytest.mark.parametrize(
    ("end", "detail"),
    [
        ("closed", "the ticket is closed"),
        ("withdraw", "the ticket is withdrawn"),
        ("transfer", "the ticket is answered"),
    ],
)
async def test_what_ended_otherwise_is_not_undone_by_saying_it_was_not_answered(
    world: ScreeningWorld, end: str, detail: str
) -> None:
    ticket = await world.received()
    if end == "closed":
        await world.ask(world.http, ticket, "answer", text="已答")
        await world.peer.say(ticket["ticket_id"], TicketClosed(outcome="answered", round=1, at=NOON))
    elif end == "withdraw":
        await world.ask(world.http, ticket, "withdraw")
    else:
        await world.ask(world.http, ticket, "transfer", body="out-court", reason="r")
    refused = await world.ask(world.http, ticket, "answer", answered=False)
    assert (refused.status_code, refused.json()["detail"]) == (409, detail)


async def test_what_was_asked_of_an_answer_is_asked_no_more_once_a_unit_has_it(world: ScreeningWorld) -> None:
    ticket = await world.received(text="请问居住证怎么办")
    await world.ask(world.http, ticket, "answer", text="不清楚")
    asked = ReviewRequested(method="link", round=1, at=world.clock.now(), until=world.clock.now())
    await world.peer.say(ticket["ticket_id"], asked)
    assert (await world.seen(ticket))["review_url"]
    await world.ask(world.http, ticket, "answer", answered=False)
    world.clock.advance(seconds=1)
    handed = TicketDispatched(unit=UNIT, rule="duty", why=("w",), round=1, at=world.clock.now())
    await world.peer.say(ticket["ticket_id"], handed)
    assert (await world.seen(ticket))["review_url"] is None


@pytest.mark.parametrize("body", [{}, {"answered": True}, {"answered": False, "article": ARTICLE}])
async def test_an_answer_without_words_or_an_article_without_an_answer_is_refused(
    world: ScreeningWorld, body: dict[str, Any]
) -> None:
    ticket = await world.received()
    assert (await world.ask(world.http, ticket, "answer", **body)).status_code == 422


@pytest.mark.parametrize(
    ("how", "goes_on"),
    [("answer", True), ("transfer", False), ("emergency", False)],
)
async def test_a_reopened_answer_goes_on_as_an_order_where_a_unit_can_do_more(
    world: ScreeningWorld, how: str, goes_on: bool
) -> None:
    ticket = await world.received(text="楼下着火了" if how == "emergency" else "请问居住证怎么办")
    if how == "answer":
        await world.ask(world.http, ticket, "answer", text="已答")
    elif how == "transfer":
        await world.ask(world.http, ticket, "transfer", body="out-court", reason="r")
    received = len(world.told(ticket, "ticket.received"))
    for _ in range(2):
        await world.peer.say(ticket["ticket_id"], TicketReopened(reason="not_solved", round=2, at=NOON))
    shown = await world.seen(ticket)
    assert shown["status"] == ("reopened" if goes_on else "answered")
    if goes_on:
        await world.probe.until(lambda _: len(world.told(ticket, "ticket.received")) > received)
    assert len(world.told(ticket, "ticket.received")) == received + goes_on


async def test_the_door_itself_says_whom_to_call_and_the_timeline_says_it_in_both_languages(
    world: ScreeningWorld,
) -> None:
    body = {"channel": "web", "text": "出车祸了，司机昏迷，车还着火了"}
    answer = await world.http.post("/intake/v1/tickets", json=body)
    call = answer.json()["emergency"]
    assert (answer.status_code, call["number"], call["name"]) == (202, "119", "火警与救援")
    assert "119（火警与救援），再拨打120（医疗急救），再拨打122（交通事故报警）" in call["text"]
    assert "call 119 (fire and rescue), then 120 (medical emergency)" in call["text"]
    await world.probe.named("ticket.answered")
    (said,) = world.told(answer.json(), "ticket.answered")
    shown = await world.seen(answer.json())
    assert (said.emergency, said.answer, shown["status"]) == ("119", call["text"], "answered")
    assert call["text"] in shown["timeline"][-1]["text"]


async def test_a_false_alarm_is_put_right_by_a_seat(world: ScreeningWorld) -> None:
    ticket = await world.received(text="楼下着火了")
    assert (await world.ask(world.http, ticket, "answer", answered=False)).json()["status"] == "received"
    await world.probe.until(lambda _: world.told(ticket, "ticket.received"))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"text": "路灯不亮"}, "zh"),
        ({"text": "The street light in front of our house is broken"}, "en"),
        ({"text": "街灯がつきません"}, "ja"),
        ({"text": "路灯不亮", "language": "en"}, "en"),
    ],
)
async def test_the_language_is_kept_as_it_is_named_or_else_detected(
    world: ScreeningWorld, sent: dict[str, str], kept: str
) -> None:
    ticket = await world.received(**sent)
    (said,) = world.told(ticket, "ticket.received")
    assert said.language == kept


async def test_anyone_may_read_what_the_line_accepts_and_on_which_grounds_it_rules(world: ScreeningWorld) -> None:
    scope = (await client([world.stage]).get("/intake/v1/scope")).json()
    courts = next(entry for entry in scope["elsewhere"] if entry["code"] == "litigation")
    assert [body["phone"] for body in courts["bodies"]] == ["12368"]
    assert {ground["verdict"] for ground in scope["grounds"]} == {
        "test", "blank", "abusive", "out_of_scope", "malicious", "unreasonable",
    }  # fmt: skip
    assert {entry["code"] for entry in scope["accepted"]} >= {"consultation", "complaint"}
