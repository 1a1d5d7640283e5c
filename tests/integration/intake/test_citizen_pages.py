"""The citizen's pages: an appeal by form, its ticket by query code, and nothing that a text could run."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from libs.common.messaging.memory import MemoryBus
from services.intake.service import SERVICE
from tests.support.stages import ManualClock, client, probing, running, settings_for


@pytest.fixture
async def http(fresh_database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    bus, clock = MemoryBus(), ManualClock()
    async with (
        probing(bus, "jiesu.intake.v1"),
        running(SERVICE, settings_for(tmp_path, fresh_database), bus, clock) as stage,
        client([stage]) as http,
    ):
        yield http


async def test_a_citizen_appeals_by_form_and_sees_the_ticket(http: httpx.AsyncClient) -> None:
    assert "我要诉求" in (await http.get("/intake/")).text
    sent = await http.post("/intake/", data={"text": "路灯不亮", "phone": "13800138000"})
    shown = await http.get(sent.headers["location"])
    assert (sent.status_code, shown.status_code) == (303, 200)
    assert "已接诉" in shown.text
    assert "13800138000" not in shown.text


async def test_a_wrong_form_comes_back_with_what_was_given(http: httpx.AsyncClient) -> None:
    again = await http.post("/intake/", data={"text": "<script>alert(1)</script>", "phone": "call me"})
    assert again.status_code == 422
    assert "电话只能有数字" in again.text
    assert "&lt;script&gt;alert(1)" in again.text
    assert "<script>" not in again.text


async def test_a_ticket_page_needs_its_code(http: httpx.AsyncClient) -> None:
    sent = await http.post("/intake/", data={"text": "路灯不亮"})
    path = sent.headers["location"].partition("?")[0]
    assert (await http.get(path)).status_code == 403
