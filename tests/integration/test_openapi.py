"""Each service's OpenAPI is true: whatever a client sends, the answer is of a declared status, type and shape."""

from dataclasses import replace
from pathlib import Path

import pytest

from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.service import Service
from services.embedded import SERVICES
from services.sla.handlers import board
from tests.support.openapi import cases, check
from tests.support.stages import ManualClock, client, running, settings_for

NOBODY = "http://127.0.0.1:9"
"""Where nobody listens: the classify that dispatch's dry run asks is away, whatever else runs on this machine."""


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: str(service.name))
async def test_whatever_is_sent_the_answer_is_one_that_openapi_declares(
    service: Service, fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A stream is told in one piece here, and ends when all there is was told.
    monkeypatch.setattr(board, "LISTEN_SECONDS", 0)
    settings = replace(settings_for(tmp_path, fresh_database), classify_url=NOBODY)
    async with running(service, settings, MemoryBus(), ManualClock()) as stage:
        async with client([stage], (tmp_path / "key").read_text()) as http:
            schema = (await http.get(f"/{service.name}/openapi.json")).json()
            for case in cases(schema):
                await check(http, case)
        assert await stage.not_ready() == []
