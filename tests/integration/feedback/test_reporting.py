"""Reports on a real database: made on demand and by schedule, kept, renewed; open data for everybody."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from openpyxl import load_workbook

from libs.common.contracts.intake import LineMeasured
from services.feedback.domain.reports import spans_of
from services.feedback.handlers import reports as handlers
from services.feedback.handlers.publishing import keep_published
from services.feedback.handlers.reports import WHOLE, days_of, keep_reports
from services.feedback.handlers.reports import report as ask
from services.feedback.store import reports as store
from tests.support.governing import LAZY, govern
from tests.support.record import Record, case, recording
from tests.support.stages import NOON, client

MONTH = "/feedback/v1/reports/monthly/2026-03"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
async def record(fresh_database: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with recording(fresh_database, tmp_path) as record:
        await govern(record)
        yield record


def said(view: dict[str, Any]) -> str:
    return "\n".join(text for section in view["report"]["sections"] for text in section["text"])


def table(view: dict[str, Any], code: str) -> dict[str, list[Any]]:
    """Return a table's rows by their first column."""
    tables = (table for section in view["report"]["sections"] for table in section["tables"])
    return {row[0]: row[1:] for found in tables if found["code"] == code for row in found["rows"]}


async def test_what_is_planted_is_found_and_told_in_both_languages(record: Record) -> None:
    view = await record.get("reports/monthly/2026-03")
    assert table(view, "volumes")["受理量"][:2] == [1285, 727]
    assert "增加主要来自供热采暖" in said(view)
    assert "集中在朝阳区" in said(view)
    assert [*table(view, "short")] == [record.stage.context.engine.city.units[LAZY].name.zh]
    english = (await record.http.get(MONTH, headers={"accept-language": "en"})).json()
    assert "What drives the rise: Heating" in said(english)
    assert table(english, "volumes")["Received"] == table(view, "volumes")["受理量"]


async def test_a_district_and_a_unit_have_reports_of_their_own(record: Record) -> None:
    view = await record.get("reports/monthly/2026-03", district="110105")
    assert (view["scope"], "朝阳区" in view["report"]["title"]) == ("district:110105", True)
    received = table(await record.get("reports/monthly/2026-03"), "district")["朝阳区"][0]
    assert table(view, "volumes")["受理量"][0] == received
    unit = await record.get("reports/weekly/2026-W12", unit=LAZY)
    assert (unit["scope"], len(unit["report"]["sections"])) == (f"unit:{LAZY}", 3)


async def test_a_report_of_a_period_that_is_over_stays_as_it_was_until_somebody_renews_it(record: Record) -> None:
    first = await record.get("reports/monthly/2026-03")
    await record.keep(case(received_at=NOON))
    assert await record.get("reports/monthly/2026-03") == first
    renewed = await record.http.post(MONTH)
    assert (renewed.status_code, renewed.json()["version"]) == (201, 2)
    again = await record.get("reports/monthly/2026-03")
    assert table(again, "volumes")["受理量"][0] == table(first, "volumes")["受理量"][0] + 1
    assert await record.get("reports/monthly/2026-03", version=1) == first


async def test_a_report_of_a_period_under_way_is_made_anew_and_cannot_be_renewed(record: Record) -> None:
    await record.keep(case(received_at=record.clock.now()))
    first = await record.get("reports/daily/2026-04-01")
    await record.keep(case(received_at=record.clock.now()))
    assert await record.get("reports/daily/2026-04-01") == first
    record.clock.advance(minutes=6)
    again = await record.get("reports/daily/2026-04-01")
    assert [(v["version"], table(v, "volumes")["受理量"][0]) for v in (first, again)] == [(0, 1), (0, 2)]
    assert (await record.post("reports/daily/2026-04-01")).status_code == 409
    record.clock.advance(days=2)
    assert (await record.get("reports/daily/2026-04-01"))["version"] == 1
    assert [one["version"] for one in await record.get("reports")] == [1]


async def test_a_month_under_way_is_compared_with_as_much_of_the_month_before(record: Record) -> None:
    record.clock.at = datetime(2026, 3, 15, 16, tzinfo=NOON.tzinfo)
    await record.keep(*(case(received_at=record.clock.now() - timedelta(days=1)) for _ in range(3)))
    view = await record.get("reports/monthly/2026-03")
    now, before, change = table(view, "volumes")["受理量"][:3]
    assert change == pytest.approx((now / 15) / (before / 16) - 1, abs=1e-6)
    whole = table(await record.get("reports/monthly/2026-02"), "volumes")["受理量"][0]
    assert before < whole
    assert "对比期：上月，2026年2月1日至16日" in view["report"]["facts"]


