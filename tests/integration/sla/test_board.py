"""The board on a real database: counts that are never counted anew, what is behind them, and telling of changes."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from operator import eq
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.common.contracts.classify import TicketClassified
from libs.common.contracts.dispatch import TicketDispatched, TicketResolved
from libs.common.contracts.intake import TicketReceived
from libs.common.contracts.vocabulary import Receipt, UnitRef, Urgency
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.app import process_app
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing
from services.sla import api, handlers, store, watch
from services.sla.domain import Clock
from services.sla.service import SERVICE
from services.sla.store.clocks import CLOCKS
from tests.support.doomed import timers_of
from tests.support.listening import Listener
from tests.support.stages import NOON, PATIENCE_SECONDS, ManualClock, Peer, client, running, settings_for
from tests.support.waiting import until

WATER = UnitRef(code="co-water", name="自来水集团")
FORMULA = UnitRef(code="co-gas", name="=HYPERLINK(A1)")
RECOUNT = """
SELECT coalesce(unit_code, ''), category, name, count(*) FILTER (WHERE light = 'green'),
    count(*) FILTER (WHERE light = 'yellow'), count(*) FILTER (WHERE light = 'red'),
    count(*) FILTER (WHERE state = 'paused')
FROM clocks WHERE state IN ('running', 'paused') GROUP BY 1, 2, 3
"""
CLOCK = st.builds(
    Clock,
    ticket_id=st.integers(0, 5).map(lambda number: UUID(int=number)),
    round=st.just(1),
    name=st.sampled_from(["response", "completion"]),
    state=st.sampled_from(["running", "paused", "met", "stopped"]),
    urgency=st.just("general"),
    policy=st.just("p"),
    started_at=st.just(NOON),
    limit_seconds=st.just(60),
    due_at=st.integers(0, 3).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    light=st.sampled_from(["green", "yellow", "red"]),
    unit_code=st.sampled_from([None, "a", "b"]),
    unit_name=st.just("甲"),
    category=st.sampled_from(["", "供电"]),
)
KEPT = st.lists(CLOCK, max_size=6, unique_by=lambda clock: (clock.ticket_id, clock.name))


@dataclass(frozen=True)
class Work:
    """A transaction: clocks as it leaves them, tickets it deletes, and whether it comes to its end."""

    kept: list[Clock]
    deleted: list[UUID]
    committed: bool


WORK = st.builds(
    Work, KEPT, st.lists(st.integers(0, 5).map(lambda number: UUID(int=number)), max_size=1), st.booleans()
)


class World:
    """The service under test, without its timers and jobs: the test does their steps."""

    def __init__(self, stage: Stage, peer: Peer, clock: ManualClock, key: str) -> None:
        self.stage, self.peer, self.clock = stage, peer, clock
        self.app, self.http = process_app([stage]), client([stage], key)
        self.keys = KeyRing(stage.context.settings.keys_file)

    async def ticket(self, unit: UnitRef | None = WATER, urgency: Urgency = "general", category: str = "供电") -> UUID:
        """Let a ticket come in, be understood, and be led by a unit if one is named."""
        ticket, at = self.clock.new_id(), self.clock.at
        receipt = Receipt(number="20260302-0000001", channel="web", text="停水了", received_at=at)
        judged = TicketClassified(
            receipt=receipt, category=(category, "二", "三"), code="power-01-01", confidence=1, urgency=urgency,
            kind="help", summary="s", owner_kind="company", judged_by="model", model="m", catalogue="c",
            why=("w",),
        )  # fmt: skip
        await self.peer.say(ticket, TicketReceived(**receipt.model_dump()), judged)
        if unit:
            led = TicketDispatched(unit=unit, rule="r", why=("w",), round=1, at=at, urgency=urgency)
            await self.peer.say(ticket, led)
        return ticket

    async def fire(self, moment: Any) -> None:
        """Let time pass to a moment, and what is due take effect."""
        self.clock.at = moment
        while await timers_of(self.stage).fire():
            pass

    async def board(self, **asked: Any) -> Any:
        """Return the board as a process shows it that was just started."""
        self.stage.context.engine = replace(self.stage.context.engine, watch=watch.Watch())
        answer = await self.http.get("/sla/v1/board", params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @asynccontextmanager
    async def listening(self, key: str, known: str | None = None, **asked: str) -> AsyncIterator["Listener"]:
        """Listen to the stream until the block ends."""
        headers = {"Authorization": f"Bearer {key}"} | ({"Last-Event-ID": known} if known else {})
        listener = Listener(httpx.Request("GET", "http://jiesu/sla/v1/board/stream", params=asked, headers=headers))
        hearing = asyncio.create_task(listener.hear(self.app))
        try:
            yield listener
        finally:
            listener.gone.set()
            await asyncio.wait_for(hearing, PATIENCE_SECONDS)


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    for module in (watch, handlers.board):
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(watch, "SHARE", 1)
    clock, bus = ManualClock(), MemoryBus()
    service = replace(SERVICE, notifies=False, timers={}, jobs={}, jobs_first=())
    async with running(service, settings_for(tmp_path, fresh_database), bus, clock) as stage:
        world = World(stage, Peer(bus, clock), clock, (tmp_path / "key").read_text())
        async with world.http:
            yield world


async def counted(world: World) -> set[Any]:
    """Return the sums that were kept."""
    return {tuple(count) for count in await store.counts(world.stage.context.database)}


async def recount(world: World) -> set[Any]:
    """Count one by one."""
    return {tuple(row) for row in await world.stage.context.database.pool.fetch(RECOUNT)}


async def begin(connection: Any, work: Work) -> Any:
    """Do the work of a transaction, up to its end."""
    transaction = connection.transaction()
    await transaction.start()
    await CLOCKS.save(connection, work.kept)
    await connection.execute("DELETE FROM clocks WHERE ticket_id = ANY($1)", work.deleted)
    return transaction


async def end(transaction: Any, work: Work) -> None:
    """End a transaction as it was meant to."""
    await (transaction.commit() if work.committed else transaction.rollback())


def elsewhere(work: Work) -> Work:
    """Return the same work on other tickets, for a transaction beside it."""
    other = {UUID(int=number): UUID(int=number + 100) for number in range(6)}
    kept = [replace(clock, ticket_id=other[clock.ticket_id]) for clock in work.kept]
    return Work(kept, [other[ticket] for ticket in work.deleted], work.committed)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.tuples(WORK, WORK), min_size=1, max_size=4))
async def test_sums_that_changes_are_added_to_are_those_of_counting_anew(
    world: World, works: Sequence[tuple[Work, Work]]
) -> None:
    pool, here = world.stage.context.database.pool, world.stage.context
    async with pool.acquire() as one, pool.acquire() as two:
        for first, second in ((first, elsewhere(second)) for first, second in works):
            begun = [await begin(one, first), await begin(two, second)]
            await handlers.fold_changes(here)
            await end(begun[1], second)
            assert await counted(world) == await recount(world)
            await handlers.fold_changes(here)
            await end(begun[0], first)
            assert await counted(world) == await recount(world)
    await handlers.fold_changes(here)
    assert await counted(world) == await recount(world)
    await pool.execute("DELETE FROM clocks")


async def test_what_was_committed_and_folded_between_two_looks_is_on_the_board(world: World) -> None:
    here = world.stage.context

    async def green() -> int:
        return (await handlers.look(here, None)).total.green

    for number in (1, 2):
        await world.ticket()
        await handlers.fold_changes(here)
        await until(green, partial(eq, 2 * number), PATIENCE_SECONDS)


async def test_a_change_that_began_first_and_is_committed_last_is_another_version_of_the_board(world: World) -> None:
    database = world.stage.context.database
    early = Work([Clock(UUID(int=1), 1, "completion", "running", "general", "p", NOON, 60, NOON)], [], committed=True)
    async with database.pool.acquire() as one, database.pool.acquire() as two:
        begun = await begin(one, early)
        await end(await begin(two, elsewhere(early)), early)
        before = await store.board_version(database)
        await end(begun, early)
    assert await store.board_version(database) != before


async def test_the_board_counts_clocks_by_light_unit_category_and_what_comes_due(world: World) -> None:
    done = await world.ticket(urgency="urgent")
    await world.ticket(urgency="urgent", category="燃气")
    await world.ticket(None)
    await world.peer.say(done, TicketResolved(unit=WATER, reply="修好了", round=1, at=NOON, contacted=True))
    await world.fire(NOON + timedelta(minutes=30))
    board = await world.board()
    assert {light: board["total"][light] for light in ("green", "yellow", "red")} == {"green": 3, "yellow": 1, "red": 0}
    assert {line["unit"] and line["unit"]["code"]: line["yellow"] for line in board["units"]} == {
        "co-water": 1,
        None: 0,
    }
    assert {line["category"]: line["yellow"] for line in board["categories"]} == {"燃气": 1, "供电": 0}
    assert board["total"]["soon"] == board["clocks"]["completion"]["soon"] == 1
    await world.fire(NOON + timedelta(hours=2))
    assert (await world.board())["total"]["supervised"] == [1, 0, 0]


@pytest.mark.parametrize(
    ("asked", "line", "minutes"),
    [
        ({}, "total", 50),
        ({"light": "red"}, "red", 50),
        ({"light": "yellow"}, "yellow", 40),
        ({"soon": True}, "soon", 50),
    ],
)
async def test_behind_each_number_are_as_many_clocks_in_pages_and_in_the_table(
    world: World, asked: dict[str, Any], line: str, minutes: int
) -> None:
    for unit in (WATER, FORMULA, None):
        for urgency in ("urgent", "livelihood", "general"):
            await world.ticket(unit, urgency)
    await world.fire(NOON + timedelta(minutes=minutes))
    total = (await world.board())["total"]
    wanted = total[line] if line != "total" else total["green"] + total["yellow"] + total["red"]
    seen, cursor = [], None
    while True:
        place: dict[str, Any] = {"cursor": cursor} if cursor else {}
        page = (await world.http.get("/sla/v1/board/clocks", params={**asked, **place, "limit": 2})).json()
        seen += [(item["ticket_id"], item["clock"]) for item in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    table = await world.http.get("/sla/v1/board/clocks.csv", params=asked)
    rows = list(csv.DictReader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert len(seen) == len(set(seen)) == wanted > 0
    assert [(row["ticket_id"], row["clock"]) for row in rows] == seen


async def test_a_table_has_nothing_in_it_that_a_spreadsheet_computes(world: World) -> None:
    await world.ticket(FORMULA, category="@SUM(A1)")
    table = await world.http.get("/sla/v1/board/clocks.csv")
    assert (table.headers["content-type"], "attachment" in table.headers["content-disposition"]) == (
        "text/csv; charset=utf-8", True,
    )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert {(row["unit_name"], row["category"]) for row in rows} == {("'=HYPERLINK(A1)", "'@SUM(A1)")}


async def test_a_unit_sees_its_own_clocks_and_nobody_elses(world: World) -> None:
    await world.ticket(WATER)
    await world.ticket(UnitRef(code="co-gas", name="燃气集团"))
    await world.ticket(None)
    async with client([world.stage], world.keys.issue("gas", ["unit"], ["co-gas"])) as gas:
        board = (await gas.get("/sla/v1/board")).json()
        lines = (await gas.get("/sla/v1/board/clocks")).json()["items"]
        table = (await gas.get("/sla/v1/board/clocks.csv")).text
        assert (await gas.get("/sla/v1/board", params={"unit": "co-water"})).status_code == 403
    assert [line["unit"]["code"] for line in board["units"]] == ["co-gas"]
    assert ({line["unit"]["code"] for line in lines}, table.count("co-gas"), "co-water" in table) == (
        {"co-gas"}, 2, False,
    )  # fmt: skip
    async with client([world.stage], world.keys.issue("wechat", ["adapter"])) as other:
        for path in ("board", "board/clocks", "board/clocks.csv", "board/stream"):
            assert (await other.get(f"/sla/v1/{path}")).status_code == 403


async def test_the_clocks_of_an_order_are_seen_by_who_leads_or_stands_above(world: World) -> None:
    own, others = await world.ticket(UnitRef(code="co-gas", name="燃气集团")), await world.ticket(WATER)
    async with client([world.stage], world.keys.issue("gas", ["unit"], ["co-gas"])) as gas:
        lines = (await gas.get("/sla/v1/clocks")).json()["items"]
        assert {line["unit"]["code"] for line in lines} == {"co-gas"}
        for what in ("clocks", "tasks"):
            assert (await gas.get(f"/sla/v1/tickets/{own}/{what}")).status_code == 200
            assert (await gas.get(f"/sla/v1/tickets/{others}/{what}")).status_code == 403
    async with client([world.stage], world.keys.issue("seat", ["seat"])) as seat:
        assert len((await seat.get(f"/sla/v1/tickets/{others}/clocks")).json()) == 2


async def test_a_listener_is_told_the_board_and_then_what_changed_of_what_it_sees(world: World) -> None:
    await world.ticket(WATER)
    key = world.keys.issue("water", ["unit"], ["co-water"])
    async with world.listening(key) as listener:
        ((name, first),) = await listener.until(len)
        assert (name, first["total"]["green"], [line["unit"]["code"] for line in first["units"]]) == (
            "board", 2, ["co-water"],
        )  # fmt: skip
        await world.ticket(UnitRef(code="co-gas", name="燃气集团"))
        await world.ticket(WATER, category="燃气")
        heard = await listener.until(lambda events: events[-1][1]["total"]["green"] == 4)
    changed = [line["category"] for name, told in heard if name == "change" for line in told["categories"]]
    assert set(changed) <= {"", "燃气"}
    assert "co-gas" not in listener.text
    async with world.listening(key, known=heard[-1][1]["id"]) as again:
        await world.ticket(WATER)
        (name, _), *_ = await again.until(len)
        assert name == "change"
    async with world.listening(key, known="what it never was") as stranger:
        ((name, _),) = await stranger.until(len)
        assert name == "board"


async def test_a_listener_hears_that_the_stream_lives_and_has_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers.board, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(handlers.board, "LISTEN_SECONDS", 0.5)
    async with world.listening(world.keys.issue("seat", ["seat"])) as listener:
        await listener.until(lambda _: listener.text.count(": still here") >= 2)
        await asyncio.wait_for(asyncio.shield(_ended(world)), PATIENCE_SECONDS)
    assert listener.text.startswith("retry: 2000\n\nid: ")


async def _ended(world: World) -> None:
    while world.stage.context.engine.watch.listeners:
        await asyncio.sleep(0.01)


async def test_listeners_are_bounded_and_a_seat_that_is_left_is_free(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.board, "MOST_LISTENERS", 1)
    key = world.keys.issue("seat", ["seat"])
    async with world.listening(key) as first:
        await first.until(len)
        async with world.listening(key) as second:
            await second.until(lambda _: second.status)
            assert second.status == 503
    await _ended(world)
    async with world.listening(key) as third:
        await third.until(len)
        assert third.status == 200
