"""Registered clients over HTTP: issued, changed, rotated and revoked by an operator; held to channels and a quota."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing
from services.intake.service import SERVICE
from tests.support.stages import ManualClock, client, running, settings_for

PATH = "/intake/v1/clients"
APPEAL = {"channel": "web", "text": "路灯不亮"}


class World:
    """The service under test, and an operator who speaks to it."""

    def __init__(self, stage: Stage, operator: httpx.AsyncClient, keys: Path) -> None:
        self.stage, self.operator, self.keys = stage, operator, keys

    async def register(self, name: str, *roles: str, **rights: Any) -> str:
        """Register a client and return its key."""
        answer = await self.operator.post(PATH, json={"name": name, "roles": roles or ["adapter"], **rights})
        assert answer.status_code == 201, answer.text
        key: str = answer.json()["key"]
        return key

    async def post(self, key: str, **changes: Any) -> httpx.Response:
        """Post an appeal with a client's key."""
        return await client([self.stage], key).post("/intake/v1/tickets", json=APPEAL | changes)

    async def listed(self, name: str) -> dict[str, Any] | None:
        """Return a client as the operator sees it."""
        items = (await self.operator.get(PATH)).json()["items"]
        return next((item for item in items if item["name"] == name), None)


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    settings = settings_for(tmp_path, fresh_database)
    async with (
        running(SERVICE, settings, MemoryBus(), ManualClock()) as stage,
        client([stage], (tmp_path / "key").read_text()) as http,
    ):
        yield World(stage, http, settings.keys_file)


async def test_a_registered_clients_key_works_at_once_and_is_never_shown_again(world: World) -> None:
    key = await world.register("网站 web", channels=["web", "app"], per_minute=600)
    assert (await world.post(key)).status_code == 202
    shown = await world.operator.get(PATH)
    view = await world.listed("网站 web")
    assert view
    assert (view["roles"], view["channels"], view["per_minute"]) == (["adapter"], ["app", "web"], 600)
    assert view["issued_at"]
    assert key not in shown.text + world.keys.read_text()
    assert not [row["hash"] for row in json.loads(world.keys.read_text()) if row["hash"] in shown.text]


async def test_a_channel_that_is_not_the_clients_is_refused_by_name(world: World) -> None:
    key = await world.register("web", channels=["web"])
    answer = await world.post(key, channel="phone")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, "channel")
    lines = "\n".join(json.dumps(APPEAL | {"channel": channel}) for channel in ("web", "sms"))
    batch = await client([world.stage], key).post("/intake/v1/tickets/batch", content=lines)
    told = [json.loads(line) for line in batch.text.splitlines()]
    assert [line.get("problem", {}).get("status") for line in told] == [None, 403]


async def test_over_its_quota_a_client_is_asked_to_come_back_and_each_line_of_a_batch_counts(world: World) -> None:
    key = await world.register("slow", per_minute=3)
    lines = "\n".join([json.dumps(APPEAL)] * 4)
    batch = await client([world.stage], key).post("/intake/v1/tickets/batch", content=lines)
    told = [json.loads(line) for line in batch.text.splitlines()]
    assert [line.get("problem", {}).get("status") for line in told] == [None, None, None, 429]
    single = await world.post(key)
    assert (single.status_code, single.headers["content-type"]) == (429, "application/problem+json")
    assert 1 <= int(single.headers["retry-after"]) <= 20
    assert await world.stage.context.database.pool.fetchval("SELECT count(*) FROM vault") == 3


async def test_other_rights_count_for_the_key_the_client_has(world: World) -> None:
    key = await world.register("web", channels=["web"], per_minute=1)
    changed = await world.operator.put(f"{PATH}/web", json={"roles": ["adapter"], "channels": ["phone"]})
    assert (changed.json()["channels"], changed.json()["per_minute"]) == (["phone"], None)
    assert [(await world.post(key, channel=channel)).status_code for channel in ("web", "phone")] == [403, 202]


