"""The citizen's pages: an appeal by form, its ticket by query code, and nothing that a text could run."""

import re
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
    sent = await http.post("/intake/appeal", data={"text": "路灯不亮", "phone": "13800138000"})
    shown = await http.get(sent.headers["location"])
    assert (sent.status_code, shown.status_code) == (303, 200)
    assert "诉求已收到" in shown.text
    assert "13800138000" not in shown.text
