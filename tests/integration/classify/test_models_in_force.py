"""Versions of models: trained, measured, side by side, in force, and watched for drift."""

import weakref
from typing import Any
from uuid import UUID

import pytest

from libs.common.contracts.dispatch import TicketRuled
from libs.common.contracts.intake import TicketErased
from libs.common.contracts.vocabulary import UnitRef
from services.classify import store
from services.classify.domain import Run
from services.classify.handlers import models
from tests.support.stages import NOON
from tests.support.versioned import OUTAGE, ROWS, Versioned, received
from tests.support.waiting import until

UNIT = UnitRef(code="dept-water", name="市水务局")


async def test_what_another_release_made_of_a_catalogue_is_neither_gone_back_to_nor_measured(
    world: Versioned,
) -> None:
    own, base = world.judging_by
    model = await world.trained(own)
    await world.post(f"models/{model}/promote")
    await world.judging(own, model)
    pool, old = world.stage.context.database.pool, "0" * 12
    await pool.execute(
        "INSERT INTO models SELECT (jsonb_populate_record(m, $2)).* FROM models m WHERE name = $1", base, {"name": old}
    )
    await pool.execute("UPDATE activations SET model = $2 WHERE model = $1", base, old)
    said = f"model {old} cannot judge here: another release made it of the catalogue alone"
    for path in ("models/roll-back", f"models/{old}/promote", f"models/{old}/evaluate"):
        refused = await world.http.post(f"/classify/v1/{path}", json={})
        assert (refused.status_code, refused.json()["detail"].startswith(said)) == (409, True), path
    assert old not in (await world.get("catalogues"))[0]["models"]
    assert not (await world.get(f"models/{old}"))["can_judge"]
    run = Run(UUID(int=5), "evaluate", own, old, "op", "waiting", NOON)
    await store.save_run(pool, run)
    world.stage.context.loops["training"].wake()
    done = await world.done({"run_id": run.run_id})
    assert (done["state"], done["error"].startswith(said)) == ("failed", True)
    assert await world.status("post", f"catalogues/{own}/activate", {"model": "1" * 12}) == 404


async def test_what_people_said_is_learnt_and_measured(world: Versioned) -> None:
    own, _ = world.judging_by
    tickets = [world.clock.new_id() for _ in range(60)]
    for number, ticket in enumerate(tickets):
        await world.peer.say(ticket, received(f"琉璃井盖子丢了{number}号"))
        await world.http.post(f"/classify/v1/tickets/{ticket}/classification", json={"code": "water-01-03"})
        world.clock.advance(minutes=1)
    ruling = TicketRuled(
        upheld=True, unit=UNIT, ground="not_our_duty", note="", right_code="water-01-02", round=1, at=world.clock.now()
    )
    await world.peer.say(tickets[0], ruling)
    await world.peer.say(tickets[1], TicketErased(words=True, at=NOON))
    model = await world.get(f"models/{await world.trained(own)}")
    assert (model["labels"], list(model["examples"].values())) == (59, [59])
    assert model["metrics"]["confirmed"]["texts"] == 12
    assert model["metrics"]["confirmed"]["level3"] == 1.0
    assert model["metrics"]["phrases"]["texts"] == 3 * ROWS
    assert await world.trained(own) == model["name"]
    assert (await world.get("models"))[0]["data"] == model["data"]


async def test_a_challenger_is_counted_beside_the_champion_and_promoted(world: Versioned) -> None:
    own, champion = world.judging_by
    model = await world.trained(own)
    assert await world.status("post", f"models/{champion}/challenge") == 409
    assert await world.status("post", f"models/{'0' * 12}/challenge") == 404
    await world.post(f"models/{model}/challenge")
    await until(lambda: world.get(f"models/{model}"), lambda seen: seen["challenger"])
    tickets = [world.clock.new_id() for _ in range(3)]
    for ticket in tickets:
        await world.peer.say(ticket, received(OUTAGE))
    await world.http.post(f"/classify/v1/tickets/{tickets[0]}/classification", json={"code": "water-01-01"})
    (tally,) = (await world.get(f"models/{model}"))["challenges"]
    assert (tally["champion"], tally["tickets"], tally["agreed"]) == (champion, 3, 3)
    assert (tally["confirmed"], tally["hits"], tally["champion_hits"]) == (1, 1, 1)
    old = weakref.ref(world.stage.context.engine.model)
    await world.post(f"models/{model}/promote", {"reason": "更准"})
    await world.judging(own, model)
    assert old() is None, "what judged before is let go of"
    assert not (await world.get(f"models/{model}"))["challenger"]
    assert (await world.post("models/roll-back"))["model"] == champion
    await world.judging(own, champion)
    assert await world.status("delete", "models/challenger") == 204


async def test_a_model_is_evaluated_on_what_was_confirmed_since(world: Versioned) -> None:
    _, base = world.judging_by
    world.clock.advance(minutes=1)
    ticket = world.clock.new_id()
    await world.peer.say(ticket, received(OUTAGE))
    await world.http.post(f"/classify/v1/tickets/{ticket}/classification", json={"code": "water-01-01"})
    run = await world.post(f"models/{base}/evaluate")
    assert (await world.done(run))["state"] == "done"
    later = (await world.get(f"models/{base}"))["metrics"]["later"]
    assert (later["texts"], later["level3"]) == (1, 1.0)


async def test_a_run_that_a_process_left_behind_is_done_by_the_next(world: Versioned) -> None:
    own, _ = world.judging_by
    left = Run(UUID(int=5), "train", own, None, "op", "running", NOON, NOON)
    await store.save_run(world.stage.context.database.pool, left)
    world.stage.context.loops["training"].wake()
    assert (await world.done({"run_id": left.run_id}))["state"] == "done"


async def test_a_training_that_fails_is_told_and_the_next_is_not_kept_from_its_work(
    world: Versioned, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(models, "_PROGRAM", ("-c", "raise SystemExit(3)"))
        run = await world.done(await world.post("models/train"))
    assert (run["state"], "ended with 3" in run["error"]) == ("failed", True)
    assert await world.stage.not_ready() == []
    assert await world.trained(world.judging_by[0])


async def test_drift_is_told_against_the_first_days_of_the_model(world: Versioned) -> None:
    pool = world.stage.context.database.pool
    for day, water in ((2, 500), (9, 100)):
        await pool.execute(
            "INSERT INTO judged_days VALUES ($1::date, '供水排水', $2, 500, 0, 0), ($1, '供电', $3, 300, 0, 0)",
            world.clock.now().date().replace(day=day), water, 1000 - water,
        )  # fmt: skip
    assert (await world.get("models/drift"))["drifting"] is False
    world.clock.advance(days=7)
    drift = await world.get("models/drift")
    assert (drift["drifting"], drift["index"] > 0.25, drift["reference"]["tickets"]) == (True, True, 1000)
    assert "供水排水 50% → 10%" in drift["reasons"][0]


async def test_what_was_judged_is_counted_by_day(world: Versioned) -> None:
    for _ in range(2):
        await world.peer.say(world.clock.new_id(), received(OUTAGE))
    ticket = world.clock.new_id()
    await world.peer.say(ticket, received(OUTAGE))
    await world.http.post(f"/classify/v1/tickets/{ticket}/classification", json={"code": "water-01-02"})
    world.clock.advance(hours=1, seconds=1)

    async def rows() -> Any:
        world.stage.context.loops["drift"].wake()
        return await world.stage.context.database.pool.fetch("SELECT level1, tickets, corrected FROM judged_days")

    (row,) = await until(rows, bool)
    assert tuple(row) == ("供水排水", 3, 1)
