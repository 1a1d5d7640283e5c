"""Files that a machine reads: their words become words of the ticket, marked as read; real models read them."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw, ImageFont

from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from services.intake.service import SERVICE
from tests.support.stages import ManualClock, Probe, client, probing, running, settings_for

SPOKEN = Path("tests/support/spoken/water.ogg")


class World:
    """The service under test and all around it."""

    def __init__(self, stage: Stage, http: httpx.AsyncClient, probe: Probe) -> None:
        self.stage, self.http, self.probe = stage, http, probe

    async def appeal_with(self, data: bytes) -> str:
        """Post an appeal with a file and return its ticket's id."""
        file = (await self.http.post("/intake/v1/files", content=data)).json()
        body = {"channel": "app", "text": "看附件", "attachments": [file["file_id"]]}
        answer: dict[str, Any] = (await self.http.post("/intake/v1/tickets", json=body)).json()
        return str(answer["ticket_id"])

    async def became(self, state: str) -> None:
        """Wait until the one file is settled, and check what became of it."""
        pool = self.stage.context.database.pool
        await self.probe.until(lambda seen: any(e.data.name == "ticket.received" for e in seen))
        while (found := await pool.fetchval("SELECT read_state FROM files")) == "waiting":
            self.stage.context.loops["reading"].wake()
            await pool.execute("SELECT pg_sleep(0.05)")
        assert found == state


def picture(text: str) -> bytes:
    """Return a PNG with these words."""
    image = Image.new("RGB", (900, 120), "white")
    ImageDraw.Draw(image).text((20, 30), text, font=ImageFont.load_default(48), fill="black")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path, speech_model: Path) -> AsyncIterator[World]:
    settings = replace(settings_for(tmp_path, fresh_database), speech_model=speech_model)
    bus = MemoryBus()
    async with (
        probing(bus, "jiesu.intake.v1") as probe,
        running(SERVICE, settings, bus, ManualClock()) as stage,
        client([stage], (tmp_path / "key").read_text()) as http,
    ):
        yield World(stage, http, probe)


async def test_the_words_in_a_picture_become_words_of_the_ticket_without_what_is_personal(world: World) -> None:
    ticket = await world.appeal_with(picture("NO WATER CALL 13800138000"))
    (event,) = await world.probe.named("ticket.supplemented", subject=ticket)
    assert event.data.source == "picture"
    assert "NO WATER" in event.data.text
    assert "13800138000" not in event.data.text
    seen = (await world.http.get(f"/intake/v1/tickets/{ticket}")).json()
    assert any(line["type"] == "file.read" for line in seen["timeline"])


async def test_the_words_in_a_recording_become_words_of_the_ticket(world: World) -> None:
    ticket = await world.appeal_with(SPOKEN.read_bytes())
    (event,) = await world.probe.named("ticket.supplemented", subject=ticket)
    assert (event.data.source, "two days" in event.data.text) == ("speech", True)


async def test_a_picture_without_words_adds_none(world: World) -> None:
    await world.appeal_with(picture(""))
    await world.became("nothing")


async def test_words_that_come_after_the_end_are_not_added(world: World) -> None:
    world.stage.context.engine.reading = _Slow(world)
    await world.appeal_with(picture("NO WATER"))
    await world.became("too_late")


async def test_what_another_process_began_to_read_since_is_added_by_that_one_alone(world: World) -> None:
    world.stage.context.engine.reading = _Overtaken(world)
    ticket = await world.appeal_with(picture("NO WATER"))
    await world.became("read")
    seen = (await world.http.get(f"/intake/v1/tickets/{ticket}")).json()
    assert len([line for line in seen["timeline"] if line["type"] == "file.read"]) == 1


class _Slow:
    """A desk that reads only once the citizen has withdrawn."""

    kinds = ("picture",)

    def __init__(self, world: World) -> None:
        self.world, self.desk = world, world.stage.context.engine.reading

    async def file(self, *given: Any) -> Any:
        words = await self.desk.file(*given)
        seen = [e for e in self.world.probe.seen if e.data.name == "ticket.received"]
        await self.world.http.post(f"/intake/v1/tickets/{seen[0].subject}/withdraw", json={})
        return words


class _Overtaken(_Slow):
    """A desk that is so slow the first time that its lease runs out and somebody else takes the file."""

    slow = True

    async def file(self, *given: Any) -> Any:
        if self.slow:
            self.slow = False
            pool = self.world.stage.context.database.pool
            await pool.execute("UPDATE files SET read_attempts = read_attempts + 1, read_after = NULL")
        return await self.desk.file(*given)
