"""What a language model may cost, and what becomes of an endpoint that ails: it is never needed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.classify import handlers
from services.classify.assistant import breaker
from tests.support.assisted import VAGUE, Assisted, assisted, chosen, suggested
from tests.support.completions import HANG_UP, SILENCE, Answer, said
from tests.support.stages import NOON


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all, so that the model is trained once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
async def world(fresh_database: str, home: Path) -> AsyncIterator[Assisted]:
    async with assisted(home, fresh_database, seconds=5.0) as world:
        yield world


BROKEN: dict[str, Answer] = {
    "slow": SILENCE, "hangs up": HANG_UP, "no key": 401, "moved": 302, "gone": 404, "busy": 429, "down": 503,
    "not JSON": b"<html>", "no choices": b'{"choices": []}', "refuses": said(""), "prose": said("我不能回答。"),
    "wrong schema": said({"code": ["a"], "confidence": 2}), "cut off": said('{"code": "env'), "not text": b"\xff\xfe",
    "deep": said('{"code":' * 50_000 + "1" + "}" * 50_000), "huge": said("x" * 400_000), "unwilling": 400,
}  # fmt: skip


async def test_without_an_answer_a_ticket_waits_and_goes_out_as_if_nobody_had_been_asked(
    fresh_database: str, home: Path
) -> None:
    async with assisted(home, fresh_database, seconds=0.2) as world:
        for number, (name, answer) in enumerate(BROKEN.items(), 1):
            world.calm()
            world.endpoint.will(answer)
            world.endpoint.calls.clear()
            await world.another(number)
            before = await world.queue()
            for _ in range(4):
                await world.ask()
                world.clock.advance(minutes=4)
            assert await world.queue() == before, name
            assert len(world.endpoint.calls) == (6 if answer == 400 else 3), name
            world.clock.advance(minutes=16)
            *_, event = await world.told(number)
            assert (event.data.judged_by, event.data.machine_made) == ("limit", None), name
        assert (await world.http.get("/readyz")).json()["ready"] is True


async def test_the_same_words_are_asked_of_once_also_after_a_restart(fresh_database: str, home: Path) -> None:
    for _ in range(2):
        async with assisted(home, fresh_database) as world:
            world.endpoint.will(chosen(0, 0.2) if not world.probe.seen else 500)
            for _ in range(2):
                world.ticket = world.clock.new_id()
                await world.receive()
                await world.ask()
            asked = len(world.endpoint.calls)
            assert all(one["machine_made"] for one in await world.queue())
    assert asked == 0


async def test_processes_share_the_work_and_ask_of_each_ticket_once(world: Assisted) -> None:
    for number in range(12):
        await world.another(number)
    for _ in range(4):
        await asyncio.gather(world.ask(), world.ask(), world.ask())
    words = [call.data["appeal"] for call in world.endpoint.calls]
    assert len(words) == len(set(words)) == 12


async def test_what_a_call_takes_is_counted_as_the_endpoint_tells_it(fresh_database: str, home: Path) -> None:
    async with assisted(home, fresh_database, price_in=0.5, price_out=2.0) as world:
        await world.receive()
        await world.ask()
        spent = (await world.state())["spent"]
        assert (spent["calls"], spent["tokens"], spent["money"]) == (1, 1000, 0.65)
        assert spent["day"] == "2026-03-02"


async def test_nothing_is_asked_over_the_budget_until_the_city_s_day_turns(fresh_database: str, home: Path) -> None:
    async with assisted(home, fresh_database, tokens_per_day=30_000) as world:
        pool, day = world.stage.context.database.pool, world.stage.context.engine.assistant.day(NOON)
        await pool.execute("INSERT INTO machine_spending VALUES ($1, 1, 29000, 0)", day)
        await world.receive()
        await world.ask()
        assert (await world.state())["state"] == "spent"
        assert (world.endpoint.calls, len(await world.queue())) == ([], 1)
        assert "jiesu_language_model_spent 1.0" in (await world.http.get("/metrics")).text
        world.clock.at = NOON + timedelta(hours=12, minutes=1)
        world.ticket = world.clock.new_id()
        await world.receive(f"{VAGUE}，没人管")
        await world.ask()
        assert (await world.state())["state"] == "on"
        assert len(world.endpoint.calls) >= 1


async def test_calls_at_once_never_reserve_more_than_there_is(fresh_database: str, home: Path) -> None:
    async with assisted(home, fresh_database, tokens_per_day=20_000, at_once=8, seconds=0.3) as world:
        world.endpoint.will(SILENCE)
        for number in range(8):
            await world.another(number)
        await world.ask()
        spent = (await world.state())["spent"]
        assert 0 < len(world.endpoint.calls) == spent["calls"] < 8
        assert spent["tokens"] <= 20_000


async def test_an_endpoint_that_ails_is_left_alone_and_tried_once_after_a_while(world: Assisted) -> None:
    world.endpoint.will(500)
    for number in range(breaker.FAILURES + 3):
        await world.another(number)
    await world.ask()
    await world.ask()
    assert ((await world.state())["state"], (await world.state())["breaker"]) == ("resting", "open")
    tried = len(world.endpoint.calls)
    await world.ask()
    assert len(world.endpoint.calls) == tried
    world.clock.advance(seconds=61)
    assert (await world.state())["breaker"] == "half_open"
    await world.ask()
    assert len(world.endpoint.calls) == tried + 1
    world.endpoint.will(chosen())
    world.clock.advance(seconds=61)
    await world.ask()
    assert (await world.state())["breaker"] == "closed"


async def test_what_is_urgent_is_told_at_once_and_never_asked_of(world: Assisted) -> None:
    world.endpoint.will(SILENCE)
    await world.receive(f"{VAGUE}，着火了")
    await world.probe.named("ticket.classified")
    await world.ask()
    assert world.endpoint.calls == []


async def test_without_a_url_nothing_is_asked(fresh_database: str, home: Path) -> None:
    async with assisted(home, fresh_database, url="") as world:
        await world.receive()
        await world.ask()
        assert await world.state() == dict.fromkeys(await world.state()) | {"state": "off"}
        assert (await suggested(world, deep=True))["machine_made"] is None
        assert (len(await world.queue()), world.endpoint.calls) == (1, [])


async def test_answers_are_kept_for_a_month(world: Assisted) -> None:
    await world.receive()
    await world.ask()
    world.clock.advance(days=31)
    await handlers.forget_answers(world.stage.context)
    assert await world.rows("machine_answers") == "[]"
