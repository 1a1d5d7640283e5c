"""The knowledge base on a real database: imported, found and cited, reminded of, complained about."""

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from docx import Document

from libs.common.contracts.envelope import Event
from libs.common.contracts.feedback import ReviewSubmitted
from libs.common.contracts.intake import Article, TicketAnswered, TicketErased, TicketReceived
from libs.common.contracts.vocabulary import Receipt, UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from services.classify.service import SERVICE
from tests.support.stages import CITY, NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

FILES = "/classify/v1/knowledge/files"
KNOWLEDGE = "/classify/v1/knowledge"
RULES = """---
id: card-loss
title: 身份证补领（示例）
owner: dept-police
{more}
---

## 材料和收费

> 问：补办身份证要多少钱 | 身份证丢了补一张收费吗

带户口簿到派出所申请，丢失补领收示例工本费{fee}元。

## 时限

示例时限为二十天，可以邮寄到家。
"""
QUESTION = "身份证丢了，补一个要多少钱？"
READ = Article(article_id="card-loss", version="1")
RECEIPT = Receipt(number="20260302-0000001", channel="phone", text="身份证丢了怎么补", received_at=NOON)
ANSWERED = TicketAnswered(**dict(RECEIPT), answer="收四十元", article=READ)


def rules(fee: int = 40, more: str = "audience: 全体居民") -> str:
    """Return the article with another fee, and with more fields."""
    return RULES.format(fee=fee, more=more)


def reviewed(**more: Any) -> ReviewSubmitted:
    """Return the citizen's word on an answer given at once."""
    said = {"resolved": "yes", "satisfied": 3, "by": "citizen", "round": 0, "at": NOON} | more
    return ReviewSubmitted.model_validate(said)