async def test_documents_open_and_hold_what_the_report_holds(record: Record) -> None:
    word = await record.http.get(f"{MONTH}.docx")
    assert (word.status_code, word.headers["content-type"]) == (200, WORD)
    assert "monthly-2026-03.docx" in word.headers["content-disposition"]
    document = Document(io.BytesIO(word.content))
    assert document.paragraphs[0].text == "北京市接诉即办月报（2026年3月）"
    assert len(document.inline_shapes) == 3
    book = load_workbook(io.BytesIO((await record.http.get(f"{MONTH}.xlsx")).content))
    assert book["数量"]["B2"].value == 1285
    page = await record.http.get(f"{MONTH}.html")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert page.text.count("<svg") == 3


REFUSED = {
    "monthly/2026-13": 422, "daily/2026-02-30": 422, "hourly/2026-03": 422, "monthly/2026-03?district=999999": 422,
    "monthly/2026-03?unit=x": 422, "monthly/2026-03?unit=x&district=110105": 422, "monthly/2027-01": 404,
    "monthly/2026-03?version=7": 404, "holiday/2026-03-18": 422, "daily/%00": 422,
}  # fmt: skip


async def test_what_is_no_report_is_refused_naming_what_would_be_right(record: Record) -> None:
    answers = {path: await record.http.get(f"/feedback/v1/reports/{path}") for path in REFUSED}
    assert {path: answer.status_code for path, answer in answers.items()} == REFUSED
    assert {answer.headers["content-type"] for answer in answers.values()} == {"application/problem+json"}


async def test_reports_need_a_key_and_renewing_needs_more(record: Record) -> None:
    async with client([record.stage]) as nobody, record.holding("seat") as seat:
        assert (await nobody.get(MONTH)).status_code == 401
        assert (await seat.get(MONTH)).status_code == 200
        assert (await seat.post(MONTH)).status_code == 403


