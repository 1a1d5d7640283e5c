"""Figures of KPIs on a real database: what is counted, where it falls in the calendar, by what it is told apart."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.feedback import store
from services.feedback.api import kpis as kpis_api
from services.feedback.domain import Try
from services.feedback.domain.kpis import DIMENSIONS, Dimension, Figure
from services.feedback.domain.periods import period_of
from tests.support.record import STREET, TOWN, Record, bounce, case, recording, review
from tests.support.stages import NOON

CITY = ZoneInfo("Asia/Shanghai")


@pytest.fixture
async def record(fresh_database: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with recording(fresh_database, tmp_path) as record:
        yield record


async def figures(
    record: Record, period: str, *kpis: str, by: tuple[Dimension, ...] = (), **where: list[str]
) -> list[Figure]:
    context = record.stage.context
    kept: Any = where
    return await store.figures(
        context.database, context.engine.measures.of(*kpis), *period_of(period).span(CITY), by, kept
    )


async def values(record: Record, *kpis: str, period: str = "2026-03") -> dict[str, float | None]:
    return {figure.kpi: figure.value for figure in await figures(record, period, *kpis)}


async def test_every_kpi_can_be_counted_by_every_dimension(record: Record) -> None:
    one = case()
    await record.keep(one, review(one), bounce(one))
    kpis = record.stage.context.engine.measures.kpis
    for dimension in DIMENSIONS:
        found = await figures(record, "2026-03", *kpis.by_code, by=(dimension,))
        assert {figure.kpi for figure in found} >= {"solved", "total", "received", "passed_on"}
    assert {figure.kpi for figure in await figures(record, "2026-03", *kpis.by_code)} == kpis.by_code.keys()
    assert {figure.value for figure in await figures(record, "2026-02", *kpis.by_code)} == {None, 0}


async def test_a_period_begins_and_ends_at_midnight_of_the_city(record: Record) -> None:
    midnight = datetime(2026, 2, 28, 16, tzinfo=UTC)
    first, last = case(received_at=midnight), case(received_at=midnight - timedelta(microseconds=1))
    await record.keep(first, last, review(first, answered_at=midnight), review(last, answered_at=last.received_at))
    told = [await values(record, "received", "reviewed", period=name) for name in ("2026-02", "2026-03", "2026-W09")]
    assert told == [{"received": 1, "reviewed": 1}, {"received": 1, "reviewed": 1}, {"received": 2, "reviewed": 2}]
    days = await figures(record, "2026", "received", by=("day", "week", "quarter"))
    assert [figure.group for figure in days] == [
        ("2026-02-28", "2026-W09", "2026-Q1"),
        ("2026-03-01", "2026-W09", "2026-Q1"),
    ]


async def test_signing_is_in_time_by_its_class_and_times_are_hours(record: Record) -> None:
    minutes = {"urgent": 14, "livelihood": 31, "general": 60}
    cases = [
        case(urgency=urgency, dispatched_at=NOON, accepted_at=NOON + timedelta(minutes=late))
        for urgency, late in minutes.items()
    ]
    await record.keep(*cases, case(accepted_at=None))
    (signed,) = await figures(record, "2026-03", "signing_in_time")
    assert (signed.numerator, signed.denominator) == (2, 3)
    assert await values(record, "sign_p50", "resolve_p90") == {"sign_p50": pytest.approx(31 / 60), "resolve_p90": 4}


async def test_returns_count_against_who_made_them_for_each_order_resolved(record: Record) -> None:
    cases = [case(unit_code=TOWN) for _ in range(4)]
    moved = case()
    await record.keep(
        *cases, moved, bounce(moved, returned_by=TOWN), bounce(moved, returned_by=TOWN, upheld=True, against="routing")
    )
    told = {
        f.kpi: f.value
        for f in await figures(record, "2026-03", "return_rate", "wrong_returns", "passed_on", unit=[TOWN])
    }
    assert told == {"return_rate": 0.5, "wrong_returns": 0.5, "passed_on": 0.25}


async def test_silence_is_no_answer_and_a_callback_that_reached_nobody_is_told(record: Record) -> None:
    cases = [case() for _ in range(4)]
    silent: dict[str, Any] = {"resolved": None, "satisfied": None, "answered_at": None}
    await record.keep(
        *cases, review(cases[0]), review(cases[1], state="lapsed", **silent),
        review(cases[2], state="lapsed", tries=(Try(NOON, "reached"),), **silent),
        review(cases[3], state="requested", **silent),
    )  # fmt: skip
    told = await values(record, "reviewed", "answered_share", "callbacks_reached", "asked_share")
    assert told == {
        "reviewed": 1, "answered_share": pytest.approx(1 / 3), "callbacks_reached": pytest.approx(2 / 3),
        "asked_share": 1,
    }  # fmt: skip


async def test_what_a_ruling_excluded_counts_nowhere_but_in_what_came(record: Record) -> None:
    one, other = case(excluded=True), case()
    await record.keep(one, other, review(one, excluded=True, resolved="no"), review(other))
    assert await values(record, "received", "resolved", "reviewed", "solved") == {
        "received": 2, "resolved": 1, "reviewed": 1, "solved": 1,
    }  # fmt: skip


async def test_who_repeats_is_asked_about_the_unit_of_the_first_appeal(record: Record) -> None:
    parent = case()
    child = case(parent=parent.ticket_id, unit_code=None, district=None, resolved_at=None)
    await record.keep(
        parent, child, review(parent), review(child, about=parent.ticket_id, unit_code=STREET, resolved="no")
    )
    (solved,) = await figures(record, "2026-03", "solved", by=("unit", "district", "level"))
    assert (solved.group, solved.numerator, solved.denominator) == ((STREET, "110105", "street"), 1, 2)


async def test_figures_over_http_are_of_the_units_in_sight_and_say_what_is_wrong(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = case(), case(unit_code=TOWN)
    await record.keep(mine, other, review(mine), review(other))
    asked: dict[str, Any] = {"kpi": ["solved", "received"], "period": "2026-03", "by": ["unit"]}
    everything = await record.get("figures", **asked)
    assert [(f["kpi"], f["group"], f["value"]) for f in everything if f["kpi"] == "solved"] == [
        ("solved", [STREET], 1), ("solved", [TOWN], 1),
    ]  # fmt: skip
    async with record.holding("unit", units=(STREET,)) as unit:
        seen = (await unit.get("/feedback/v1/figures", params={**asked, "unit": [STREET, TOWN]})).json()
        assert {tuple(figure["group"]) for figure in seen} == {(STREET,)}
    wrong = (
        {"kpi": ["gold"]},
        {"period": "2026-02-30"},
        {"period": None, "since": "2026-03-01T00:00:00Z"},
        {"by": ["x"]},
    )
    for other_way in wrong:
        params = {name: value for name, value in {**asked, **other_way}.items() if value is not None}
        assert (await record.http.get("/feedback/v1/figures", params=params)).status_code == 422
    monkeypatch.setattr(kpis_api, "PATIENCE_SECONDS", 1e-6)
    too_much = await record.http.get("/feedback/v1/figures", params=asked)
    assert (too_much.status_code, too_much.json()["errors"][0]["field"]) == (422, "period")
    assert {kpi["code"] for kpi in await record.get("kpis")} >= {"responded", "solved", "satisfied", "total"}


async def test_more_groups_than_can_be_told_at_once_are_refused(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kpis_api, "MOST_GROUPS", 1)
    await record.keep(case(), case(unit_code=TOWN, unit_name="崔各庄乡"))
    asked = {"kpi": "received", "period": "2026-03", "by": "unit"}
    refused = await record.http.get("/feedback/v1/figures", params=asked)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "by")
    assert len(await record.get("figures", kpi="received", period="2026-03")) == 1
