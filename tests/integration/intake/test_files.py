"""Files of citizens, over HTTP: uploaded, attached, shown to who may see them, and served by short links."""

import hashlib
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from libs.common.contracts.dispatch import TicketAssisted, TicketDispatched
from libs.common.contracts.vocabulary import UnitRef
from tests.support import attached
from tests.support.attached import HIDDEN
from tests.support.files import FilesWorld, files_world
from tests.support.stages import NOON

LEAD, HELPER, OTHER = "dept-water", "dept-roads", "dept-fire"


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[FilesWorld]:
    async with files_world(fresh_database, tmp_path) as world:
        yield world


async def test_a_file_is_uploaded_named_in_an_appeal_told_and_fetched(world: FilesWorld) -> None:
    file = await world.upload(attached.picture("JPEG"))
    ticket = await world.received(file["file_id"])
    (event,) = await world.probe.named("ticket.received")
    (told,) = event.data.attachments
    (item,) = await world.listed(ticket)
    fetched = await world.public.get(item["url"])
    assert (file["kind"], file["media_type"], file["size"]) == (told.kind, told.media_type, told.size)
    assert (str(told.file_id), item["digest"]) == (file["file_id"], file["digest"])
    assert hashlib.sha256(fetched.content).hexdigest() == file["digest"]
    assert HIDDEN not in fetched.content


async def test_a_file_is_served_so_that_nothing_in_it_can_run(world: FilesWorld) -> None:
    ticket = await world.received(
        (await world.upload(attached.picture("JPEG")))["file_id"], (await world.upload())["file_id"]
    )
    picture, words = await world.listed(ticket)
    saved, shown = await world.public.get(picture["url"]), await world.public.get(picture["view_url"])
    text = await world.public.get(words["url"].replace("attachment", "inline"))
    assert saved.headers["content-disposition"] == f'attachment; filename="{picture["file_id"]}.jpg"'
    assert shown.headers["content-disposition"].startswith("inline")
    assert saved.headers["content-type"] == "image/jpeg"
    assert saved.headers["x-content-type-options"] == "nosniff"
    assert saved.headers["cache-control"] == "no-store"
    assert saved.headers["content-security-policy"].startswith("sandbox")
    assert words["view_url"] is None
    assert text.status_code == 403


async def test_a_link_works_for_ten_minutes_for_its_file_and_its_purpose_only(world: FilesWorld) -> None:
    one, other = await world.upload(b"one"), await world.upload(b"other")
    ticket = await world.received(one["file_id"], other["file_id"])
    first, second = [item["url"] for item in await world.listed(ticket)]
    wrong = [
        first.replace(one["file_id"], other["file_id"]),
        first.replace("attachment", "inline"),
        first[:-1] + ("A" if first[-1] != "A" else "B"),
        first.replace("expires=1", "expires=2"),
    ]
    assert [(await world.public.get(url)).status_code for url in wrong] == [403] * 4
    world.clock.advance(minutes=9, seconds=59)
    assert (await world.public.get(second)).content == b"other"
    world.clock.advance(seconds=1)
    late = await world.public.get(second)
    assert (late.status_code, late.headers["content-type"]) == (403, "application/problem+json")


async def test_a_part_of_a_file_is_served(world: FilesWorld) -> None:
    content = attached.wav(5)
    ticket = await world.received((await world.upload(content))["file_id"])
    (item,) = await world.listed(ticket)
    whole = (await world.public.get(item["url"])).content

    async def part(range_: str) -> httpx.Response:
        return await world.public.get(item["url"], headers={"Range": range_})

    middle, tail, rest = await part("bytes=70000-140000"), await part("bytes=-5"), await part("bytes=100000-")
    assert middle.status_code == 206
    assert middle.headers["content-range"] == f"bytes 70000-140000/{len(whole)}"
    assert (middle.content, tail.content, rest.content) == (whole[70_000:140_001], whole[-5:], whole[100_000:])
    assert (await part(f"bytes={len(whole)}-")).status_code == 416
    for odd in ("bytes=5-1, 7-9", "bytes=-", "lines=1-2", ""):
        assert (await part(odd)).content == whole
    assert (await part("bytes=5-1")).status_code == 416


