"""Batches that would hold everybody up: others are served meanwhile, and what goes too far is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from libs.common.messaging.memory import MemoryBus
from services.intake.api.lines import MOST_LINES
from services.intake.service import SERVICE
from tests.support.stages import ManualClock, client, running, settings_for

APPEAL = json.dumps({"channel": "web", "text": "路灯不亮"}).encode()


@pytest.fixture
async def http(fresh_database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = settings_for(tmp_path, fresh_database)
    async with (
        running(SERVICE, settings, MemoryBus(), ManualClock()) as stage,
        client([stage], (tmp_path / "key").read_text()) as http,
    ):
        yield http


async def send(http: httpx.AsyncClient, body: bytes, kind: str = "application/x-ndjson") -> httpx.Response:
    """Send a batch."""
    return await http.post("/intake/v1/tickets/batch", content=body, headers={"Content-Type": kind})


@pytest.mark.parametrize(
    ("body", "kind"), [(b"x\n" * 5000, "application/x-ndjson"), (b"channel,text\n" + b"\n" * 90_000, "text/csv")]
)
async def test_another_request_is_served_while_a_batch_of_nonsense_is_read(
    http: httpx.AsyncClient, body: bytes, kind: str
) -> None:
    batch = asyncio.create_task(send(http, body, kind))
    for _ in range(3):
        assert (await http.get("/healthz")).status_code == 200
    assert not batch.done()
    answer = await batch
    assert answer.status_code == 200
    assert all(json.loads(line)["problem"]["status"] == 400 for line in answer.text.splitlines())


async def test_a_batch_with_too_many_lines_is_answered_for_as_far_as_it_was_received(http: httpx.AsyncClient) -> None:
    long = await send(http, APPEAL + b"\n" * (MOST_LINES + 1))
    received, rest = [json.loads(line) for line in long.text.splitlines()]
    assert (received["status"], rest["line"], rest["problem"]["status"]) == ("received", 2, 413)
    blank = await send(http, b"\n" * (MOST_LINES + 1))
    assert (blank.status_code, blank.headers["content-type"]) == (413, "application/problem+json")
