"""Whatever is heard and commanded in whatever order, an order, its returns, looks, tasks and timers fit together.

The steps are drawn from a seed, so that what fails fails again; every one goes through the bus or through HTTP.
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from libs.common.contracts.classify import HotspotRaised
from libs.common.contracts.dispatch import TicketDispatched, TicketReassigned
from libs.common.contracts.envelope import Envelope, Event
from libs.common.contracts.feedback import TicketClosed, TicketReopened
from libs.common.contracts.intake import TicketErased, TicketSupplemented, TicketWithdrawn
from tests.support.lives import LINKED
from tests.support.orders import HEATING, RECEIVED, STREET, World, orders_world
from tests.support.stages import NOON

NOTE = "供热设施由小区自行管理，有合同为据"
WORDS = ("家里", "自行管理", "对照清单", "看一看", "核实一下", "三楼也冷")
HOT = HotspotRaised(
    code="heating-01-01", category=("供热采暖", "", ""), count=12, first_at=NOON, last_at=NOON, title="暖气",
)  # fmt: skip
HEARD: dict[str, Event] = {
    "received": RECEIVED, "judged": HEATING, "judged otherwise": STREET, "linked": LINKED,
    "urgent now": HEATING.model_copy(update={"urgency": "urgent", "co_handlers": ()}),
    "more said": TicketSupplemented(text="三楼也冷", at=NOON), "withdrawn": TicketWithdrawn(at=NOON),
    "words deleted": TicketErased(words=True, at=NOON),
}  # fmt: skip
SAID: dict[str, list[dict[str, Any]]] = {
    "accept": [{}],
    "contact": [{"method": "phone"}],
    "return": [{"ground": "not_our_duty", "note": NOTE}, {"ground": "not_our_area", "note": NOTE}],
    "rule": [
        {"upheld": False, "note": "对照清单"}, {"upheld": True, "note": "对照清单"},
        {"upheld": True, "unit": "dept-housing", "note": "对照清单"},
        {"upheld": True, "unit": "co-heating", "note": "对照清单"},
    ],
    "verification": [{"task": "看一看"}, {"task": "看一看", "unit": "co-water"}],
    "verify": [{"done": False, "note": "核实一下"}],
    "tasks": [{"role": "sub_task", "unit": "co-gas", "task": "看一看"},
              {"role": "co_handler", "unit": "dept-housing", "task": "看一看"}],
    "reassign": [{"unit": "dept-housing", "note": "对照清单"}],
    "resolve": [{"reply": "已更换阀门，室温20度，电话96069"}],
}  # fmt: skip
OF_TASKS: dict[str, dict[str, Any]] = {
    "accept": {}, "done": {"note": "核实一下"}, "relief": {"ground": "not_our_duty", "note": "核实一下"},
    "rule": {"upheld": True, "note": "对照清单"}, "drop": {},
}  # fmt: skip
STATE = """
SELECT o.state, o.round, o.unit_code, o.returns, coalesce((a.facts #>> '{wordless,is}')::boolean, false) AS wordless,
    (a.facts #>> '{withdrawn,is}')::boolean AS withdrawn,
    (SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY turn), '[]') FROM returns r WHERE r.ticket_id = o.ticket_id)
        AS returned,
    (SELECT count(*) FROM timers WHERE kind = 'ruling' AND subject = $1::text) AS timers
FROM aggregates a LEFT JOIN orders o ON o.ticket_id = a.subject::uuid WHERE a.subject = $1::text
"""


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with orders_world(fresh_database, tmp_path) as world:
        yield world


class Play:
    """One ticket, and what happens to it."""

    def __init__(self, world: World, random: Random) -> None:
        self.world, self.random = world, random
        world.ticket = world.clock.new_id()
        self.round = 1
        self.done: list[str] = []

    async def step(self) -> None:
        way = self.random.choice((self.hears, self.commands, self.commands, self.commands, self.helps, self.waits))
        await way()
        await self.fits()

    async def hears(self) -> None:
        name = self.random.choice([*HEARD, "judged otherwise", "received", "closed", "reopened", "hot"])
        # Rare, for little happens to the ticket afterwards.
        if name in {"withdrawn", "words deleted"} and self.random.random() < 0.8:
            return
        self.done.append(name)
        if name == "hot":
            await self.world.peer.say(self.world.clock.new_id(), HOT)
            return
        if name == "reopened":
            self.round += 1
        rounds: dict[str, Event] = {
            "closed": TicketClosed(outcome="unsolved", round=self.round, at=NOON),
            "reopened": TicketReopened(reason="not_solved", round=self.round, at=NOON),
        }
        await self.world.peer.say(self.world.ticket, (HEARD | rounds)[name])

    async def commands(self) -> None:
        """Try some commands until one is possible."""
        for name in self.random.sample(list(SAID), 4):
            if (await self.post(name, self.random.choice(SAID[name]))).is_success:
                return

    async def helps(self) -> None:
        tasks = await self.world.see("/tasks")
        if tasks.status_code == 200 and (known := tasks.json()["items"]):
            name = self.random.choice(list(OF_TASKS))
            await self.post(f"tasks/{self.random.choice(known)['task_id']}/{name}", OF_TASKS[name])

    async def waits(self) -> None:
        self.done.append("waits")
        self.world.clock.advance(minutes=self.random.choice((5, 40)))

    async def post(self, name: str, body: object) -> httpx.Response:
        answer = await self.world.do(name, body)
        self.done.append(f"{name} {answer.status_code}")
        assert answer.status_code in {200, 201, 404, 409, 422}, self.done
        return answer

    async def fits(self) -> None:
        """All that is stored of the ticket, seen at one moment, goes together."""
        pool, ticket = self.world.stage.context.database.pool, str(self.world.ticket)
        async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            now = await connection.fetchrow(STATE, ticket)
            looks = await connection.fetch("SELECT * FROM verifications WHERE ticket_id = $1", self.world.ticket)
            tasks = await connection.fetch("SELECT * FROM tasks WHERE ticket_id = $1", self.world.ticket)
            rows = [
                await connection.fetch(f"SELECT t::text FROM {table} t WHERE ticket_id = $1", self.world.ticket)  # noqa: S608
                for table in ("orders", "returns", "verifications", "tasks", "supplements", "decisions")
            ]
        if now is None or now["state"] is None:
            return
        returned = now["returned"]
        open_ = [one for one in returned if one["state"] == "open"]
        assert [one["turn"] for one in returned] == list(range(1, now["returns"] + 1)), self.done
        assert [(one["unit_code"], one["round"]) for one in open_] == (
            [(now["unit_code"], now["round"])] if now["state"] == "returned" else []
        ), self.done
        assert now["timers"] == sum(one["escalated_at"] is None for one in open_), self.done
        assert {str(one["return_id"]) for one in looks if one["state"] == "open"} <= {
            one["return_id"] for one in open_
        }, self.done
        assert sum(one["state"] in {"upheld", "overturned", "refused"} for one in returned) <= 2, self.done
        owed = [one for one in tasks if one["state"] in {"assigned", "accepted", "arrived"}]
        assert now["state"] not in {"recalled", "closed"} or not owed, self.done
        assert {one["round"] for one in owed} <= {now["round"]}, self.done
        assert now["unit_code"] not in {one["unit_code"] for one in owed}, self.done
        assert not now["withdrawn"] or now["state"] not in {"dispatched", "accepted", "in_progress", "returned"}, (
            self.done
        )
        assert not now["wordless"] or [word for word in WORDS if word in str(rows)] == [], self.done


@pytest.mark.parametrize("seed", range(5))
async def test_order_returns_looks_tasks_and_timers_always_fit_together(world: World, seed: int) -> None:
    random = Random(seed)
    for _ in range(8):
        play = Play(world, random)
        first: list[Event] = [RECEIVED, HEATING]
        await world.peer.say(world.ticket, *random.sample(first, 2))
        for _ in range(16):
            await play.step()
    stored = await world.stage.context.database.pool.fetch("SELECT ticket_id::text, unit_code FROM orders")
    await world.probe.until(lambda seen: leads(seen) == {row["ticket_id"]: row["unit_code"] for row in stored})


def leads(seen: Sequence[Envelope[Any]]) -> dict[str, str]:
    """Return who leads each order by what was told."""
    named = (event for event in seen if isinstance(event.data, TicketDispatched | TicketReassigned))
    return {event.subject: event.data.unit.code for event in named}
