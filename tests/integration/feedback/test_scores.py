"""Scores of a month on a real database: published version by version, appealed against, and recomputed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.common.contracts.dispatch import TicketResolved
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.intake import TicketReceived, TicketScreened
from libs.common.contracts.sla import DeductionProposed
from libs.common.contracts.vocabulary import Receipt, UnitRef
from services.feedback.handlers import publish_due
from tests.support.record import MONTH, NEXT_MONTH, STREET, TOWN, Record, bounce, case, recording, review
from tests.support.stages import NOON

STREETS = [STREET, *(f"s-11010500{n}" for n in range(1, 6))]


@pytest.fixture
async def record(fresh_database: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with recording(fresh_database, tmp_path) as record:
        yield record


async def scores(record: Record, **params: Any) -> dict[str, dict[str, Any]]:
    return {one["unit"]["code"]: one for one in await record.get(f"scores/{MONTH}", **params)}


async def published(record: Record) -> None:
    answer = await record.post(f"scores/{MONTH}")
    assert answer.status_code == 200, answer.text


async def appealed(record: Record, ticket: UUID, unit: str = STREET) -> httpx.Response:
    body = {"unit": unit, "ticket_id": str(ticket), "ground": "unreasonable", "note": "要求超出政策，电话13800138000"}
    return await record.post(f"scores/{MONTH}/appeals", **body)


async def ruled(record: Record, appeal: httpx.Response, *, upheld: bool) -> httpx.Response:
    path = f"score-appeals/{appeal.json()['appeal_id']}/ruling"
    return await record.post(path, upheld=upheld, note="经核实")


async def test_a_month_is_published_by_itself_once_its_time_of_grace_is_over(record: Record) -> None:
    await record.answers(STREET, 30, 10)
    context = record.stage.context
    record.clock.at = NOON.replace(month=4, day=3, hour=15)
    assert await publish_due(context) > 0
    assert await record.get(f"scores/{MONTH}/versions") == []
    record.clock.advance(hours=2)
    await publish_due(context)
    await publish_due(context)
    (version,) = await record.get(f"scores/{MONTH}/versions")
    assert (version["version"], version["reason"], version["by"]) == (1, "due", "clock")
    (told,) = await record.probe.named("score.published")
    assert (told.subject, told.data.counted, told.data.solved, told.data.version) == (STREET, 40, 0.75, 1)


async def test_a_month_that_is_not_over_and_one_in_which_nothing_changed_are_not_published(record: Record) -> None:
    await record.answers(STREET, 3)
    await published(record)
    for month in (MONTH, "2026-04"):
        assert (await record.post(f"scores/{month}")).status_code == 409
    async with record.holding("supervisor", units=("d-110105",)) as district:
        assert (await district.post(f"/feedback/v1/scores/{MONTH}")).status_code == 403


async def test_scorecards_are_those_published_and_before_that_those_so_far(record: Record) -> None:
    await record.answers(STREET, 3, 1)
    (running,) = await record.get("scorecards", period=MONTH)
    await published(record)
    (fixed,) = await record.get("scorecards", period=MONTH)
    assert (running["version"], fixed["version"]) == (None, 1)
    assert {**running, "version": 1} == fixed
    await record.answers(STREET, 5)
    assert await record.get("scorecards", period=MONTH) == [fixed]


async def test_an_upheld_appeal_changes_the_figures_of_one_unit_in_one_month_and_nothing_else(record: Record) -> None:
    cases = {unit: await record.answers(unit, 40, 10) for unit in STREETS}
    ticket = cases[STREET][-1]
    before = ticket.received_at and ticket.received_at - timedelta(days=20)
    again = [case(received_at=before, resolved_at=before) for _ in range(30)]
    await record.keep(*again, *(review(one, answered_at=before, period="2026-02") for one in again))
    assert (await record.post("scores/2026-02")).status_code == 200
    await published(record)
    february, march = await record.get("scores/2026-02"), await scores(record)
    appeal = await appealed(record, ticket.ticket_id)
    assert (appeal.status_code, "13800138000" in appeal.text) == (201, False), appeal.text
    assert await scores(record) == march
    verdict = (await ruled(record, appeal, upheld=True)).json()
    assert (verdict["state"], verdict["version"]) == ("upheld", 2)
    after = await scores(record)
    mine = after.pop(STREET)
    assert after == {unit: {**one, "version": 2} for unit, one in march.items() if unit != STREET}
    assert (mine["since"], mine["counted"], mine["solved"]) == (2, 49, pytest.approx(40 / 49))
    assert mine["fair"] > march[STREET]["fair"]
    assert await scores(record, version=1) == march
    assert await record.get("scores/2026-02") == february
    heard = await record.probe.named("score.appealed", "score.ruled")
    assert [(event.subject, event.data.ticket) for event in heard] == [(STREET, ticket.ticket_id)] * 2
    await record.probe.until(partial(is_there, (STREET, 2)))
    told = [e for e in record.probe.seen if e.data.name == "score.published" and e.data.version == 2]
    assert [(event.subject, event.data.period) for event in told] == [(STREET, MONTH)]


async def test_what_is_ruled_to_enter_no_rate_later_leaves_the_month_and_comes_back_when_that_is_lifted(
    record: Record,
) -> None:
    for unit in STREETS[1:]:
        await record.answers(unit, 40, 10)
    ticket = record.clock.new_id()
    record.clock.at = NOON
    said = Receipt(number="20260302-0000001", channel="web", text="停水了", received_at=NOON)
    done = TicketResolved(unit=UnitRef(code=STREET, name="望京街道"), reply="好了", round=1, at=NOON, contacted=True)
    await record.peer.say(ticket, TicketReceived(**dict(said)), done)
    assert (await record.post(f"tickets/{ticket}/review", resolved="yes", satisfied=5)).status_code == 200
    record.clock.at = NEXT_MONTH
    await published(record)
    before = await scores(record)
    verdict = TicketScreened(verdict="malicious", why="骗取补偿")
    for version, (event, count) in enumerate(((verdict, 0), (verdict.model_copy(update={"lifted": True}), 1)), 2):
        await record.peer.say(ticket, event)
        await record.probe.until(partial(is_there, (STREET, version)))
        after = await scores(record)
        assert (after[STREET]["counted"], after[STREET]["since"]) == (count, version)
        others = {unit: {**one, "version": version} for unit, one in before.items() if unit != STREET}
        assert {unit: one for unit, one in after.items() if unit != STREET} == others
    assert {**after[STREET], "version": 1, "since": 1} == before[STREET]
    reasons = [one["reason"] for one in await record.get(f"scores/{MONTH}/versions")]
    assert reasons == ["hand", "exclusion", "exclusion"]


def is_there(version: tuple[str, int], seen: Sequence[Envelope[Any]]) -> bool:
    return version in [(e.subject, e.data.version) for e in seen if e.data.name == "score.published"]


async def test_what_was_taken_out_stays_out_when_a_month_is_published_anew(record: Record) -> None:
    one, *_ = await record.answers(STREET, 1, 9)
    await published(record)
    await ruled(record, await appealed(record, one.ticket_id), upheld=True)
    await record.answers(STREET, 0, 1)
    await published(record)
    assert (await scores(record))[STREET]["counted"] == 10
    (card,) = await record.get("figures", kpi="solved", period=MONTH)
    assert (card["numerator"], card["denominator"]) == (0, 10)


async def test_every_version_can_be_counted_again_from_what_it_counts(record: Record) -> None:
    cases = {unit: await record.answers(unit, 12, 3) for unit in STREETS}
    await published(record)
    await ruled(record, await appealed(record, cases[STREET][-1].ticket_id), upheld=True)
    changed = review(cases[STREETS[1]][0], excluded=True)
    await record.keep(changed, *(await late(record)))
    await published(record)
    for version in (1, 2, 3):
        for unit, one in (await scores(record, version=version)).items():
            rows = await counted(record, unit, version)
            assert one["counted"] == len(rows)
            assert one["solved"] == pytest.approx(sum(row["solved"] for row in rows) / len(rows))


async def late(record: Record) -> list[Any]:
    """An answer that was written into the month after it was published."""
    one = case(unit_code=STREETS[2])
    return [one, review(one, resolved="no")]


async def counted(record: Record, unit: str, version: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await record.get(f"scores/{MONTH}/counted", unit=unit, version=version, limit=4, **cursor)
        rows += [answer for one in page["items"] for answer in one["answers"]]
        if page["next"] is None:
            return rows
        cursor = {"cursor": page["next"]}


async def test_an_appeal_is_made_once_in_time_by_the_unit_and_against_what_counts(record: Record) -> None:
    mine, other = await record.answers(STREET, 2), await record.answers(TOWN, 1)
    assert (await appealed(record, mine[0].ticket_id)).status_code == 409
    await published(record)
    first = await appealed(record, mine[0].ticket_id)
    assert [(await appealed(record, one.ticket_id)).status_code for one in (mine[0], other[0])] == [409, 409]
    body = {"unit": STREET, "ticket_id": str(mine[1].ticket_id), "ground": "bad_luck", "note": "…"}
    assert (await record.post(f"scores/{MONTH}/appeals", **body)).status_code == 422
    async with record.holding("unit", units=(TOWN,)) as town:
        path = f"/feedback/v1/scores/{MONTH}/appeals"
        assert (await town.post(path, json={**body, "ground": "malicious"})).status_code == 403
        assert (await town.get("/feedback/v1/score-appeals")).json()["items"] == []
    assert (await ruled(record, first, upheld=False)).json()["state"] == "refused"
    assert (await ruled(record, first, upheld=True)).status_code == 409
    assert (await scores(record))[STREET]["version"] == 1
    record.clock.advance(days=16)
    assert (await appealed(record, mine[1].ticket_id)).status_code == 409


async def test_who_rules_stands_above_the_unit(record: Record) -> None:
    (mine,) = await record.answers(STREET, 1)
    await published(record)
    appeal = (await appealed(record, mine.ticket_id)).json()["appeal_id"]
    path, body = f"/feedback/v1/score-appeals/{appeal}/ruling", {"upheld": False, "note": "应计入"}
    for units, status in (((STREET,), 403), (("d-110106",), 403), (("d-110105",), 200)):
        async with record.holding("supervisor", units=units) as supervisor:
            assert (await supervisor.post(path, json=body)).status_code == status


async def test_complex_and_abnormal_orders_stand_apart(record: Record) -> None:
    await record.answers(STREET, 20)
    await record.answers(STREET, 0, 4, urgency="complex")
    await record.answers(STREET, 0, 2, returns=2)
    await record.answers(STREET, 0, 1, support=50)
    await record.answers(STREETS[1], 20)
    await published(record)
    mine = (await scores(record))[STREET]
    assert (mine["counted"], mine["usual"], mine["apart"]) == (27, 20, 7)
    assert (mine["solved"], mine["apart_total"]) == (pytest.approx(20 / 27), pytest.approx(0.3))
    assert mine["fair"] == pytest.approx(1.0)


async def test_passing_the_buck_is_proposed_and_costs_points_by_ruling_only(record: Record) -> None:
    cases = await record.answers(TOWN, 12)
    await record.keep(*(bounce(one, returned_by=TOWN) for one in cases[:4]), bounce(cases[4], returned_by=STREET))
    await published(record)
    (proposal,) = (await record.get("deductions", period=MONTH))["items"]
    assert (proposal["unit"]["code"], proposal["fault"], proposal["points"]) == (TOWN, "passed_on", 0.8)
    assert len(proposal["evidence"]) == 4
    assert (await scores(record))[TOWN]["deducted"] == 0
    path = f"deductions/{proposal['proposal']}/ruling"
    assert (await record.post(path, points=2, note="推诿属实")).status_code == 409
    assert (await record.post(path, points=0.5, note="推诿属实")).json()["state"] == "imposed"
    assert (await record.post(path, points=0, note="…")).status_code == 409
    assert {unit: (one["version"], one["deducted"]) for unit, one in (await scores(record)).items()} == {TOWN: (2, 0.5)}
    assert (await scores(record, version=1))[TOWN]["deducted"] == 0


async def test_what_supervision_proposes_is_kept_once_and_dropped_without_a_trace_in_the_score(record: Record) -> None:
    await record.answers(STREET, 12)
    proposed = DeductionProposed(
        unit=UnitRef(code=STREET, name="望京街道"), points=0.5, ground="level 2", proposal=UUID(int=7), at=NOON
    )
    ticket = record.clock.new_id()
    await record.peer.say(ticket, proposed, proposed)
    await published(record)
    (proposal,) = (await record.get("deductions", state="open"))["items"]
    assert (proposal["fault"], proposal["period"], proposal["points"]) == ("supervision", MONTH, 0.5)
    await record.post(f"deductions/{proposal['proposal']}/ruling", points=0, note="情有可原")
    await record.peer.say(ticket, proposed)
    assert (await record.get("deductions", state="dropped"))["items"][0]["imposed"] == 0
    assert len(await record.get(f"scores/{MONTH}/versions")) == 1


async def test_a_unit_sees_its_own_score_and_a_supervisor_those_of_the_level(record: Record) -> None:
    for unit in (STREET, TOWN, "dept-water"):
        await record.answers(unit, 3)
    await published(record)
    seen = {(STREET,): {STREET}, ("d-110105",): {STREET, TOWN}, ("d-110106",): set[str]()}
    for units, codes in seen.items():
        for roles in (("unit",), ("supervisor",)):
            async with record.holding(*roles, units=units) as reader:
                for path in (f"scores/{MONTH}", f"scorecards?period={MONTH}"):
                    found = (await reader.get(f"/feedback/v1/{path}")).json()
                    assert {one["unit"]["code"] for one in found} == codes
                hidden = await reader.get(f"/feedback/v1/scores/{MONTH}", params={"unit": "dept-water"})
                assert hidden.status_code == 403


async def test_growth_stands_beside_the_level(record: Record) -> None:
    february = NOON - timedelta(days=20)
    earlier = [case(received_at=february, resolved_at=february) for _ in range(60)]
    said = [review(one, answered_at=february, resolved="no", satisfied=1) for one in earlier]
    beside = [replace(one, ticket_id=record.clock.new_id(), unit_code="s-110105007") for one in earlier]
    said += [review(one, answered_at=february) for one in beside]
    await record.keep(*earlier, *beside, *said)
    for unit in STREETS:
        await record.answers(unit, 60)
    assert (await record.post("scores/2026-02")).status_code == 200
    await published(record)
    march = await scores(record)
    assert march[STREET]["growth"] > 0.5
    assert march[STREET]["growth_low"] < march[STREET]["growth"] < march[STREET]["growth_high"]
    assert march[STREETS[1]]["growth"] is None


async def test_places_among_peers_are_shown_only_where_the_city_ranks(record: Record) -> None:
    for place, unit in enumerate(STREETS):
        await record.answers(unit, 20 + 5 * place, 30 - 5 * place)
    await record.answers(TOWN, 50)
    await published(record)
    assert {one["rank"] for one in (await scores(record)).values()} == {None}
    context = record.stage.context
    city = replace(context.engine.city, scoring=replace(context.engine.city.scoring, ranking=True))
    context.engine = replace(context.engine, city=city)
    ranks = {unit: one["rank"] for unit, one in (await scores(record)).items()}
    assert ranks == {**{unit: len(STREETS) - place for place, unit in enumerate(STREETS)}, TOWN: None}


async def test_a_false_closing_that_was_ruled_is_counted_and_points_are_proposed_for_it(record: Record) -> None:
    cases = await record.answers(STREET, 8, 2)
    doubt = """
        INSERT INTO doubts (
            ticket_id, round, unit_code, unit_name, resolved_at, weight, kinds, found_at, upheld, ruled_at
        ) VALUES ($1, 1, $2, '', $3, 1, '[]', $3, $4, $3)
    """
    for one, upheld in ((cases[-1], True), (cases[-2], False)):
        await record.stage.context.database.pool.execute(doubt, one.ticket_id, STREET, NOON, upheld)
    await published(record)
    (proposal,) = (await record.get("deductions"))["items"]
    assert (proposal["fault"], proposal["points"]) == ("false_closing", 0.5)
    assert [one["detail"] for one in proposal["evidence"]] == [str(cases[-1].ticket_id)]
    (share,) = await record.get("figures", kpi="false_closing", period=MONTH)
    assert (share["numerator"], share["denominator"]) == (1, 10)