async def test_a_form_is_told_how_to_send_a_file(world: FilesWorld) -> None:
    answer = await world.http.post("/intake/v1/files", files={"file": ("a.txt", b"words")})
    assert (answer.status_code, "without a form" in answer.json()["detail"]) == (415, True)


@pytest.mark.parametrize("kind", ["unknown", "used", "foreign", "twice", "too_many", "no_id"])
async def test_a_file_that_cannot_go_with_an_appeal_is_named_and_nothing_is_received(
    world: FilesWorld, kind: str
) -> None:
    mine = (await world.upload())["file_id"]
    if kind == "used":
        await world.received(mine)
    theirs = (await world.upload(http=world.as_("other", "adapter")))["file_id"]
    files = {
        "unknown": [mine, str(uuid.uuid4())],
        "used": [(await world.upload(b"new"))["file_id"], mine],
        "foreign": [mine, theirs],
        "twice": [mine, mine],
        "too_many": [str(uuid.uuid4()) for _ in range(11)],
        "no_id": [mine, "photo.jpg"],
    }[kind]
    before = await world.rows("SELECT count(*) FROM vault")
    answer = await world.post(*files)
    field = "attachments" if kind == "too_many" else "attachments.1"
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert await world.rows("SELECT count(*) FROM vault") == before


async def test_a_refused_appeal_can_be_sent_again_under_its_key_once_the_file_is_there(world: FilesWorld) -> None:
    keyed = {"Idempotency-Key": "k1"}
    body = {"channel": "web", "text": "路灯不亮", "external_ref": "A-1"}
    refused = await world.http.post(
        "/intake/v1/tickets", json=body | {"attachments": [str(uuid.uuid4())]}, headers=keyed
    )
    right = body | {"attachments": [(await world.upload())["file_id"]]}
    first = await world.http.post("/intake/v1/tickets", json=right, headers=keyed)
    again = await world.http.post("/intake/v1/tickets", json=right, headers=keyed)
    assert [answer.status_code for answer in (refused, first, again)] == [422, 202, 202]
    assert first.json() == again.json()


async def test_two_appeals_of_one_batch_cannot_have_the_same_file(world: FilesWorld) -> None:
    file = (await world.upload())["file_id"]
    line = json.dumps({"channel": "web", "text": "路灯不亮", "attachments": [file]})
    answer = await world.http.post("/intake/v1/tickets/batch", content=f"{line}\n{line}\n")
    first, second = (json.loads(told) for told in answer.text.splitlines())
    assert "ticket_id" in first
    assert second["problem"]["errors"][0]["field"] == "attachments.0"


@pytest.mark.parametrize("by", ["code", "key"])
async def test_a_file_is_added_to_an_open_ticket_and_told(world: FilesWorld, by: str) -> None:
    ticket = await world.received()
    path, code = f"/intake/v1/tickets/{ticket['ticket_id']}/files", {"code": ticket["query_code"]}

    async def add() -> httpx.Response:
        if by == "code":
            return await world.public.post(path, params=code, content=attached.wav())
        return await world.http.post(path, content=attached.wav())

    world.clock.advance(seconds=1)
    first, again = await add(), await add()
    told = await world.probe.named("ticket.supplemented")
    shown = (await world.http.get(f"/intake/v1/tickets/{ticket['ticket_id']}")).json()
    assert (first.status_code, again.json()) == (201, first.json())
    assert [str(a.file_id) for event in told for a in event.data.attachments] == [first.json()["file_id"]]
    assert [item["file_id"] for item in await world.listed(ticket)] == [first.json()["file_id"]]
    assert shown["timeline"][-1]["text"] == "您补充了文件。"


