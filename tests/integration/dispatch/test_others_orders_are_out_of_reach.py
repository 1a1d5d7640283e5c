"""Staff of a unit, and supervisors of another level, try every route of dispatch against an order of others.

The routes come from the router itself: one that is new belongs into one of the groups below before this passes.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

from services.dispatch.service import SERVICE
from tests.support import attached
from tests.support.orders import HEATING, RECEIPT, RECEIVED, STREET, World, orders_world

BASE = "/dispatch/v1"
LEAD, HELPER, LOOKER, OTHER = "co-heating", "dept-water", "s-110105026", "co-water"
CLAIM = {"ground": "not_our_duty", "note": "供热设施由小区自行管理，有合同为据"}
HASH = "0" * 64
RELIEF = {"ground": "not_our_duty", "note": "不归我们"}
OF_AN_ORDER: dict[str, Any] = {
    "GET /orders/{ticket_id}": None,
    "GET /orders/{ticket_id}/tasks": None,
    "GET /orders/{ticket_id}/files": None,
    "GET /orders/{ticket_id}/files/{file_id}": None,
    "GET /orders/{ticket_id}/returns": None,
    "GET /orders/{ticket_id}/verifications": None,
    "GET /orders/{ticket_id}/decisions": None,
    "POST /orders/{ticket_id}/accept": {},
    "POST /orders/{ticket_id}/contact": {"method": "phone"},
    "POST /orders/{ticket_id}/progress": {"note": "在办"},
    "POST /orders/{ticket_id}/resolve": {"reply": "好了"},
    "POST /orders/{ticket_id}/reply-check": {"reply": "好了"},
    "POST /orders/{ticket_id}/reassign": {"unit": OTHER, "note": "改派"},
    "POST /orders/{ticket_id}/tasks": {"role": "sub_task", "unit": "dept-housing", "task": "核实"},
    "POST /orders/{ticket_id}/tasks/{task_id}/accept": {},
    "POST /orders/{ticket_id}/tasks/{task_id}/arrive": {},
    "POST /orders/{ticket_id}/tasks/{task_id}/done": {"note": "好了"},
    "POST /orders/{ticket_id}/tasks/{task_id}/relief": RELIEF,
    "POST /orders/{ticket_id}/tasks/{task_id}/rule": {"upheld": True, "note": "同意"},
    "POST /orders/{ticket_id}/tasks/{task_id}/drop": {},
    "POST /orders/{ticket_id}/files": b"of a stranger",
    "POST /orders/{ticket_id}/return": CLAIM,
    "POST /orders/{ticket_id}/rule": {"upheld": True, "unit": OTHER, "note": "归我"},
    "POST /orders/{ticket_id}/verification": {"task": "再看"},
    "POST /orders/{ticket_id}/verify": {"done": True, "note": "看过了"},
}
"""What stands under an order, with what is said there."""
LISTED = ("orders", "tasks", "whistles", "returns", "bounces", "verifications", "loads", "proactive")
LISTS = {f"GET /{name}" for name in LISTED}
"""What lists what a key sees, and what others have if they are asked for by name."""
OF_THE_CITY: dict[str, Any] = {
    "GET /proposals": None,
    "GET /proposals/answers": None,
    "POST /proposals/{proposal_id}/adopt": {},
    "POST /proposals/{proposal_id}/dismiss": {"note": "个案"},
    "GET /rules": None,
    "POST /rules": b"[[rule]]",
    "GET /rules/activations": None,
    "DELETE /rules/activations/{activation_id}": None,
    "POST /rules/roll-back": {"reason": "退回"},
    "GET /rules/{version}": None,
    "GET /rules/{version}/diff": None,
    "POST /rules/{version}/activate": {"reason": "启用"},
    "POST /rules/{version}/backtest": {"from": "2026-02-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"},
    "GET /rules/backtests/{backtest_id}": None,
    "GET /rules/{version}/backtests": None,
    "GET /handovers": None,
    "POST /handovers": {"from_unit": LEAD, "to_unit": OTHER, "note": "归我"},
    "GET /handovers/{handover_id}": None,
}
"""What staff of a unit has no part in."""
PARTS = {
    HELPER: {
        "POST /orders/{ticket_id}/files",
        *(f"POST /orders/{{ticket_id}}/tasks/{{task_id}}/{name}" for name in ("accept", "arrive", "done", "relief")),
    },
    LOOKER: {"POST /orders/{ticket_id}/files", "POST /orders/{ticket_id}/verify"},
}
"""What who helps, and who is sent to look, may do to an order."""
OF_NO_ORDER = {"GET /grounds", "POST /routes"}


def operations() -> set[str]:
    """Return every operation of the service, by its method and path."""
    app = FastAPI()
    for router in SERVICE.routers:
        app.include_router(router)
    return {
        f"{method.upper()} {path.removeprefix(BASE)}"
        for path, found in app.openapi()["paths"].items()
        for method in found
    }


def routes(router: APIRouter) -> Iterator[object]:
    """Yield all routes, those that no document shows too."""
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        yield from routes(inner) if inner else [route]


def test_every_route_belongs_to_a_group_that_is_tried() -> None:
    known = OF_AN_ORDER.keys() | LISTS | OF_THE_CITY.keys() | OF_NO_ORDER
    assert operations() == known
    assert sum(1 for router in SERVICE.routers for _ in routes(router)) == len(known)


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with orders_world(fresh_database, tmp_path) as world:
        yield world


class Case:
    """A returned order with all there may be to it, and who tries what against it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ids: dict[str, str] = dict.fromkeys(("activation_id", "backtest_id", "handover_id"), str(world.ticket))
        self.ids |= {"version": HASH, "proposal_id": "0" * 16, "ticket_id": str(world.ticket)}

    async def begin(self) -> "Case":
        world, lead = self.world, self.key("unit", LEAD)
        await world.peer.say(world.ticket, RECEIVED, HEATING)
        task = await world.do("tasks", {"role": "sub_task", "unit": HELPER, "task": "核实"}, lead)
        path = f"{BASE}/orders/{world.ticket}/files"
        file = await world.http.post(path, content=attached.picture("JPEG"), headers=lead)
        assert (await world.do("return", CLAIM | {"ground": "not_our_area"}, lead)).status_code == 200
        look = await world.do("verification", {"task": "请核实换热站归属"}, self.key("supervisor"))
        assert look.json()["unit"]["code"] == LOOKER
        self.ids |= {"task_id": task.json()["task_id"], "file_id": file.json()["file_id"]}
        return self

    def key(self, role: Any, *units: str) -> dict[str, str]:
        return self.world.key(role, units=units)

    async def tries(self, operation: str, said: Any, key: dict[str, str], **ids: str) -> Any:
        """Do an operation with a key; `ids` take the place of those of the order."""
        method, _, path = operation.partition(" ")
        body = {"content": said} if isinstance(said, bytes) else {"json": said} if said is not None else {}
        url = BASE + path.format(**self.ids | ids)
        return await self.world.http.request(method, url, headers=key, **body)

    async def state(self) -> list[Any]:
        """All that an order is, as who sees the whole of it reads it."""
        paths = ("", "/tasks", "/files", "/returns", "/verifications", "/decisions")
        return [(await self.world.see(path)).json() for path in paths]