async def test_who_cannot_wait_is_told_to_come_again_and_finds_the_report_then(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.feedback.handlers.reports.PATIENCE_SECONDS", 0.0)
    late = await record.http.get(MONTH)
    assert (late.status_code, late.headers["retry-after"]) == (503, "20")
    (task,) = record.stage.context.engine.making.values()
    await task
    monkeypatch.setattr("services.feedback.handlers.reports.MOST_AT_ONCE", 0)
    assert (await record.http.get("/feedback/v1/reports/weekly/2026-W12")).status_code == 503
    assert (await record.http.get(MONTH)).status_code == 200


async def test_two_processes_that_make_the_same_report_keep_one(record: Record) -> None:
    here = record.stage.context
    other = replace(here, engine=replace(here.engine, making={}))
    spans = spans_of("daily", "2026-03-18", days_of(here))
    first, second = await asyncio.gather(ask(here, "daily", spans, WHOLE), ask(other, "daily", spans, WHOLE))
    assert first.version == second.version == 1
    assert len(await store.made(here.database, 500)) == 1


async def test_the_last_periods_are_reported_on_by_themselves_each_once(record: Record) -> None:
    here = record.stage.context
    await keep_reports(here)
    first = await store.made(here.database, 500)
    await keep_reports(here)
    assert await store.made(here.database, 500) == first
    kinds = {(one.kind, one.period) for one in first if one.scope == "city"}
    assert kinds == {("daily", "2026-03-31"), ("weekly", "2026-W13"), ("monthly", "2026-03"), ("holiday", "2026-02-15")}
    assert sum(one.scope.startswith("district:") for one in first) == 2 * 16
    assert {one.version for one in first} == {1}


async def test_the_lines_are_reported_on_from_their_days_and_test_calls(record: Record) -> None:
    def measured(day: str, answered: int, **more: Any) -> LineMeasured:
        return LineMeasured(line="12345", period=day, offered=100, answered=answered, abandoned=100 - answered, **more)

    await record.peer.say(
        "a", measured("2026-03-02", 10), measured("2026-03-02", 80, test_calls=30, explained_rate=0.5)
    )
    await record.peer.say(
        "b", measured("2026-03-03", 96, test_calls=10, explained_rate=0.9), measured("2026-02-03", 50)
    )
    await record.peer.say("c", measured("2026-04-01", 1))
    view = await record.get("reports/monthly/2026-03")
    row = table(view, "lines")["12345"]
    assert row[:5] == [200, 176, 24, 0.88, 0.5]
    assert table(view, "tests")["12345"][:2] == [40, pytest.approx(0.6)]
    assert "12345接通率88.0%，低于标准（95.0%）。" in said(view)


async def test_a_month_is_published_once_and_read_without_a_key(record: Record) -> None:
    await keep_published(record.stage.context)
    assert (await record.get("open-data"))["months"] == []
    await record.get("reports/monthly/2026-03")
    for _ in range(2):
        await keep_published(record.stage.context)
        await record.keep(case(received_at=NOON))
    async with client([record.stage]) as anybody:
        assert (await anybody.get("/feedback/v1/open-data")).json()["months"] == ["2026-03"]
        data = await anybody.get("/feedback/v1/open-data/2026-03.csv")
        rows = list(csv.DictReader(io.StringIO(data.text.lstrip("\ufeff"))))
        (whole,) = [row for row in rows if row["level"] == "all"]
        assert whole["count"] == "1285"
        assert all(int(row["count"]) >= 5 for row in rows if row["status"] == "told")
        report = await anybody.get("/feedback/v1/open-data/2026-03.html")
        assert "公开版" in report.text
        assert record.stage.context.engine.city.units[LAZY].name.zh not in report.text
        assert (await anybody.get("/feedback/v1/open-data/dictionary.csv")).status_code == 200
        assert (await anybody.get("/feedback/v1/open-data/2026-03")).json()["k"] == 5
        page = await anybody.get("/feedback/", headers={"accept-language": "en"})
        assert "/feedback/v1/open-data/2026-03.csv" in page.text
        assert "Open data of the hotline" in page.text


async def test_only_a_supervisor_publishes_an_earlier_month_and_only_when_it_is_over(record: Record) -> None:
    async with client([record.stage]) as anybody:
        assert (await anybody.get("/feedback/v1/open-data/2026-02.csv")).status_code == 404
        assert (await anybody.post("/feedback/v1/open-data/2026-02")).status_code == 401
    assert (await record.post("open-data/2026-02")).json()["month"] == "2026-02"
    assert (await record.post("open-data/2026-04")).status_code == 409
    assert (await record.post("open-data/2025-01")).status_code == 404
    assert (await record.http.get("/feedback/v1/open-data/2026-04.html")).status_code == 404


async def test_a_report_renewed_before_its_month_was_published_is_published_as_it_was_first(record: Record) -> None:
    here = record.stage.context
    await ask(here, "monthly", spans_of("monthly", "2026-03", days_of(here)), WHOLE)
    await record.keep(*(case(received_at=NOON) for _ in range(9)))
    await record.post("reports/monthly/2026-03")
    await keep_published(here)
    page = await record.http.get("/feedback/v1/open-data/2026-03.html")
    assert "1,285" in page.text


async def test_a_unit_reads_its_own_report_and_a_district_those_below_it(record: Record) -> None:
    district = "d-110105"
    unit, head = record.holding("unit", units=(LAZY,)), record.holding("supervisor", units=(district,))
    wanted: tuple[dict[str, str], ...] = ({}, {"district": "110105"}, {"unit": LAZY}, {"unit": "s-110101001"})
    answers = [[(await who.get(MONTH, params=of)).status_code for of in wanted] for who in (unit, head)]
    assert answers == [[403, 403, 200, 403], [403, 200, 200, 403]]
    refused = [await head.post(MONTH), await head.post("/feedback/v1/open-data/2026-03")]
    assert [answer.status_code for answer in refused] == [403, 403]


async def test_a_report_that_cannot_be_made_keeps_no_other_from_it(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, made = record.stage.context, handlers._make

    async def make(here: Any, kind: Any, spans: Any, scope: Any, renewed: bool = False) -> Any:
        if scope == WHOLE:
            raise TimeoutError
        return await made(here, kind, spans, scope, renewed)

    monkeypatch.setattr(handlers, "_make", make)
    await keep_reports(context)
    kept = await store.kept_scopes(context.database, "monthly", "2026-03")
    assert kept == {f"district:{code}" for code in context.engine.city.grid}