class World:
    """The service under test and all around it."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, home: Path) -> None:
        self.stage, self.clock, self.probe, self.home = stage, clock, probe, home
        self.peer = Peer(bus, clock)
        self.http = client([stage], (home / "key").read_text())
        self.ticket = clock.new_id()

    async def imports(self, content: str | bytes, **query: Any) -> list[dict[str, Any]]:
        """Import a file, and return what came of each article."""
        answer = await self.http.post(FILES, content=content, params=query)
        assert answer.status_code == 200, answer.text
        articles: list[dict[str, Any]] = answer.json()["articles"]
        return articles

    async def ask(self, question: str = QUESTION, **query: Any) -> dict[str, Any]:
        """Ask the knowledge base."""
        answer = await self.http.get(KNOWLEDGE, params={"query": question, **query})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def complain(self, **said: Any) -> httpx.Response:
        """Complain about the article."""
        said = {"version": "1", "reason": "wrong"} | said
        return await self.http.post(f"{KNOWLEDGE}/card-loss/complaints", json=said)

    async def complaints(self, **query: Any) -> list[dict[str, Any]]:
        """Return the complaints."""
        items: list[dict[str, Any]] = (await self.http.get(f"{KNOWLEDGE}/complaints", params=query)).json()["items"]
        return items

    async def say(self, *events: Event) -> None:
        """Publish events of the ticket."""
        await self.peer.say(self.ticket, *events)


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    async with probing(bus, "jiesu.classify.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        world = World(stage, bus, clock, probe, tmp_path)
        async with world.http:
            yield world


async def test_an_article_is_imported_once_and_a_change_makes_a_new_version(world: World) -> None:
    outcomes = [(await world.imports(text))[0] for text in (rules(), rules(), rules(50), rules(50))]
    assert [(one["outcome"], one["version"]) for one in outcomes] == [
        ("created", "1"), ("unchanged", "1"), ("updated", "2"), ("unchanged", "2")
    ]  # fmt: skip
    versions = (await world.http.get(f"{KNOWLEDGE}/card-loss")).json()
    assert [(one["version"], one["latest"], one["state"]) for one in versions] == [
        ("2", True, "in_force"), ("1", False, "over")
    ]  # fmt: skip
    text = (await world.http.get(f"{KNOWLEDGE}/card-loss/1")).json()
    assert [passage["passage"] for passage in text["passages"]] == ["1.1", "2.1"]
    assert "40元" in text["body"]


async def test_a_dry_run_says_what_would_come_and_changes_nothing(world: World) -> None:
    (would,) = await world.imports(rules(), dry_run=True)
    assert (would["outcome"], would["version"]) == ("created", "1")
    assert (await world.http.get(f"{KNOWLEDGE}/card-loss")).status_code == 404


async def test_a_row_with_a_fault_is_named_and_the_others_are_imported(world: World) -> None:
    table = "id,title,owner,body\na,甲,dept-police,文\nb,乙,nobody,文\na,丙,dept-police,文\n"
    told = await world.imports(table)
    assert [(one["article_id"], one["outcome"]) for one in told] == [
        ("a", "created"),
        ("b", "refused"),
        ("a", "refused"),
    ]
    assert [(e["line"], e["field"]) for one in told for e in one["errors"]] == [(3, "owner"), (4, "id")]


async def test_a_word_document_becomes_an_article(world: World) -> None:
    document, file = Document(), io.BytesIO()
    head = document.add_table(3, 2)
    fields = [("编号", "card-loss"), ("标题", "身份证补领"), ("责任单位", "dept-police")]
    for row, pair in zip(head.rows, fields, strict=True):
        row.cells[0].text, row.cells[1].text = pair
    document.add_heading("收费", 1)
    document.add_paragraph("丢失补领收示例工本费40元。")
    document.save(file)
    (told,) = await world.imports(file.getvalue())
    assert told["outcome"] == "created"
    assert "40元" in (await world.http.get(f"{KNOWLEDGE}/card-loss/1")).json()["passages"][0]["text"]


async def test_files_that_are_no_articles_are_refused_and_nothing_breaks(world: World) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.txt", "甲")
    files: list[tuple[str | bytes, int]] = [
        ("<html><script>alert(1)</script>", 415), (archive.getvalue(), 415), ("", 422), ("没有字段", 422),
        (b"---\nid: a\x00\n---\n", 415),
    ]  # fmt: skip
    for content, status in files:
        assert (await world.http.post(FILES, content=content)).status_code == status
    form = await world.http.post(FILES, files={"file": b"---"})
    assert form.status_code == 415


@pytest.mark.usefixtures("meaning")
async def test_a_question_is_answered_by_a_passage_with_its_article_version_and_owner(world: World) -> None:
    await world.imports(rules(more="expires_on: 2026-12-31\nsource: 示例〔2026〕1号"))
    found = await world.ask()
    assert found["known"]
    best = found["answers"][0]
    assert (best["article_id"], best["version"], best["passage"], best["heading"]) == (
        "card-loss", "1", "1.1", "材料和收费"
    )  # fmt: skip
    assert "40元" in best["text"]
    assert (best["owner"]["code"], best["source"]) == ("dept-police", "示例〔2026〕1号")
    assert (best["effective_from"], best["expires_on"]) == ("2026-03-02", "2026-12-31")
    assert 0.5 <= best["score"] <= 1


@pytest.mark.usefixtures("meaning")
async def test_what_no_article_answers_is_said_not_to_be_known_with_what_came_near(world: World) -> None:
    await world.imports(rules())
    near = await world.ask("身份证上的名字怎么改")
    assert (near["known"], near["answers"], [hint["article_id"] for hint in near["nearest"]]) == (
        False, [], ["card-loss"]
    )  # fmt: skip
    assert await world.ask("今天几点下雨") == {"known": False, "answers": [], "nearest": []}
    assert not (await world.ask("？！"))["known"]


@pytest.mark.usefixtures("meaning")
async def test_only_what_is_in_force_answers_and_a_later_version_takes_over_in_its_time(world: World) -> None:
    await world.imports(rules(40, "expires_on: 2026-03-31"))
    await world.imports(rules(50, "effective_from: 2026-03-10\nexpires_on: 2026-03-20"))
    assert "40元" in (await world.ask())["answers"][0]["text"]
    assert "50元" in (await world.ask(at="2026-03-10T00:00:00+08:00"))["answers"][0]["text"]
    assert not (await world.ask(at="2026-03-01T00:00:00+08:00"))["nearest"]
    world.clock.advance(days=19)
    assert (await world.ask())["nearest"] == []
    states = [one["state"] for one in (await world.http.get(f"{KNOWLEDGE}/card-loss")).json()]
    assert states == ["over", "over"]


@pytest.mark.usefixtures("meaning")
async def test_a_consultation_is_suggested_the_passage_that_answers_it(world: World) -> None:
    await world.imports(rules(more="codes: gov-03-02\nnot_here: 户口本丢了怎么补 | 护照怎么办"))
    asked = await world.http.post("/classify/v1/suggestions", json={"text": f"我想咨询一下，{QUESTION}"})
    assert asked.json()["knowledge"][0]["passage"] == "1.1"
    other = await world.http.post("/classify/v1/suggestions", json={"text": "楼上漏水没人管"})
    assert other.json()["knowledge"] == []


async def test_an_appeal_is_suggested_the_articles_in_force_that_are_linked_to_its_question(world: World) -> None:
    said = {"text": "楼上漏水没人管"}
    code = (await world.http.post("/classify/v1/suggestions", json=said)).json()["code"]
    await world.imports(rules(more=f"codes: {code}\nexpires_on: 2026-03-03"))
    await world.imports(rules(more=f"codes: {code}\neffective_from: 2026-03-10").replace("card-loss", "card-later"))
    linked = (await world.http.post("/classify/v1/suggestions", json=said)).json()["articles"]
    assert [(one["article_id"], one["version"]) for one in linked] == [("card-loss", "1")]
    world.clock.advance(days=3)
    assert (await world.http.post("/classify/v1/suggestions", json=said)).json()["articles"] == []


async def test_owners_are_reminded_of_reviews_and_expiry_each_once(world: World) -> None:
    await world.imports(rules(more="review_by: 2026-03-10\nexpires_on: 2026-04-20"))
    assert (await world.http.get(f"{KNOWLEDGE}/reminders")).json()["items"] == []
    world.clock.advance(days=8)
    (review,) = await world.probe.named("article.due")
    assert (review.data.why, review.data.owner.code, review.data.version) == ("review", "dept-police", "1")
    world.clock.advance(days=20)
    await world.probe.until(lambda seen: len(seen) == 2)
    world.clock.advance(days=30)
    due = await world.probe.until(lambda seen: len(seen) == 3)
    assert [event.data.why for event in due] == ["review", "expiring", "expired"]
    (listed,) = (await world.http.get(f"{KNOWLEDGE}/reminders", params={"owner": "dept-police"})).json()["items"]
    assert [one["why"] for one in listed["due"]] == ["review", "expired"]
    await world.imports(rules(50))
    assert (await world.http.get(f"{KNOWLEDGE}/reminders")).json()["items"] == []


async def test_a_complaint_goes_to_the_owner_once_and_is_settled_by_a_newer_version(world: World) -> None:
    await world.imports(rules())
    first = await world.complain(passage="1.1", note="市民13800138000说窗口收五十")
    again = await world.complain(passage="1.1", note="市民13800138000说窗口收五十")
    assert (first.status_code, first.json()["note"]) == (201, "市民⟦phone-1⟧说窗口收五十")
    assert again.json()["complaint_id"] == first.json()["complaint_id"]
    (event,) = await world.probe.named("article.disputed")
    assert (event.data.owner.code, event.data.reason, event.data.passage) == ("dept-police", "wrong", "1.1")
    path = f"{KNOWLEDGE}/complaints/{first.json()['complaint_id']}/resolution"
    assert (await world.http.post(path, json={"version": "2"})).status_code == 409
    await world.imports(rules(50))
    settled = await world.http.post(path, json={"version": "2"})
    assert (settled.status_code, settled.json()["resolved_version"]) == (200, "2")
    assert (await world.http.post(path, json={"note": "好了"})).status_code == 409
    assert await world.complaints(open=True) == []
    assert len(await world.complaints(owner="dept-police", article_id="card-loss")) == 1


@pytest.mark.parametrize("role", ["unit", "supervisor"])
async def test_a_unit_and_its_supervisor_settle_only_what_is_its_own(world: World, role: Role) -> None:
    await world.imports(rules())
    id_ = (await world.complain()).json()["complaint_id"]
    keys = KeyRing(world.home / "keys.json")
    for unit, status in (("dept-water", 403), ("dept-police", 200)):
        key = keys.issue(f"of {unit}", [role], [unit])
        async with client([world.stage], key) as http:
            answer = await http.post(f"{KNOWLEDGE}/complaints/{id_}/resolution", json={"note": "已核实"})
            assert answer.status_code == status
            assert (await http.post(FILES, content=rules(60))).status_code == 403


async def test_what_is_not_there_cannot_be_complained_of(world: World) -> None:
    assert (await world.complain()).status_code == 404
    await world.imports(rules())
    assert (await world.complain(version="2")).status_code == 404
    assert (await world.complain(passage="9.9")).json()["errors"][0]["field"] == "passage"
    assert (await world.complain(ticket_id=str(world.ticket))).status_code == 409
    unknown = await world.http.post(f"{KNOWLEDGE}/complaints/{world.ticket}/resolution", json={"note": "好"})
    assert unknown.status_code == 404


@pytest.mark.parametrize("review_first", [True, False])
@pytest.mark.parametrize(("said", "reason"), [({"explained": False}, "unclear"), ({"resolved": "no"}, "not_answered")])
async def test_a_citizen_whom_the_article_did_not_help_raises_a_complaint_in_any_order(
    world: World, review_first: bool, said: dict[str, Any], reason: str
) -> None:
    await world.imports(rules())
    events = [ANSWERED, reviewed(**said)]
    for event in reversed(events) if review_first else events:
        await world.say(event)
    (told,) = await world.probe.named("article.disputed")
    assert (told.data.reason, told.data.ticket, told.data.version) == (reason, world.ticket, "1")
    await world.say(TicketReceived(**dict(RECEIPT)), reviewed(**said, round=1))
    (complaint,) = await world.complaints()
    assert (complaint["by"], complaint["ticket_id"]) == ("review", str(world.ticket))


async def test_what_a_unit_did_later_is_no_complaint_about_the_article(world: World) -> None:
    await world.imports(rules())
    unit = UnitRef(code="dept-police", name="市公安局")
    await world.say(ANSWERED, reviewed(resolved="no", unit=unit), reviewed())
    unknown = Article(article_id="from-elsewhere", version="v7")
    await world.say(ANSWERED.model_copy(update={"article": unknown}), reviewed(resolved="no"))
    assert await world.complaints() == []


async def test_an_erasure_takes_the_words_of_complaints_and_lets_none_in_later(world: World) -> None:
    await world.imports(rules())
    await world.say(ANSWERED)
    id_ = (await world.complain(ticket_id=str(world.ticket), note="琉璃厂的王先生说的")).json()["complaint_id"]
    await world.say(TicketErased(words=True, at=NOON))
    assert [one["note"] for one in await world.complaints()] == [None]
    settled = await world.http.post(f"{KNOWLEDGE}/complaints/{id_}/resolution", json={"note": "已回复王先生"})
    assert (settled.status_code, settled.json()["resolution"]) == (200, None)
    later = await world.complain(ticket_id=str(world.ticket), reason="unclear", note="王先生又问")
    assert later.json()["note"] is None


@pytest.mark.usefixtures("meaning")
async def test_the_example_articles_are_imported_whole_and_answer(world: World) -> None:
    for path in sorted((CITY / "knowledge").glob("*.md"))[:4]:
        (told,) = await world.imports(path.read_text())
        assert told["outcome"] == "created"
    listed = (await world.http.get(f"{KNOWLEDGE}/articles", params={"limit": 3})).json()
    rest = (await world.http.get(f"{KNOWLEDGE}/articles", params={"cursor": listed["next"]})).json()
    assert (len(listed["items"]), len(rest["items"])) == (3, 1)
