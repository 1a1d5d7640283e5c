"""False closings on a real database: signs found in the record, each with its evidence; ruled by a person, counted."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.common.contracts.classify import TicketClassified
from libs.common.contracts.dispatch import TicketResolved
from libs.common.contracts.intake import TicketErased, TicketLinked, TicketReceived, TicketScreened
from libs.common.contracts.vocabulary import Place, UnitRef
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from services.feedback.handlers import look_for_signs
from services.feedback.service import SERVICE
from tests.support.desk import JUDGED, RECEIPT
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

WATER, ROAD = UnitRef(code="co-water", name="自来水集团"), UnitRef(code="dept-traffic", name="市交通委")
NO, YES, PARTLY = ({"resolved": said, "satisfied": n} for said, n in (("no", 1), ("yes", 5), ("partly", 3)))
STREETS = ("s-110105026", "s-110105001")
HONEST: dict[str, Any] = {"contacted": True, "contacted_at": NOON, "evidence": 1}
MARCH = {"period": "2026-03"}
LOOKED = "SELECT min(until) FROM looks WHERE of IN ('rounds', 'spots') HAVING count(*) = 2"


class Record:
    """The service under test, units that say that they are done, and citizens who say how it is."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, key: str) -> None:
        self.stage, self.clock, self.probe = stage, clock, probe
        self.peer = Peer(bus, clock)
        self.http = client([stage], key)

    def key(self, role: Role, *units: str) -> httpx.AsyncClient:
        """Return a client with a key of its own."""
        keys = KeyRing(self.stage.context.settings.keys_file)
        return client([self.stage], keys.issue("-".join((role, *units)), [role], units))

    async def appeal(self, street: str = STREETS[0], code: str = "water-01-01") -> UUID:
        """Have an appeal that was understood."""
        ticket = self.clock.new_id()
        receipt = RECEIPT.model_copy(update={"received_at": self.clock.at, "channel": "web"})
        place = Place(district="110105", district_name="朝阳区", street=street, confidence=0.9)
        judged = TicketClassified.model_validate(JUDGED | {"receipt": receipt, "place": place, "code": code})
        await self.peer.say(ticket, TicketReceived(**dict(receipt)), judged)
        return ticket

    async def done(
        self, unit: UnitRef = WATER, hours: float = 5, said: dict[str, Any] | None = None, **work: Any
    ) -> UUID:
        """Have an appeal that a unit says is done, after so many hours, and what its citizen says of it."""
        ticket = await self.appeal()
        await self.resolved(ticket, unit, hours, **HONEST | work)
        if said:
            answer = await self.http.post(f"/feedback/v1/tickets/{ticket}/review", json=said)
            assert answer.status_code == 200, answer.text
        return ticket

    async def resolved(self, ticket: UUID, unit: UnitRef, hours: float = 5, **work: Any) -> None:
        """Have a unit say that it is done."""
        now = self.clock.at
        said = TicketResolved(
            unit=unit, reply="已处理", round=1, at=now, dispatched_at=now - timedelta(hours=hours), **work
        )
        await self.peer.say(ticket, said)

    async def looked(self) -> None:
        """Let the job look for signs, as it does when its time has come."""
        self.clock.advance(days=1)
        # Not while the service's own job does: it takes its first step when it likes.
        while await self.stage.context.database.pool.fetchval(LOOKED) != self.clock.at:
            await look_for_signs(self.stage.context)

    async def doubts(self, **asked: Any) -> list[dict[str, Any]]:
        """Return what is doubted, however little."""
        answer = await self.http.get("/feedback/v1/doubts", params=MARCH | {"least": 0} | asked)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def kinds(self, ticket: UUID) -> list[str]:
        """Return the signs there are of a ticket."""
        return [kind for one in await self.doubts() if one["ticket_id"] == str(ticket) for kind in one["kinds"]]

    async def signs(self, ticket: UUID) -> dict[str, Any]:
        """Return the evidence of each sign of a ticket."""
        shown = (await self.http.get(f"/feedback/v1/doubts/{ticket}/1")).json()
        return {sign["kind"]: sign["evidence"] for sign in shown["signs"]}

    async def rules(self, ticket: UUID, who: httpx.AsyncClient | None = None, **said: Any) -> httpx.Response:
        """Rule on a doubt."""
        body = {"upheld": True, "note": "现场核实仍未修复，联系人电话13800138000"} | said
        return await (who or self.http).post(f"/feedback/v1/doubts/{ticket}/1/ruling", json=body)