async def test_a_file_is_added_by_nobody_else_to_nothing_that_has_ended_and_not_without_end(
    world: FilesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await world.received()
    path = f"/intake/v1/tickets/{ticket['ticket_id']}/files"
    stranger, none = await world.as_("stranger", "adapter").post(path, content=b"x"), await world.public.post(path)
    monkeypatch.setattr("services.intake.domain.files.MOST_FILES", 1)
    added, over = await world.http.post(path, content=b"one"), await world.http.post(path, content=b"two")
    await world.http.post(f"/intake/v1/tickets/{ticket['ticket_id']}/withdraw", json={})
    ended = await world.http.post(path, content=b"three")
    unknown = await world.http.post(f"/intake/v1/tickets/{uuid.uuid4()}/files", content=b"x")
    assert [a.status_code for a in (stranger, none, added, over, ended, unknown)] == [403, 401, 201, 409, 409, 404]


async def test_files_are_shown_to_who_works_on_the_ticket_and_it_is_kept_who_saw_them(world: FilesWorld) -> None:
    sender = world.as_("adapter", "adapter")
    file = (await world.upload(http=sender))["file_id"]
    ticket = (await world.post(file, http=sender)).json()["ticket_id"]
    await world.probe.named("ticket.snapshot", subject=UUID(ticket))
    await world.peer.say(
        ticket,
        TicketDispatched(
            unit=UnitRef(code=LEAD, name="市水务局"), co_handlers=(UnitRef(code=HELPER, name="市交通委"),),
            rule="duty", why=("w",), round=1, at=NOON,
        ),
        TicketAssisted(
            task_id=UUID(int=1), role="co_handler", unit=UnitRef(code=HELPER, name="市交通委"), state="accepted",
            helpers=(HELPER,), round=1, at=NOON, due_at=NOON,
        ),
    )  # fmt: skip
    readers = {
        "adapter": (sender, 200),
        "other adapter": (world.as_("other adapter", "adapter"), 403),
        "seat": (world.as_("seat", "seat"), 200),
        "supervisor": (world.as_("supervisor", "supervisor"), 200),
        "analyst": (world.as_("analyst", "analyst"), 403),
        "lead": (world.as_("lead", "unit", units=(LEAD,)), 200),
        "helper": (world.as_("helper", "unit", units=(HELPER,)), 200),
        "other unit": (world.as_("other unit", "unit", units=(OTHER,)), 403),
        "nobody": (world.public, 401),
    }
    path = f"/intake/v1/tickets/{ticket}/files"
    found = {name: (await reader.get(path)).status_code for name, (reader, _) in readers.items()}
    audited = await world.rows("SELECT by, action, ticket_id, note, outcome FROM audit ORDER BY seq")
    assert found == {name: status for name, (_, status) in readers.items()}
    saw = [name for name, status in found.items() if status == 200]
    assert audited == [(name, "file", UUID(ticket), file, "done") for name in saw]


@pytest.mark.parametrize("wish", ["anonymous", "confidential"])
async def test_no_voice_or_letter_of_who_stays_unknown_goes_to_the_unit(world: FilesWorld, wish: str) -> None:
    kinds = (attached.picture("JPEG"), b"my letter")
    files = [(await world.upload(content))["file_id"] for content in kinds]
    ticket = (await world.post(*files, reporter={wish: True})).json()["ticket_id"]
    await world.probe.named("ticket.snapshot", subject=UUID(ticket))
    unit = UnitRef(code=LEAD, name="市水务局")
    await world.peer.say(ticket, TicketDispatched(unit=unit, rule="duty", why=("w",), round=1, at=NOON))
    lead, seat = world.as_("lead", "unit", units=(LEAD,)), world.as_("seat", "seat")
    seen = [(await who.get(f"/intake/v1/tickets/{ticket}/files")).json()["items"] for who in (lead, seat)]
    assert [[file["kind"] for file in some] for some in seen] == [["picture"], ["picture", "document"]]


async def test_the_citizen_sees_the_files_of_their_own_ticket_only(world: FilesWorld) -> None:
    mine = await world.received((await world.upload(b"mine"))["file_id"])
    other = await world.received((await world.upload(b"other"))["file_id"])
    path = f"/intake/v1/tickets/{mine['ticket_id']}/files"
    assert (await world.public.get(path, params={"code": other["query_code"]})).status_code == 403
    assert len(await world.listed(mine)) == 1
