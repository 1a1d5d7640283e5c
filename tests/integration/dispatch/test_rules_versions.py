"""Versions of the rules of routing: taken in, explained, in force from one moment on, and back again."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from libs.common.contracts.intake import TicketErased
from services.dispatch import handlers
from services.dispatch.handlers import rules
from services.dispatch.store import deciding
from tests.support.routing import BALIZHUANG, CHANGED, OWN, Dispatching, dispatching
from tests.support.stages import CITY, NOON, ManualClock
from tests.support.waiting import until


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[Dispatching]:
    async with dispatching(fresh_database, tmp_path) as world:
        await until(lambda: world.get("rules"), len)
        yield world


async def test_the_packs_rules_are_the_first_version_and_in_force(world: Dispatching) -> None:
    (own,) = await world.get("rules")
    assert (own["by"], own["in_force"], own["rules"]) == (None, True, 14)
    standing = await world.get("rules/activations")
    assert standing["in_force"]["version"] == standing["routing_by"] == own["version"]
    assert (await world.get(f"rules/{own['version']}"))["text"] == (CITY / "routing.toml").read_text(encoding="utf-8")


async def test_rules_that_come_in_say_what_they_change_and_decide_nothing_yet(world: Dispatching) -> None:
    looked = (await world.bring(CHANGED, "?dry_run=true")).json()
    assert (looked["new"], len(await world.get("rules"))) == (True, 1)
    taken = (await world.bring(CHANGED, "?note=winter")).json()
    assert taken["difference"]["changes"] == [{"rule": "heating", "what": "added", "before": "", "after": "named"}]
    assert (taken["rules"]["note"], taken["rules"]["in_force"]) == ("winter", False)
    assert (await world.bring(CHANGED)).json()["new"] is False
    ticket = await world.judged()
    assert (await world.get(f"orders/{ticket}"))["rule"] == "duty"


async def test_a_difference_names_what_was_moved_changed_and_removed(world: Dispatching) -> None:
    other = await world.brought(
        CHANGED.replace('lead = "dept-bda"', 'lead = "district"').replace('id = "desk"', 'id = "table"')
    )
    changed = await world.brought(CHANGED)
    found = await world.get(f"rules/{changed}/diff", against=other)
    told = {(c["rule"], c["what"]): (c["before"], c["after"]) for c in found["changes"]}
    assert told == {
        ("bda", "lead"): ("district", "dept-bda"),
        ("desk", "added"): ("", "no_place"),
        ("table", "removed"): ("no_place", ""),
    }
    assert found["counts"] == {"lead": 1, "added": 1, "removed": 1}


async def test_mistakes_are_refused_by_line_and_key(world: Dispatching) -> None:
    refused = await world.bring(OWN.replace('lead = "dept-bda"', 'lead = "dept-magic"'))
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["field"].startswith("routing.toml:")
    assert error["field"].endswith(" lead")
    assert (await world.bring("x" * (1024 * 1024 + 1))).status_code == 422


async def test_rules_decide_from_their_moment_on_and_each_decision_says_by_which(world: Dispatching) -> None:
    version = await world.brought(CHANGED)
    at = NOON + timedelta(hours=1)
    activation = await world.post(f"rules/{version}/activate", {"at": at.isoformat(), "reason": "供暖季"})
    assert activation["reason"] == "供暖季"
    await world.deciding(version)
    before = await world.judged()
    world.clock.at = at
    after = await world.judged()
    orders = [await world.get(f"orders/{ticket}") for ticket in (before, after)]
    assert [(order["rule"], order["unit"]["code"]) for order in orders] == [
        ("duty", "co-heating"), ("heating", "s-110105026"),
    ]  # fmt: skip
    (decision,) = await world.get(f"orders/{after}/decisions")
    assert (decision["rules"], decision["rule"], decision["catalogue"], decision["model"]) == (
        version,
        "heating",
        "c",
        "m",
    )
    assert decision["why"][0] == "供热由望京街道先行上门"
    (told,) = await world.probe.named("ticket.dispatched", subject=after)
    assert told.data.rules == version


async def test_what_shall_decide_at_once_does_so_when_every_process_knows_it_and_can_be_rolled_back(
    world: Dispatching,
) -> None:
    version = await world.brought(CHANGED)
    own = world.here.engine.router.city.rules.version
    activation = await world.post(f"rules/{version}/activate")
    assert activation["from_at"] == "2026-03-02T04:00:06Z"
    await world.deciding(version)
    assert (await world.get("rules/activations"))["routing_by"] == own
    world.clock.advance(seconds=6)
    assert (await world.get("rules/activations"))["routing_by"] == version
    back = await world.post("rules/roll-back", {"reason": "投诉增多"})
    assert (back["version"], back["back_to"] is not None) == (own, True)
    world.clock.advance(seconds=6)
    await world.deciding(own)
    assert (await world.get("rules/activations"))["in_force"]["version"] == own
    again = await world.http.post("/dispatch/v1/rules/roll-back", json={})
    assert again.status_code == 409


async def test_an_activation_still_to_come_can_be_taken_back_and_one_in_force_cannot(world: Dispatching) -> None:
    version = await world.brought(CHANGED)
    coming = await world.post(f"rules/{version}/activate", {"at": "2026-04-01T00:00:00+08:00"})
    path = f"/dispatch/v1/rules/activations/{coming['activation_id']}"
    assert (await world.http.delete(path)).json()["cancelled_at"]
    force = (await world.get("rules/activations"))["in_force"]["activation_id"]
    assert (await world.http.delete(f"/dispatch/v1/rules/activations/{force}")).status_code == 409
    assert (await world.http.delete(f"/dispatch/v1/rules/activations/{world.clock.new_id()}")).status_code == 404
    past = await world.http.post(f"/dispatch/v1/rules/{version}/activate", json={"at": "2026-01-01T00:00:00+08:00"})
    assert past.status_code == 422
    for path in ("rules/000000000000", "rules/000000000000/diff"):
        assert (await world.http.get(f"/dispatch/v1/{path}")).status_code == 404


async def test_a_process_starts_with_what_a_person_put_in_force(fresh_database: str, tmp_path: Path) -> None:
    clock = ManualClock()
    async with dispatching(fresh_database, tmp_path, clock) as world:
        version = await world.brought(CHANGED)
        await world.in_force(version)
    async with dispatching(fresh_database, tmp_path, clock) as world:
        ticket = await world.judged()
        assert (await world.get(f"orders/{ticket}"))["rule"] == "heating"


async def test_all_processes_change_at_one_moment(fresh_database: str, tmp_path: Path) -> None:
    clock = ManualClock()
    async with dispatching(fresh_database, tmp_path, clock) as one, dispatching(fresh_database, tmp_path, clock) as two:
        version = await one.brought(CHANGED)
        await one.post(f"rules/{version}/activate")
        for process in (one, two):
            await process.deciding(version)
        decided = []
        for moment in (NOON + timedelta(seconds=5), NOON + timedelta(seconds=6)):
            clock.at = moment
            decided.append([process.here.engine.router.schedule.at(clock.now()).version for process in (one, two)])
        own = one.here.engine.router.city.rules.version
        assert decided == [[own, own], [version, version]]


async def test_a_dry_run_explains_every_rule_in_the_readers_language_by_any_version_at_any_moment(
    world: Dispatching,
) -> None:
    version = await world.brought(CHANGED.replace('id = "heating"', 'id = "heating"\nhours = "18:00-08:00"'))
    asked = {"code": "heating-01-01", "address": "朝阳区望京街道", "channel": "phone"}
    now = await world.post("routes", asked)
    assert (now["rule"], [tried["rule"] for tried in now["tried"]]) == ("duty", ["outside", "venue", "named", "duty"])
    assert (now["opinions"], now["agrees"]) == ([], None)
    night = await world.post("routes", {**asked, "rules": version, "at": "2026-03-02T20:00:00+08:00"})
    assert (night["rule"], night["rules"], night["unit"]["code"]) == ("heating", version, "s-110105026")
    day = await world.http.post(
        "/dispatch/v1/routes", json={**asked, "rules": version}, headers={"Accept-Language": "en"}
    )
    (tried,) = [tried for tried in day.json()["tried"] if tried["rule"] == "heating"]
    assert tried["why_not"] == ["the time is 2026-03-02 12:00+08:00; the rule is for 18:00-08:00"]
    unknown = await world.http.post("/dispatch/v1/routes", json={**asked, "rules": "0" * 12})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "rules")


async def test_a_change_of_category_and_place_at_once_moves_the_order_once(world: Dispatching) -> None:
    ticket = await world.judged(owner_kind="street", owner=None, code="property-01-01")
    await world.judged_again(ticket, owner_kind="district", owner=None, code="planning-01-01", place=BALIZHUANG)
    other = await world.judged()
    await world.probe.named("ticket.dispatched", subject=other)
    names = [event.data.name for event in world.probe.seen if event.subject == str(ticket)]
    assert names == ["ticket.dispatched", "ticket.reassigned"]
    decisions = await world.get(f"orders/{ticket}/decisions")
    assert [(d["unit"], d["previous"]) for d in decisions] == [("s-110105026", None), ("d-110105", "s-110105026")]


async def test_an_order_that_was_handed_out_does_not_move_because_the_rules_changed(world: Dispatching) -> None:
    ticket = await world.judged()
    await world.in_force(await world.brought(CHANGED))
    await world.peer.say(ticket, TicketErased(words=False, at=NOON))
    other = await world.judged()
    await world.probe.named("ticket.dispatched", subject=other)
    assert (await world.get(f"orders/{ticket}"))["unit"]["code"] == "co-heating"
    await world.judged_again(ticket, urgency="urgent")
    assert (await world.get(f"orders/{ticket}"))["unit"]["code"] == "s-110105026"


async def test_a_persons_decision_is_kept_beside_and_its_words_go_with_the_tickets(world: Dispatching) -> None:
    ticket = await world.judged()
    await world.post(f"orders/{ticket}/reassign", {"unit": "dept-water", "note": "水务牵头"})
    decisions = await world.get(f"orders/{ticket}/decisions")
    assert [(d["rule"], bool(d["rules"])) for d in decisions] == [("duty", True), ("reassigned", False)]
    assert "水务牵头" in decisions[1]["why"][0]
    (kept,) = [d for d in await deciding.decisions_of(world.here.database.pool, ticket) if d.rules]
    assert kept.matter.place
    assert kept.matter.place.matched == ()
    await world.peer.say(ticket, TicketErased(words=True, at=NOON))
    assert [d["why"] for d in await world.get(f"orders/{ticket}/decisions")] == [[], []]


async def test_decisions_go_when_their_time_is_over(world: Dispatching) -> None:
    ticket = await world.judged()
    world.clock.advance(days=364)
    await handlers.purge_decisions(world.here)
    assert len(await world.get(f"orders/{ticket}/decisions")) == 1
    world.clock.advance(days=2)
    await handlers.purge_decisions(world.here)
    assert await deciding.decisions_of(world.here.database.pool, ticket) == []


async def test_only_supervisors_and_operators_change_rules_and_a_unit_reads_none(world: Dispatching) -> None:
    unit, analyst = world.key("unit", units=("co-heating",)), world.key("analyst")
    assert (await world.http.get("/dispatch/v1/rules", headers=unit)).status_code == 403
    assert (await world.http.get("/dispatch/v1/rules", headers=analyst)).status_code == 200
    refused = await world.http.post("/dispatch/v1/rules/roll-back", json={}, headers=analyst)
    assert refused.status_code == 403


async def test_the_decisions_on_another_units_order_are_not_shown(world: Dispatching) -> None:
    ticket: UUID = await world.judged()
    other = world.key("unit", units=("dept-water",))
    assert (await world.http.get(f"/dispatch/v1/orders/{ticket}/decisions", headers=other)).status_code == 403


async def test_the_packs_own_rules_decide_where_this_release_cannot_read_what_is_in_force_or_will_be(
    fresh_database: str, tmp_path: Path
) -> None:
    clock = ManualClock()
    async with dispatching(fresh_database, tmp_path, clock) as world:
        version, later = [await world.brought(text) for text in (CHANGED, CHANGED + "\n")]
        await world.in_force(version)
        await world.post(f"rules/{later}/activate", {"at": (NOON + timedelta(hours=1)).isoformat()})
        newer = "UPDATE rule_sets SET text = 'magic = true' WHERE by IS NOT NULL"
        await world.here.database.pool.execute(newer)
    async with dispatching(fresh_database, tmp_path, clock) as world:
        own = world.here.engine.router.city.rules.version
        for _ in range(2):
            standing = await world.get("rules/activations")
            ticket = await world.judged()
            assert (standing["routing_by"], (await world.get(f"orders/{ticket}"))["rule"]) == (own, "duty")
            clock.advance(hours=1)
        assert standing["in_force"]["version"] == later
        await rules.keep_current(world.here)
        assert await world.stage.not_ready() == []