@pytest.fixture
async def record(fresh_database: str, tmp_path: Path) -> AsyncIterator[Record]:
    clock, bus = ManualClock(), MemoryBus()
    settings = settings_for(tmp_path, fresh_database)
    async with probing(bus, "jiesu.feedback.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        record = Record(stage, bus, clock, probe, (tmp_path / "key").read_text())
        async with record.http:
            yield record


async def test_a_no_an_empty_reply_and_a_denied_contact_are_signs_with_their_evidence(record: Record) -> None:
    denied = {"resolved": "no", "satisfied": 1, "reasons": ["not_contacted"]}
    false = await record.done(said=denied, reply_faults=("boilerplate", "no_date"))
    silent = await record.done(contacted=False, contacted_at=None, evidence=0)
    honest = await record.done(said=YES)
    await record.looked()
    assert await record.kinds(false) == ["boilerplate", "denied_contact", "unsolved"]
    assert await record.kinds(silent) == ["no_contact", "no_evidence"]
    assert await record.kinds(honest) == []
    signs = await record.signs(false)
    assert signs["boilerplate"] == {"faults": ["boilerplate", "no_date"]}
    assert (signs["unsolved"]["by"], signs["unsolved"]["repeat"]) == ("seat", False)
    assert signs["denied_contact"]["reasons"] == ["not_contacted"]
    weights = record.stage.context.engine.suspicion.rules.weights
    (doubt,) = await record.doubts(least=0.6)
    left = (1 - weights["boilerplate"]) * (1 - weights["denied_contact"]) * (1 - weights["unsolved"])
    assert doubt["weight"] == pytest.approx(1 - left, abs=1e-4)


async def test_a_citizen_s_yes_answers_every_doubt_but_another_reporter_s_no(record: Record) -> None:
    fine = await record.done(said=YES, contacted=False, contacted_at=None, evidence=0)
    divided = await record.appeal()
    child = record.clock.new_id()
    repeat = TicketLinked(**dict(RECEIPT) | {"received_at": record.clock.at}, parent=divided, reason="重复")
    await record.peer.say(child, repeat)
    await record.resolved(divided, WATER, **HONEST)
    await record.probe.named("review.requested", subject=child)
    for ticket, said in ((divided, YES), (child, NO)):
        await record.http.post(f"/feedback/v1/tickets/{ticket}/review", json=said)
    await record.looked()
    assert await record.kinds(fine) == []
    assert await record.kinds(divided) == ["unsolved"]
    assert (await record.signs(divided))["unsolved"]["repeat"] is True


async def test_too_quick_is_measured_by_what_such_matters_take_that_citizens_say_are_solved(record: Record) -> None:
    for n in range(40):
        await record.done(hours=4 + n / 10, said=YES)
    await record.looked()
    quick, usual = await record.done(hours=0.1, said=PARTLY), await record.done(hours=6, said=PARTLY)
    other = await record.appeal(code="facil-02-01")
    await record.resolved(other, ROAD, 0.1, **HONEST)
    await record.looked()
    assert [await record.kinds(ticket) for ticket in (quick, usual, other)] == [["too_quick"], [], []]
    evidence = (await record.signs(quick))["too_quick"]
    assert (evidence["seconds"], evidence["rounds"]) == (360, 40)
    assert 4 * 3600 <= evidence["quick_seconds"] < evidence["usual_seconds"]


async def test_the_same_matter_in_the_same_street_again_is_a_sign_where_chance_does_not_explain_it(
    record: Record,
) -> None:
    broken, elsewhere = await record.appeal(STREETS[0]), await record.appeal(STREETS[1])
    for ticket in (broken, elsewhere):
        await record.resolved(ticket, WATER, **HONEST)
    for n in range(60):
        await record.appeal(STREETS[n % 2], "facil-02-01")
    record.clock.advance(hours=1)
    for _ in range(8):
        await record.appeal(STREETS[0])
    record.clock.advance(days=9)
    await record.looked()
    assert [await record.kinds(ticket) for ticket in (broken, elsewhere)] == [["again"], []]
    evidence = (await record.signs(broken))["again"]
    assert evidence["came"] == 8
    assert evidence["expected"] < 3
    assert evidence["chance"] <= 0.001


async def test_who_reports_the_same_event_after_it_was_said_to_be_done_is_a_sign(record: Record) -> None:
    ticket = await record.done()
    before, after = record.clock.at - timedelta(minutes=5), record.clock.at + timedelta(days=2)
    for at in (before, after, after):
        child = TicketLinked(**dict(RECEIPT) | {"received_at": at}, parent=ticket, reason="重复")
        await record.peer.say(record.clock.new_id(), child)
    record.clock.advance(days=2)
    await record.looked()
    assert await record.kinds(ticket) == ["linked_again"]
    assert (await record.signs(ticket))["linked_again"]["tickets"] == 2


async def test_what_is_heard_late_is_found_and_nothing_is_found_twice(record: Record) -> None:
    await record.looked()
    late = await record.appeal()
    record.clock.advance(hours=-20)
    await record.resolved(late, WATER, reply_faults=("boilerplate",), **HONEST)
    record.clock.advance(hours=20)
    await record.looked()
    found = (await record.doubts())[0]["found_at"]
    await record.looked()
    assert [(one["ticket_id"], one["found_at"]) for one in await record.doubts()] == [(str(late), found)]


async def test_a_ruling_is_told_counted_once_and_may_be_corrected(record: Record) -> None:
    false, fine = await record.done(said=NO), await record.done(said=YES)
    await record.looked()

    async def standing() -> dict[str, Any]:
        (one,) = (await record.http.get("/feedback/v1/false-closings", params=MARCH | {"least": 0})).json()
        return {name: one[name] for name in ("resolved", "open", "upheld", "refused", "rate")}

    assert await standing() == {"resolved": 2, "open": 1, "upheld": 0, "refused": 0, "rate": 0}
    ruled = await record.rules(false)
    assert (ruled.status_code, ruled.json()["upheld"], "13800138000" in ruled.text) == (200, True, False)
    assert (await record.rules(false)).json()["ruled_at"] == ruled.json()["ruled_at"]
    assert await standing() == {"resolved": 2, "open": 0, "upheld": 1, "refused": 0, "rate": 0.5}
    assert (await record.rules(false, upheld=False, note="已修好，录像为证")).json()["upheld"] is False
    assert await standing() == {"resolved": 2, "open": 0, "upheld": 0, "refused": 1, "rate": 0}
    await record.probe.until(lambda seen: sum(event.data.name == "closing.ruled" for event in seen) == 2)
    told = await record.probe.named("closing.ruled")
    assert [(event.data.upheld, event.data.unit, event.data.signs) for event in told] == [
        (True, WATER, ("unsolved",)), (False, WATER, ("unsolved",)),
    ]  # fmt: skip
    assert (await record.rules(fine)).status_code == 404
    assert await record.doubts(ruled="open") == []
    assert len(await record.doubts(ruled="refused")) == 1


async def test_a_new_kind_of_sign_opens_a_refused_doubt_again_and_leaves_an_upheld_one(record: Record) -> None:
    refused, upheld = await record.done(said=NO), await record.done(said=NO)
    await record.looked()
    await record.rules(refused, upheld=False)
    await record.rules(upheld)
    for ticket in (refused, upheld):
        again = dict(RECEIPT) | {"received_at": record.clock.at}
        await record.peer.say(record.clock.new_id(), TicketLinked(**again, parent=ticket, reason="重复"))
    await record.looked()
    ruled = {one["ticket_id"]: (one["upheld"], one["kinds"]) for one in await record.doubts()}
    assert ruled == {
        str(refused): (None, ["linked_again", "unsolved"]),
        str(upheld): (True, ["linked_again", "unsolved"]),
    }


async def test_a_supervisor_rules_above_the_unit_only_and_a_unit_sees_its_own(record: Record) -> None:
    water, road = await record.done(WATER, said=NO), await record.done(ROAD, said=NO)
    await record.looked()
    async with (
        record.key("unit", WATER.code) as unit,
        record.key("supervisor", WATER.code) as own,
        record.key("supervisor") as city,
        record.key("seat") as seat,
    ):
        seen = (await unit.get("/feedback/v1/doubts", params=MARCH | {"least": 0})).json()["items"]
        assert [one["ticket_id"] for one in seen] == [str(water)]
        assert (await unit.get(f"/feedback/v1/doubts/{road}/1")).status_code == 403
        assert (await unit.get("/feedback/v1/false-closings", params=MARCH | {"unit": ROAD.code})).status_code == 403
        statuses = [(await record.rules(water, who)).status_code for who in (unit, seat, own, city)]
    assert statuses == [403, 403, 403, 200]


async def test_what_closed_in_silence_and_was_not_done_is_worked_on_again(record: Record) -> None:
    ticket = await record.done(contacted=False, contacted_at=None, evidence=0)
    record.clock.advance(days=8)
    await record.probe.named("ticket.closed")
    await record.looked()
    assert (await record.rules(ticket, upheld=False, reopen=True)).status_code == 422
    assert (await record.rules(ticket, reopen=True)).status_code == 200
    (reopened,) = await record.probe.named("ticket.reopened")
    assert (reopened.data.reason, reopened.data.round) == ("not_solved", 2)
    assert (await record.rules(ticket, note="再次", reopen=True)).status_code == 409
    heard = await record.done(said=YES, contacted=False, contacted_at=None)
    await record.looked()
    assert (await record.rules(heard, reopen=True)).status_code == 409


async def test_what_was_taken_out_of_the_rates_is_not_doubted(record: Record) -> None:
    ticket = await record.done(said=NO)
    await record.looked()
    await record.peer.say(ticket, TicketScreened(verdict="malicious", why="无中生有"))
    assert await record.doubts() == []


async def test_the_words_of_a_ruling_go_with_those_of_the_ticket_and_the_ruling_stays(record: Record) -> None:
    ticket = await record.done(said=NO)
    await record.looked()
    await record.rules(ticket)
    await record.peer.say(ticket, TicketErased(words=True, at=NOON))
    shown = (await record.http.get(f"/feedback/v1/doubts/{ticket}/1")).json()
    assert (shown["upheld"], shown["note"]) == (True, None)
    assert (await record.rules(ticket, upheld=False, note="家住三单元")).json()["note"] == ""


@pytest.mark.parametrize("period", ["2026-13", "0001", "2026-02-30", "x"])
async def test_a_period_that_is_none_is_named(record: Record, period: str) -> None:
    answer = await record.http.get("/feedback/v1/doubts", params={"period": period})
    assert (answer.status_code, answer.json()["detail"].split(":")[0].removeprefix("query.")) == (422, "period")


async def test_what_waits_after_an_outage_is_looked_at_day_by_day_and_all_of_it_found(record: Record) -> None:
    for _ in range(4):
        await record.done(contacted=False, contacted_at=None)
        record.clock.advance(days=3)
    await record.looked()
    assert len(await record.doubts()) == 4
