"""Versions of the catalogue and of models: taken in, trained, in force from a time on, and back again."""

import io
import shutil
import weakref
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.common.city.catalogue import read_catalogue
from libs.common.city.problems import Problems
from libs.common.contracts.dispatch import TicketRuled
from libs.common.contracts.envelope import decode
from libs.common.contracts.intake import (
    TicketErased,
    TicketLinked,
    TicketReceived,
    TicketSupplemented,
    TicketSupported,
)
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing
from libs.common.runtime.settings import Settings
from services.classify import handlers, store
from services.classify.domain import Run
from services.classify.handlers import models
from services.classify.service import SERVICE
from tests.support.stages import CITY, NOON, ManualClock, Peer, Probe, client, probing, running, settings_for
from tests.support.waiting import until

ROWS = 12
"""Questions of each file that the small city keeps: what is tested does not depend on how many there are."""
UNIT = UnitRef(code="dept-water", name="市水务局")
OUTAGE = "家里突然没水了"
LIFT = "lift-01-01,电梯,电梯安全,电梯困人,Trapped in a lift,street,,,urgent,help,安全性,,,在几层,照片,无,"
LIFT_SAID = "困在电梯里了 | 电梯门打不开出不来 | 被关在电梯轿厢里 | 电梯停在半空里面有人"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Beijing with the first questions of three files."""
    folder = tmp_path_factory.mktemp("city")
    shutil.copytree(CITY, folder, dirs_exist_ok=True)
    for file in ("services.csv", "attributes.csv", "duties.csv", "named.csv", "routing.toml"):
        (folder / file).unlink(missing_ok=True)
    for number, path in enumerate(sorted((folder / "catalogue").glob("*.csv"))):
        if number < 3:
            lines = path.read_text(encoding="utf-8").splitlines()[: ROWS + 1]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        else:
            path.unlink()
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def settings(fresh_database: str, home: Path, city: Path) -> Settings:
    return replace(settings_for(home, fresh_database), city=city, models=home / "models")


class World:
    """The service under test and all around it."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, settings: Settings) -> None:
        self.stage, self.bus, self.clock, self.probe, self.settings = stage, bus, clock, probe, settings
        self.peer = Peer(bus, clock)
        self.http = client([stage], (settings.home / "key").read_text())

    @property
    def judging_by(self) -> tuple[str, str]:
        """The catalogue and the model that judge now."""
        engine = self.stage.context.engine
        return engine.rules.catalogue.version, engine.model.name

    async def get(self, path: str) -> Any:
        """Return what is there."""
        answer = await self.http.get(f"/classify/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None) -> Any:
        """Return the answer to a command that is followed."""
        answer = await self.http.post(f"/classify/v1/{path}", json=body or {})
        assert answer.is_success, answer.text
        return answer.json()

    async def bring(self, files: dict[str, str], query: str = "") -> httpx.Response:
        """Import a catalogue."""
        parts = [("files", (name, text.encode(), "text/csv")) for name, text in files.items()]
        return await self.http.post(f"/classify/v1/catalogues{query}", files=parts)

    async def done(self, run: Any) -> Any:
        """Wait until a run ended, and return it."""
        return await until(lambda: self.get(f"models/runs/{run['run_id']}"), lambda seen: seen["ended_at"])

    async def judging(self, catalogue: str, model: str | None = None) -> None:
        """Wait until this judges."""

        async def now() -> tuple[str, str]:
            self.stage.context.loops["versions"].wake()
            return self.judging_by

        await until(now, lambda by: by[0] == catalogue and model in {None, by[1]})


def received(text: str) -> TicketReceived:
    return TicketReceived(number="20260302-0000001", channel="web", text=text, received_at=NOON)


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    clock, bus = ManualClock(), MemoryBus()
    async with probing(bus, "jiesu.classify.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        world = World(stage, bus, clock, probe, settings)
        async with world.http:
            await until(lambda: world.get("activations"), lambda seen: seen["in_force"])
            yield world


def files_of(city: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((city / "catalogue").glob("*.csv"))}


def with_lifts(city: Path) -> dict[str, str]:
    """Return the city's catalogue with one question more, another owner, and one question less."""
    files = files_of(city)
    header, first, *rest = files["01-water.csv"].splitlines()
    files["01-water.csv"] = "\n".join([header, first.replace(",company,co-water,", ",street,,"), *rest[:-1]]) + "\n"
    return {**files, "26-lift.csv": f"{header}\n{LIFT}{LIFT_SAID}\n"}


async def trained(world: World, catalogue: str) -> str:
    """Train a model of a catalogue and return its name."""
    run = await world.done(await world.post("models/train", {"catalogue": catalogue}))
    assert run["state"] == "done", run
    return str(run["model"])


async def test_the_pack_s_own_catalogue_is_in_force_until_another_is(world: World) -> None:
    (own,) = await world.get("catalogues")
    (model,) = await world.get("models")
    assert (own["by"], own["questions"], own["in_force"], own["models"]) == (None, 3 * ROWS, True, [model["name"]])
    standing = await world.get("activations")
    assert (standing["in_force"]["catalogue"], standing["judging_by"]) == (own["version"], list(world.judging_by))


async def test_a_catalogue_is_checked_compared_and_kept_once(world: World, city: Path) -> None:
    tried = (await world.bring(with_lifts(city), "?dry_run=true")).json()
    counts = tried["difference"]["counts"]
    assert (tried["new"], tried["dry_run"], counts) == (True, True, {"owner": 1, "added": 1, "removed": 1})
    assert len(await world.get("catalogues")) == 1
    kept = (await world.bring(with_lifts(city), "?note=夏季")).json()
    again = (await world.bring(with_lifts(city))).json()
    assert (kept["new"], again["new"], again["catalogue"]["note"]) == (True, False, "夏季")
    compared = await world.get(f"catalogues/{kept['catalogue']['version']}/diff")
    assert compared == kept["difference"]
    owner = next(change for change in compared["changes"] if change["what"] == "owner")
    assert (owner["before"], owner["after"]) == ("company co-water", "street")


async def test_a_zip_archive_is_as_good_and_its_folders_mean_nothing(world: World, city: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, text in files_of(city).items():
            zipped.writestr(f"../../etc/{name}", text)
    answer = await world.http.post("/classify/v1/catalogues", files=[("files", ("c.zip", archive.getvalue()))])
    assert (answer.status_code, answer.json()["new"]) == (200, False)


async def test_what_is_wrong_is_named_by_file_line_and_column(world: World, city: Path) -> None:
    files = with_lifts(city)
    files["26-lift.csv"] = files["26-lift.csv"].replace(",street,", ",company,co-nobody").replace("urgent", "soon")
    answer = await world.bring(files)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [
        "26-lift.csv:2 owner", "26-lift.csv:2 urgency",
    ]  # fmt: skip
    assert (await world.bring({"../x.csv": "a"})).json()["errors"][0]["field"] == "files"
    assert len(await world.get("catalogues")) == 1


async def test_a_catalogue_judges_from_its_time_on_and_is_rolled_back(world: World, city: Path) -> None:
    own, base = world.judging_by
    version = (await world.bring(with_lifts(city))).json()["catalogue"]["version"]
    refused = await world.http.post(f"/classify/v1/catalogues/{version}/activate", json={})
    assert (refused.status_code, "train one first" in refused.json()["detail"]) == (409, True)
    model = await trained(world, version)
    at = (world.clock.now().replace(hour=20)).isoformat()
    first = await world.post(f"catalogues/{version}/activate", {"at": at, "reason": "新目录"})
    assert await world.post(f"catalogues/{version}/activate", {"at": at}) == first
    assert (await world.get("activations"))["in_force"]["catalogue"] == own
    ticket = world.clock.new_id()
    await world.peer.say(ticket, received(OUTAGE))
    world.clock.advance(hours=17)
    await world.judging(version, model)
    lift = world.clock.new_id()
    await world.peer.say(lift, received("有人困在电梯里了，门打不开"))
    (event,) = await world.probe.named("ticket.classified", subject=lift)
    assert (event.data.code, event.data.catalogue, event.data.model) == ("lift-01-01", version, model)
    await world.post("catalogues/roll-back", {"reason": "试错"})
    await world.judging(own, base)
    # What was told by a question that is no more stands until somebody says more of it.
    await world.peer.say(lift, TicketSupported(support=9, at=NOON))
    assert len([event for event in world.probe.seen if event.ticket == lift]) == 1
    await world.peer.say(lift, TicketSupplemented(text="快来人", at=NOON))
    (again,) = await world.probe.named("ticket.reclassified", subject=lift)
    assert (again.data.catalogue, again.data.previous) == (own, "lift-01-01")
    assert (await world.http.post("/classify/v1/catalogues/roll-back", json={})).status_code == 409


async def lifted(world: World, city: Path) -> tuple[str, str, str]:
    """Have the catalogue with lifts judge; return its version and the own one with its model."""
    own, base = world.judging_by
    version = (await world.bring(with_lifts(city))).json()["catalogue"]["version"]
    model = await trained(world, version)
    await world.post(f"catalogues/{version}/activate")
    await world.judging(version, model)
    return version, own, base


async def codes(world: World) -> dict[UUID, str]:
    """Return what tickets are judged to be, once what waits was judged anew."""
    world.stage.context.loops["held"].wake()
    rows = await world.stage.context.database.pool.fetch("SELECT ticket_id, code FROM verdicts")
    return {row["ticket_id"]: row["code"] for row in rows}


async def test_what_waits_is_judged_anew_after_a_change_though_nobody_speaks_of_it(world: World, city: Path) -> None:
    _, own, base = await lifted(world, city)
    here, ticket = world.stage.context, world.clock.new_id()
    here.engine = replace(here.engine, rules=replace(here.engine.rules, low_confidence=1.1))
    await world.peer.say(ticket, received("想咨询一下电梯轿厢里面的规定"))
    assert (await codes(world), world.probe.seen) == ({ticket: "lift-01-01"}, [])
    await world.post("catalogues/roll-back")
    await world.judging(own, base)
    found = await until(lambda: codes(world), lambda seen: seen[ticket] != "lift-01-01")
    assert found[ticket] in here.engine.rules.catalogue.by_code
    world.clock.advance(hours=2)
    (event,) = await world.probe.named("ticket.classified", subject=ticket)
    assert (event.data.code, event.data.catalogue) == (found[ticket], own)


async def test_an_alarm_reaches_a_ticket_whose_question_is_no_more(world: World, city: Path) -> None:
    _, own, base = await lifted(world, city)
    ticket, child = world.clock.new_id(), world.clock.new_id()
    await world.peer.say(ticket, received("关于电梯轿厢，想咨询电梯停在半空里面有人时的规定"))
    await world.probe.named("ticket.classified", subject=ticket)
    await world.post("catalogues/roll-back")
    await world.judging(own, base)
    linked = TicketLinked(**dict(received("现在燃气泄漏了")), parent=ticket, reason="同一事")
    await world.peer.say(child, linked)
    await until(lambda: codes(world), lambda seen: seen[ticket] != "lift-01-01")
    (event,) = await world.probe.named("ticket.reclassified", subject=ticket)
    assert (event.data.urgency, event.data.catalogue) == ("urgent", own)


async def test_what_another_release_made_of_a_catalogue_is_neither_gone_back_to_nor_measured(
    world: World, city: Path
) -> None:
    own, base = world.judging_by
    model = await trained(world, own)
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
    assert await _status(world, "post", f"catalogues/{own}/activate", {"model": "1" * 12}) == 404


async def test_an_activation_to_come_can_be_cancelled_and_one_in_force_cannot(world: World) -> None:
    own, base = world.judging_by
    model = await trained(world, own)
    at = world.clock.now().replace(hour=20).isoformat()
    coming = await world.post(f"models/{model}/promote", {"at": at})
    cancelled = await world.http.delete(f"/classify/v1/activations/{coming['activation_id']}")
    assert cancelled.json()["cancelled_at"]
    world.clock.advance(hours=17)
    now = (await world.get("activations"))["in_force"]
    assert (now["model"], await _status(world, "delete", f"activations/{now['activation_id']}")) == (base, 409)
    assert await _status(world, "delete", f"activations/{UUID(int=7)}") == 404
    assert await _status(world, "post", f"models/{model}/promote", {"at": "2026-01-01T00:00:00Z"}) == 422


async def _status(world: World, method: str, path: str, body: Any = None) -> int:
    answer = await world.http.request(method, f"/classify/v1/{path}", json=body)
    return answer.status_code


async def test_a_process_starts_with_what_a_person_set_in_force(world: World, city: Path) -> None:
    version = (await world.bring(with_lifts(city))).json()["catalogue"]["version"]
    model = await trained(world, version)
    await world.post(f"catalogues/{version}/activate")
    await world.judging(version, model)
    async with running(SERVICE, world.settings, MemoryBus(), world.clock) as other:
        engine = other.context.engine
        assert (engine.rules.catalogue.version, engine.model.name) == (version, model)


async def test_what_people_said_is_learnt_and_measured(world: World) -> None:
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
    model = await world.get(f"models/{await trained(world, own)}")
    assert (model["labels"], list(model["examples"].values())) == (59, [59])
    assert model["metrics"]["confirmed"]["texts"] == 12
    assert model["metrics"]["confirmed"]["level3"] == 1.0
    assert model["metrics"]["phrases"]["texts"] == 3 * ROWS
    assert await trained(world, own) == model["name"]
    assert (await world.get("models"))[0]["data"] == model["data"]


async def test_a_challenger_is_counted_beside_the_champion_and_promoted(world: World) -> None:
    own, champion = world.judging_by
    model = await trained(world, own)
    assert await _status(world, "post", f"models/{champion}/challenge") == 409
    assert await _status(world, "post", f"models/{'0' * 12}/challenge") == 404
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
    assert await _status(world, "delete", "models/challenger") == 204


async def test_a_model_is_evaluated_on_what_was_confirmed_since(world: World) -> None:
    _, base = world.judging_by
    world.clock.advance(minutes=1)
    ticket = world.clock.new_id()
    await world.peer.say(ticket, received(OUTAGE))
    await world.http.post(f"/classify/v1/tickets/{ticket}/classification", json={"code": "water-01-01"})
    run = await world.post(f"models/{base}/evaluate")
    assert (await world.done(run))["state"] == "done"
    later = (await world.get(f"models/{base}"))["metrics"]["later"]
    assert (later["texts"], later["level3"]) == (1, 1.0)


async def test_a_run_that_a_process_left_behind_is_done_by_the_next(world: World) -> None:
    own, _ = world.judging_by
    left = Run(UUID(int=5), "train", own, None, "op", "running", NOON, NOON)
    await store.save_run(world.stage.context.database.pool, left)
    world.stage.context.loops["training"].wake()
    assert (await world.done({"run_id": left.run_id}))["state"] == "done"


async def test_a_training_that_fails_is_told_and_the_next_is_not_kept_from_its_work(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(models, "_PROGRAM", ("-c", "raise SystemExit(3)"))
        run = await world.done(await world.post("models/train"))
    assert (run["state"], "ended with 3" in run["error"]) == ("failed", True)
    assert await world.stage.not_ready() == []
    assert await trained(world, world.judging_by[0])


async def test_a_batch_is_judged_by_one_engine_whole_though_it_is_swapped_in_between(world: World, city: Path) -> None:
    here, ticket = world.stage.context, world.clock.new_id()
    own = here.engine.rules.catalogue.version
    message = world.peer.message(ticket, received(OUTAGE))
    event = decode(message.headers, message.body)
    (ready,) = await handlers.prepare([event], here)
    files = {name: text.encode() for name, text in with_lifts(city).items() if name == "26-lift.csv"}
    lifts = read_catalogue(files, {}, Problems())
    here.engine = replace(here.engine, rules=replace(here.engine.rules, catalogue=lifts))
    async with here.database.begin() as tx:
        await tx.lock([str(ticket)])
        await handlers.on_event([replace(event, ready=ready)], tx, here)
    (told,) = await world.probe.named("ticket.classified", subject=ticket)
    assert (told.data.code, told.data.catalogue) == ("water-01-01", own)


async def test_drift_is_told_against_the_first_days_of_the_model(world: World) -> None:
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


async def test_what_was_judged_is_counted_by_day(world: World) -> None:
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


async def test_only_who_may_changes_what_judges(world: World) -> None:
    analyst = KeyRing(world.settings.keys_file).issue("analyst", ["analyst"])
    async with client([world.stage], analyst) as http:
        assert (await http.get("/classify/v1/models")).status_code == 200
        assert (await http.post("/classify/v1/models/train", json={})).status_code == 403
