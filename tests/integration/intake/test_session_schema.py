"""Sessions that there are, in every state, asked by citizen, seat and stranger: each answer is one OpenAPI declares."""

from itertools import cycle
from pathlib import Path
from typing import Any

from tests.support.openapi import cases, check
from tests.support.sessions import World, running_sessions
from tests.support.stages import client

PATHS = "/intake/v1/sessions"


async def known(world: World) -> list[dict[str, Any]]:
    """Open sessions of every kind and bring them into every state."""
    opened = [
        await world.opened(kind=kind, phone="13800138000", question="何时来水")
        for kind in ("chat", "callback")
        for _ in range(4)
    ]
    for place, one in enumerate(opened):
        path = f"{PATHS}/{one['session_id']}"
        if place % 4 in {1, 2}:
            await world.seat.post(f"{path}/take")
        if place % 4 == 2:
            await world.seat.post(f"{path}/end", json={"outcome": "helped"})
        if place % 4 == 3:
            await world.app.post(f"{path}/leave", params={"pass": one["pass"]})
    return opened


async def test_whatever_is_asked_of_a_session_the_answer_is_declared(fresh_database: str, tmp_path: Path) -> None:
    async with running_sessions(tmp_path, fresh_database) as world, client(world.stages) as stranger:
        schema = (await stranger.get("/intake/openapi.json")).json()
        who, sessions = cycle([world.seat, world.lead, world.app, stranger]), cycle(await known(world))
        reached = set()
        for case in cases(schema, lambda path: path.startswith(PATHS)):
            session, http = next(sessions), next(who)
            if "session_id" in (case.path_parameters or {}):
                case.path_parameters["session_id"] = session["session_id"]
            if http is stranger:
                case.query = {**(case.query or {}), "pass": session["pass"]}
            if (await check(http, case)).status_code in {200, 201, 403, 409}:
                reached.add((case.method.lower(), case.path))
        paths = {path: way for path, way in schema["paths"].items() if path.startswith(PATHS)}
        assert reached >= {(method, path) for path, way in paths.items() for method in way if "{" in path}
        assert await world.stages[0].not_ready() == []
