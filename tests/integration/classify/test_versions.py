"""Versions of the catalogue: taken in, in force from a time on, and back again."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from libs.common.city.catalogue import read_catalogue
from libs.common.city.problems import Problems
from libs.common.contracts.envelope import decode
from libs.common.contracts.intake import TicketLinked, TicketSupplemented, TicketSupported
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.security import KeyRing, Role
from services.classify import handlers
from services.classify.service import SERVICE
from tests.support.stages import NOON, client, running
from tests.support.versioned import OUTAGE, ROWS, Versioned, received
from tests.support.waiting import until

LIFT = "lift-01-01,电梯,电梯安全,电梯困人,Trapped in a lift,street,,,urgent,help,安全性,,,在几层,照片,无,"
LIFT_SAID = "困在电梯里了 | 电梯门打不开出不来 | 被关在电梯轿厢里 | 电梯停在半空里面有人"


def files_of(small_city: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((small_city / "catalogue").glob("*.csv"))}


def with_lifts(small_city: Path) -> dict[str, str]:
    """Return the city's catalogue with one question more, another owner, and one question less."""
    files = files_of(small_city)
    header, first, *rest = files["01-water.csv"].splitlines()
    files["01-water.csv"] = "\n".join([header, first.replace(",company,co-water,", ",street,,"), *rest[:-1]]) + "\n"
    return {**files, "26-lift.csv": f"{header}\n{LIFT}{LIFT_SAID}\n"}


async def test_the_pack_s_own_catalogue_is_in_force_until_another_is(world: Versioned) -> None:
    (own,) = await world.get("catalogues")
    (model,) = await world.get("models")
    assert (own["by"], own["questions"], own["in_force"], own["models"]) == (None, 3 * ROWS, True, [model["name"]])
    standing = await world.get("activations")
    assert (standing["in_force"]["catalogue"], standing["judging_by"]) == (own["version"], list(world.judging_by))


async def test_a_catalogue_is_checked_compared_and_kept_once(world: Versioned, small_city: Path) -> None:
    tried = (await world.bring(with_lifts(small_city), "?dry_run=true")).json()
    counts = tried["difference"]["counts"]
    assert (tried["new"], tried["dry_run"], counts) == (True, True, {"owner": 1, "added": 1, "removed": 1})
    assert len(await world.get("catalogues")) == 1
    kept = (await world.bring(with_lifts(small_city), "?note=夏季")).json()
    again = (await world.bring(with_lifts(small_city))).json()
    assert (kept["new"], again["new"], again["catalogue"]["note"]) == (True, False, "夏季")
    compared = await world.get(f"catalogues/{kept['catalogue']['version']}/diff")
    assert compared == kept["difference"]
    owner = next(change for change in compared["changes"] if change["what"] == "owner")
    assert (owner["before"], owner["after"]) == ("company co-water", "street")


