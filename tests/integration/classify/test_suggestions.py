"""Suggestions over HTTP: from words or from a call, with facts and with what is still to be asked."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.common.messaging.memory import MemoryBus
from services.classify.service import SERVICE
from tests.support.stages import ManualClock, client, running, settings_for

PATH = "/classify/v1/suggestions"
CALL = [
    {"speaker": "seat", "text": "您好，请问什么事"},
    {"speaker": "citizen", "text": "昨晚十点厨房就有味，三百多户都闻到了"},
    {"speaker": "seat", "text": "是煤气泄漏吗？"},
    {"speaker": "citizen", "text": "对，味道越来越大"},
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all, so that the model is trained once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
async def http(fresh_database: str, home: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = settings_for(home, fresh_database)
    async with (
        running(SERVICE, settings, MemoryBus(), ManualClock()) as stage,
        client([stage], (home / "key").read_text()) as asking,
    ):
        yield asking


async def suggested(http: httpx.AsyncClient, **asked: Any) -> Any:
    """Return a suggestion."""
    answer = await http.post(PATH, json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_call_is_read_by_what_the_citizen_said(http: httpx.AsyncClient) -> None:
    said = await suggested(http, transcript=CALL)
    assert (said["category"][0], said["urgency"]) == ("燃气", "urgent")
    assert said["fields"]["occurred_at"] == "2026-03-01T14:00:00Z"
    assert said["facts"]["people"][0]["least"] == 300
    assert said["missing"]
    assert not set(said["missing"]) & set(said["said"])


async def test_a_call_is_bounded_as_a_whole(http: httpx.AsyncClient) -> None:
    talk = [{"speaker": "citizen", "text": "水" * 4000}] * 5
    assert (await http.post(PATH, json={"transcript": talk})).status_code == 200
    answer = await http.post(PATH, json={"transcript": [*talk, {"speaker": "seat", "text": "好"}]})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (422, "transcript")
    assert "20,000 characters in all" in str(error)


async def test_lines_of_a_call_are_read_as_well(http: httpx.AsyncClient) -> None:
    lines = "坐席：是着火了吗？\n市民：没有，就是路灯不亮"
    said = await suggested(http, text=lines)
    assert (said["category"][0], said["urgency"]) == ("市政设施", "general")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"text": ""},
        {"transcript": []},
        {"transcript": [{"speaker": "seat", "text": "喂"}]},
        {"transcript": [{"speaker": "dog", "text": "喂"}]},
        {"transcript": 3},
    ],
)
async def test_who_gives_no_words_is_told_so(http: httpx.AsyncClient, asked: dict[str, Any]) -> None:
    answer = await http.post(PATH, json=asked)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].split(".")[0] in {"text", "transcript"}