@pytest.fixture
async def case(world: World) -> Case:
    return await Case(world).begin()


def strangers(case: Case) -> dict[str, dict[str, str]]:
    return {
        "another company": case.key("unit", OTHER),
        "another street": case.key("unit", "s-110105001"),
        "another district": case.key("unit", "d-110108"),
        "another department": case.key("unit", "dept-housing"),
        "the desk of the centre": case.key("unit", "centre"),
        "a unit that is none": case.key("unit", "no-such-unit"),
        "a supervisor of another level": case.key("supervisor", "d-110108", "dept-housing"),
    }


async def test_who_has_no_part_in_an_order_reaches_nothing_under_it(case: Case) -> None:
    before = await case.state()
    for name, key in strangers(case).items():
        for operation, said in OF_AN_ORDER.items():
            answer = await case.tries(operation, said, key)
            assert answer.status_code == 403, f"{name}: {operation} gave {answer.status_code} {answer.text[:200]}"
            assert "暖气" not in answer.text
    assert await case.state() == before


async def test_what_was_never_asked_of_anybody_tells_a_stranger_nothing_either(world: World) -> None:
    case = Case(world)
    await world.peer.say(world.ticket, RECEIVED, HEATING)
    plain = {op: said for op, said in OF_AN_ORDER.items() if "task_id" not in op and "file_id" not in op}
    answers = {op: (await case.tries(op, said, case.key("unit", OTHER))).status_code for op, said in plain.items()}
    assert set(answers.values()) == {403}, answers


async def test_lists_leave_out_what_a_key_does_not_see_and_refuse_who_asks_for_it_by_name(case: Case) -> None:
    told = (case.ids["ticket_id"], case.ids["task_id"], RECEIPT.number, LEAD)
    for name, key in strangers(case).items():
        for operation in LISTS:
            listed = await case.tries(operation, None, key)
            assert listed.status_code == 200, f"{name}: {operation}"
            assert [word for word in told if word in listed.text] == [], f"{name}: {operation}"
            asked = await case.world.http.get(BASE + operation.removeprefix("GET "), params={"unit": LEAD}, headers=key)
            assert asked.status_code == 403, f"{name}: {operation} of {LEAD}"


async def test_staff_of_a_unit_has_no_part_in_what_is_the_citys(case: Case) -> None:
    for operation, said in OF_THE_CITY.items():
        answer = await case.tries(operation, said, case.key("unit", LEAD))
        assert answer.status_code == 403, f"{operation} gave {answer.status_code}"


async def test_who_helps_or_looks_does_its_part_and_no_more(case: Case) -> None:
    before = await case.state()
    for unit, part in PARTS.items():
        for operation, said in OF_AN_ORDER.items():
            if operation.startswith("POST") and operation not in part:
                answer = await case.tries(operation, said, case.key("unit", unit))
                assert answer.status_code == 403, f"{unit}: {operation} gave {answer.status_code}"
        seen = (await case.tries("GET /orders/{ticket_id}", None, case.key("unit", unit))).json()
        assert (seen["sight"], seen["return_note"], seen["return_ground"]) == ("part", None, None)
        returns = await case.tries("GET /orders/{ticket_id}/returns", None, case.key("unit", unit))
        file = await case.tries("GET /orders/{ticket_id}/files/{file_id}", None, case.key("unit", unit))
        assert (returns.json()["items"], file.status_code) == ([], 404)
    assert await case.state() == before


async def test_what_belongs_to_another_order_is_not_reached_through_ones_own(case: Case) -> None:
    mine = case.world.clock.new_id()
    await case.world.peer.say(mine, RECEIVED, STREET)
    key = case.key("unit", LOOKER)
    through = {"ticket_id": str(mine)}
    before = await case.state()
    for operation, said in OF_AN_ORDER.items():
        if "task_id" in operation or "file_id" in operation:
            answer = await case.tries(operation, said, key, **through)
            assert answer.status_code == 404, f"{operation} gave {answer.status_code}"
    assert await case.state() == before