async def test_a_rotated_key_and_the_new_one_work_side_by_side_unless_no_overlap_is_wished(world: World) -> None:
    first = await world.register("web")
    second = (await world.operator.post(f"{PATH}/web/rotate", json={})).json()["key"]
    view = await world.listed("web")
    assert view
    assert view["old_key_until"] > view["issued_at"]
    assert [(await world.post(key)).status_code for key in (first, second)] == [202, 202]
    third = (await world.operator.post(f"{PATH}/web/rotate", json={"overlap_hours": 0})).json()["key"]
    assert [(await world.post(key)).status_code for key in (first, second, third)] == [401, 401, 202]


async def test_a_revoked_client_is_out_at_once(world: World) -> None:
    key = await world.register("web")
    assert (await world.operator.delete(f"{PATH}/web")).status_code == 204
    assert (await world.post(key)).status_code == 401
    assert await world.listed("web") is None


async def test_it_is_logged_who_did_what_to_which_client_and_no_key(world: World) -> None:
    with capture_logs() as logs:
        key = await world.register("web")
        new = (await world.operator.post(f"{PATH}/web/rotate", json={})).json()["key"]
        await world.operator.put(f"{PATH}/web", json={"roles": ["seat"]})
        await world.operator.delete(f"{PATH}/web")
    told = [(line["event"], line["client"], line["by"]) for line in logs if "client" in line]
    assert told == [
        ("client registered", "web", "test"),
        ("key rotated", "web", "test"),
        ("client changed", "web", "test"),
        ("client revoked", "web", "test"),
    ]
    assert not [secret for secret in (key, new) if secret in str(logs)]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", PATH, {"name": "test", "roles": ["seat"]}, 409),
        ("DELETE", f"{PATH}/test", None, 409),
        ("PUT", f"{PATH}/test", {"roles": ["seat"]}, 409),
        ("POST", f"{PATH}/nobody/rotate", {}, 404),
        ("PUT", f"{PATH}/nobody", {"roles": ["seat"]}, 404),
        ("DELETE", f"{PATH}/nobody", None, 404),
        ("POST", PATH, {"name": "a/b", "roles": ["seat"]}, 422),
        ("POST", PATH, {"name": "web", "roles": []}, 422),
        ("POST", PATH, {"name": "web", "roles": ["king"]}, 422),
        ("POST", PATH, {"name": "web", "roles": ["seat"], "channels": ["pigeon"]}, 422),
        ("POST", PATH, {"name": "web", "roles": ["seat"], "per_minute": 0}, 422),
        ("POST", f"{PATH}/test/rotate", {"overlap_hours": -1}, 422),
    ],
)
async def test_what_makes_no_sense_is_refused_and_the_last_operator_stays(
    world: World, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    answer = await world.operator.request(method, path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    view = await world.listed("test")
    assert view
    assert "operator" in view["roles"]


async def test_only_an_operator_may(world: World) -> None:
    seat = KeyRing(world.keys).issue("seat", ["seat", "supervisor", "adapter"])
    http = client([world.stage], seat)
    answers = [
        await http.get(PATH), await http.post(PATH, json={"name": "x", "roles": ["operator"]}),
        await http.put(f"{PATH}/seat", json={"roles": ["operator"]}), await http.post(f"{PATH}/seat/rotate", json={}),
        await http.delete(f"{PATH}/test"), await client([world.stage]).get(PATH),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [403, 403, 403, 403, 403, 401]


async def test_a_key_file_that_is_not_to_be_written_here_is_a_clear_refusal(world: World) -> None:
    world.keys.with_suffix(".lock").unlink()
    world.keys.with_suffix(".lock").mkdir()
    answer = await world.operator.post(PATH, json={"name": "web", "roles": ["adapter"]})
    assert answer.status_code == 409
    assert "cannot be written here" in answer.json()["detail"]