async def test_a_zip_archive_is_as_good_and_its_folders_mean_nothing(world: Versioned, small_city: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, text in files_of(small_city).items():
            zipped.writestr(f"../../etc/{name}", text)
    answer = await world.http.post("/classify/v1/catalogues", files=[("files", ("c.zip", archive.getvalue()))])
    assert (answer.status_code, answer.json()["new"]) == (200, False)


async def test_what_is_wrong_is_named_by_file_line_and_column(world: Versioned, small_city: Path) -> None:
    files = with_lifts(small_city)
    files["26-lift.csv"] = files["26-lift.csv"].replace(",street,", ",company,co-nobody").replace("urgent", "soon")
    answer = await world.bring(files)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [
        "26-lift.csv:2 owner", "26-lift.csv:2 urgency",
    ]  # fmt: skip
    assert (await world.bring({"../x.csv": "a"})).json()["errors"][0]["field"] == "files"
    assert len(await world.get("catalogues")) == 1


async def test_a_catalogue_judges_from_its_time_on_and_is_rolled_back(world: Versioned, small_city: Path) -> None:
    own, base = world.judging_by
    version = (await world.bring(with_lifts(small_city))).json()["catalogue"]["version"]
    refused = await world.http.post(f"/classify/v1/catalogues/{version}/activate", json={})
    assert (refused.status_code, "train one first" in refused.json()["detail"]) == (409, True)
    model = await world.trained(version)
    at = (world.clock.now().replace(hour=20)).isoformat()
    listed = {one["version"]: one["models"] for one in await world.get("catalogues")}
    assert listed == {own: [base], version: [model]}
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


async def lifted(world: Versioned, small_city: Path) -> tuple[str, str, str]:
    """Have the catalogue with lifts judge; return its version and the own one with its model."""
    own, base = world.judging_by
    version = (await world.bring(with_lifts(small_city))).json()["catalogue"]["version"]
    model = await world.trained(version)
    await world.post(f"catalogues/{version}/activate")
    await world.judging(version, model)
    return version, own, base


async def codes(world: Versioned) -> dict[UUID, str]:
    """Return what tickets are judged to be, once what waits was judged anew."""
    world.stage.context.loops["held"].wake()
    rows = await world.stage.context.database.pool.fetch("SELECT ticket_id, code FROM verdicts")
    return {row["ticket_id"]: row["code"] for row in rows}


async def test_what_waits_is_judged_anew_after_a_change_though_nobody_speaks_of_it(
    world: Versioned, small_city: Path
) -> None:
    _, own, base = await lifted(world, small_city)
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


async def test_an_alarm_reaches_a_ticket_whose_question_is_no_more(world: Versioned, small_city: Path) -> None:
    _, own, base = await lifted(world, small_city)
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


async def test_an_activation_to_come_can_be_cancelled_and_one_in_force_cannot(world: Versioned) -> None:
    own, base = world.judging_by
    model = await world.trained(own)
    at = world.clock.now().replace(hour=20).isoformat()
    coming = await world.post(f"models/{model}/promote", {"at": at})
    cancelled = await world.http.delete(f"/classify/v1/activations/{coming['activation_id']}")
    assert cancelled.json()["cancelled_at"]
    world.clock.advance(hours=17)
    now = (await world.get("activations"))["in_force"]
    assert (now["model"], await world.status("delete", f"activations/{now['activation_id']}")) == (base, 409)
    assert await world.status("delete", f"activations/{UUID(int=7)}") == 404
    assert await world.status("post", f"models/{model}/promote", {"at": "2026-01-01T00:00:00Z"}) == 422


async def test_a_process_starts_with_what_a_person_set_in_force(world: Versioned, small_city: Path) -> None:
    version = (await world.bring(with_lifts(small_city))).json()["catalogue"]["version"]
    model = await world.trained(version)
    await world.post(f"catalogues/{version}/activate")
    await world.judging(version, model)
    async with running(SERVICE, world.settings, MemoryBus(), world.clock) as other:
        engine = other.context.engine
        assert (engine.rules.catalogue.version, engine.model.name) == (version, model)


async def test_a_batch_is_judged_by_one_engine_whole_though_it_is_swapped_in_between(
    world: Versioned, small_city: Path
) -> None:
    here, ticket = world.stage.context, world.clock.new_id()
    own = here.engine.rules.catalogue.version
    message = world.peer.message(ticket, received(OUTAGE))
    event = decode(message.headers, message.body)
    (ready,) = await handlers.prepare([event], here)
    files = {name: text.encode() for name, text in with_lifts(small_city).items() if name == "26-lift.csv"}
    lifts = read_catalogue(files, {}, Problems())
    here.engine = replace(here.engine, rules=replace(here.engine.rules, catalogue=lifts))
    async with here.database.begin() as tx:
        await tx.lock([str(ticket)])
        await handlers.on_event([replace(event, ready=ready)], tx, here)
    (told,) = await world.probe.named("ticket.classified", subject=ticket)
    assert (told.data.code, told.data.catalogue) == ("water-01-01", own)


@pytest.mark.parametrize(("role", "units"), [("analyst", ()), ("supervisor", ("d-110105",))])
async def test_only_who_may_for_the_whole_city_changes_what_judges(
    world: Versioned, role: Role, units: tuple[str, ...]
) -> None:
    key = KeyRing(world.settings.keys_file).issue(role, [role], units)
    async with client([world.stage], key) as http:
        assert (await http.get("/classify/v1/models")).status_code == 200
        for path in ("models/train", "models/roll-back", "catalogues/roll-back", f"catalogues/{'0' * 12}/activate"):
            assert (await http.post(f"/classify/v1/{path}", json={})).status_code == 403, path
        assert (await http.delete(f"/classify/v1/activations/{UUID(int=7)}")).status_code == 403
