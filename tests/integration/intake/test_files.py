"""Files of citizens, over HTTP: uploaded, attached, shown to who may see them, served by short links, and let go."""

import hashlib
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock
from uuid import UUID

import httpx
import pytest

from libs.common.contracts.dispatch import TicketDispatched
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.files import StoreAwayError
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from services.intake import handlers
from services.intake.domain import WAITS
from services.intake.service import SERVICE
from tests.support import attached
from tests.support.attached import HIDDEN, chunked
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

LEAD, HELPER, OTHER = "dept-water", "dept-roads", "dept-fire"
PAGE = b"<!DOCTYPE html><script>alert(1)</script>"


@dataclass
class World:
    """The service under test and all around it."""

    stage: Stage
    clock: ManualClock
    probe: Probe
    peer: Peer
    keys: KeyRing
    home: Path
    http: httpx.AsyncClient
    public: httpx.AsyncClient

    def as_(self, name: str, *roles: Role, units: tuple[str, ...] = ()) -> httpx.AsyncClient:
        """Return a client with a key of its own."""
        return client([self.stage], self.keys.issue(name, roles, units))

    async def upload(self, content: bytes = b"words", http: httpx.AsyncClient | None = None) -> dict[str, Any]:
        """Upload a file and return what its sender gets; a moment after the one before, for the order of files."""
        self.clock.advance(milliseconds=1)
        answer = await (http or self.http).post("/intake/v1/files", content=content)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def post(self, *files: str, http: httpx.AsyncClient | None = None, **more: Any) -> httpx.Response:
        """Post an appeal with files."""
        body = {"channel": "web", "text": "路灯不亮", "attachments": list(files)} | more
        return await (http or self.http).post("/intake/v1/tickets", json=body)

    async def received(self, *files: str) -> dict[str, Any]:
        """Post an appeal with files and wait until it was screened."""
        answer = await self.post(*files)
        assert answer.status_code == 202, answer.text
        found: dict[str, Any] = answer.json()
        await self.probe.named("ticket.snapshot", subject=UUID(found["ticket_id"]))
        return found

    async def listed(self, ticket: dict[str, Any]) -> list[dict[str, Any]]:
        """List a ticket's files as its citizen."""
        path, code = f"/intake/v1/tickets/{ticket['ticket_id']}/files", ticket["query_code"]
        items: list[dict[str, Any]] = (await self.public.get(path, params={"code": code})).json()["items"]
        return items

    def stored(self) -> list[Path]:
        """Return what lies in the store."""
        return [path for path in (self.home / "files").rglob("*") if path.is_file()]

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what the database answers."""
        return [tuple(row) for row in await self.stage.context.database.pool.fetch(query)]


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    topics = ("jiesu.intake.v1", "jiesu.tickets.v1")
    async with probing(bus, *topics) as probe, running(SERVICE, settings, bus, clock) as stage:
        http, public = client([stage], (tmp_path / "key").read_text()), client([stage])
        async with http, public:
            yield World(stage, clock, probe, Peer(bus, clock), KeyRing(settings.keys_file), tmp_path, http, public)


async def test_a_file_is_uploaded_named_in_an_appeal_told_and_fetched(world: World) -> None:
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


async def test_a_file_is_served_so_that_nothing_in_it_can_run(world: World) -> None:
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


async def test_a_link_works_for_ten_minutes_for_its_file_and_its_purpose_only(world: World) -> None:
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


async def test_a_part_of_a_file_is_served(world: World) -> None:
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


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (PAGE, 415),
        (b"", 422),
        (attached.png_header(50_000, 50_000), 422),
        (attached.office(parts={"word/vbaProject.bin": "x"}), 422),
        (b"\xff\xd8\xff" + bytes(31 * 1024 * 1024), 413),
    ],
)
async def test_what_is_not_kept_leaves_nothing(world: World, content: bytes, status: int) -> None:
    answer = await world.http.post("/intake/v1/files", content=content, headers={"Content-Type": "image/jpeg"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert PAGE.decode() not in answer.text
    assert (world.stored(), await world.rows("SELECT FROM files"), await world.rows("SELECT FROM blobs")) == (
        [],
        [],
        [],
    )


async def test_a_form_is_told_how_to_send_a_file(world: World) -> None:
    answer = await world.http.post("/intake/v1/files", files={"file": ("a.txt", b"words")})
    assert (answer.status_code, "without a form" in answer.json()["detail"]) == (415, True)


@pytest.mark.parametrize("kind", ["unknown", "used", "foreign", "twice", "too_many", "no_id"])
async def test_a_file_that_cannot_go_with_an_appeal_is_named_and_nothing_is_received(world: World, kind: str) -> None:
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


async def test_a_refused_appeal_can_be_sent_again_under_its_key_once_the_file_is_there(world: World) -> None:
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


async def test_two_appeals_of_one_batch_cannot_have_the_same_file(world: World) -> None:
    file = (await world.upload())["file_id"]
    line = json.dumps({"channel": "web", "text": "路灯不亮", "attachments": [file]})
    answer = await world.http.post("/intake/v1/tickets/batch", content=f"{line}\n{line}\n")
    first, second = (json.loads(told) for told in answer.text.splitlines())
    assert "ticket_id" in first
    assert second["problem"]["errors"][0]["field"] == "attachments.0"


@pytest.mark.parametrize("by", ["code", "key"])
async def test_a_file_is_added_to_an_open_ticket_and_told(world: World, by: str) -> None:
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
    world: World, monkeypatch: pytest.MonkeyPatch
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


async def test_files_are_shown_to_who_works_on_the_ticket_and_it_is_kept_who_saw_them(world: World) -> None:
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
async def test_no_voice_or_letter_of_who_stays_unknown_goes_to_the_unit(world: World, wish: str) -> None:
    kinds = (attached.picture("JPEG"), b"my letter")
    files = [(await world.upload(content))["file_id"] for content in kinds]
    ticket = (await world.post(*files, reporter={wish: True})).json()["ticket_id"]
    await world.probe.named("ticket.snapshot", subject=UUID(ticket))
    unit = UnitRef(code=LEAD, name="市水务局")
    await world.peer.say(ticket, TicketDispatched(unit=unit, rule="duty", why=("w",), round=1, at=NOON))
    lead, seat = world.as_("lead", "unit", units=(LEAD,)), world.as_("seat", "seat")
    seen = [(await who.get(f"/intake/v1/tickets/{ticket}/files")).json()["items"] for who in (lead, seat)]
    assert [[file["kind"] for file in some] for some in seen] == [["picture"], ["picture", "document"]]


async def test_the_citizen_sees_the_files_of_their_own_ticket_only(world: World) -> None:
    mine = await world.received((await world.upload(b"mine"))["file_id"])
    other = await world.received((await world.upload(b"other"))["file_id"])
    path = f"/intake/v1/tickets/{mine['ticket_id']}/files"
    assert (await world.public.get(path, params={"code": other["query_code"]})).status_code == 403
    assert len(await world.listed(mine)) == 1


async def test_the_same_bytes_are_kept_once_and_go_with_their_last_file(world: World) -> None:
    one, other = await world.upload(b"the same"), await world.upload(b"the same", world.as_("other", "adapter"))
    ticket = await world.received(one["file_id"])
    assert one["digest"] == other["digest"]
    assert len(world.stored()) == 1
    world.clock.advance(hours=25)
    await handlers.sweep_files(world.stage.context)
    (item,) = await world.listed(ticket)
    assert (await world.public.get(item["url"])).content == b"the same"
    async with world.stage.context.database.begin() as tx:
        await handlers.forget_files(tx, [UUID(ticket["ticket_id"])])
    await handlers.sweep_files(world.stage.context)
    assert (await world.listed(ticket), world.stored()) == ([], [])
    assert await world.rows("SELECT FROM blobs") == []
    assert (await world.public.get(item["url"])).status_code == 404


async def test_a_file_that_no_appeal_comes_for_is_let_go_after_a_day(world: World) -> None:
    file = await world.upload()
    world.clock.advance(seconds=WAITS.total_seconds())
    await handlers.sweep_files(world.stage.context)
    assert len(world.stored()) == 1
    world.clock.advance(seconds=1)
    await handlers.sweep_files(world.stage.context)
    assert world.stored() == []
    assert (await world.post(file["file_id"])).status_code == 422


async def test_what_is_stored_is_sealed_and_an_end_of_the_ticket_s_key_is_an_end_of_the_file(world: World) -> None:
    ticket = await world.received((await world.upload(b"a recorded voice"))["file_id"])
    (item,) = await world.listed(ticket)
    (path,) = world.stored()
    assert b"voice" not in path.read_bytes()
    await world.stage.context.database.pool.execute("DELETE FROM vault_keys")
    assert (await world.public.get(item["url"])).status_code == 404
    # Bytes that nobody can open any more are of no use to who sends the same again.
    again = await world.received((await world.upload(b"a recorded voice"))["file_id"])
    assert (await world.public.get((await world.listed(again))[0]["url"])).content == b"a recorded voice"


async def test_a_store_that_is_away_is_told_and_nothing_is_half_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await world.received((await world.upload(b"kept before"))["file_id"])
    (item,) = await world.listed(ticket)
    store = world.stage.context.engine.files
    with monkeypatch.context() as away:
        for name in ("put", "delete"):
            away.setattr(store, name, AsyncMock(side_effect=StoreAwayError("away")))
        away.setattr(store, "open", lambda *_: _away())
        refused, unread = await world.http.post("/intake/v1/files", content=b"x"), await world.public.get(item["url"])
        accepted = await world.post()
        world.clock.advance(hours=25)
        assert await handlers.sweep_files(world.stage.context) > 0
    assert [(a.status_code, "retry-after" in a.headers) for a in (refused, unread)] == [(503, True)] * 2
    assert accepted.status_code == 202
    await handlers.sweep_files(world.stage.context)
    assert await world.rows("SELECT state FROM blobs") == [("kept",)]


async def _away() -> AsyncIterator[bytes]:
    for _ in "x":
        raise StoreAwayError("away")
    yield b""


async def test_two_who_upload_the_same_at_once_both_have_it(world: World) -> None:
    here = world.stage.context
    one, other = await handlers.put(here, chunked(b"same")), await handlers.put(here, chunked(b"same"))
    files = []
    for given in (one, other):
        async with here.database.begin() as tx:
            files.append(await handlers.own(tx, here, given, "test"))
    assert files[0].blob_id == files[1].blob_id
    ticket = await world.received(*(str(file.file_id) for file in files))
    assert [(await world.public.get(item["url"])).content for item in await world.listed(ticket)] == [b"same"] * 2


async def test_names_types_and_words_of_the_sender_are_kept_nowhere(world: World) -> None:
    await world.http.post(
        "/intake/v1/files?name=secret.txt", content=b"words",
        headers={"Content-Type": "image/secret", "Content-Disposition": 'attachment; filename="secret.txt"'},
    )  # fmt: skip
    assert "secret" not in str(await world.rows("SELECT f::text FROM files f"))


def test_the_day_a_file_waits_is_a_day() -> None:
    assert timedelta(days=1) == WAITS
