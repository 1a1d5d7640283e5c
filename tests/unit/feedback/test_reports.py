"""Reports: what they say in words is in their tables, in any language, whatever the figures are."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.city.days import kind_of_day
from libs.common.city.pack import load_city
from services.feedback.domain.kpis import Figure
from services.feedback.domain.periods import Period
from services.feedback.domain.publishing import ALL, Published, Row
from services.feedback.domain.reports import CUTS, KINDS, Expected, Findings, LineDay, Rising, Scope, Spans, spans_of
from services.feedback.reports.content import Report
from services.feedback.reports.making import report_of
from services.feedback.reports.messages import Messages, Teller
from services.feedback.reports.page import page
from services.feedback.reports.public import dictionary, open_data, public_report

CITY, MESSAGES = load_city(Path("deploy/cities/beijing")), Messages.load()
NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?%?")
NAMES = {
    "category1": ["供水排水", "供热采暖", "市容环卫", ""], "code": ["water-01-01", "heating-01-01", "gone-99-99"],
    "district": ["110101", "110105", "110108", ""], "street": ["s-110105026", "s-110105033"],
    "unit": ["s-110105026", "s-110105033", "s-110108012", "dept-water"], "channel": ["phone", "web"],
    "day": ["2026-03-01", "2026-03-02", "2026-02-03"],
}  # fmt: skip
PERIODS = {"daily": "2026-03-02", "weekly": "2026-W10", "monthly": "2026-03", "yearly": "2026", "holiday": "2026-02-17"}
COUNT = st.one_of(st.integers(0, 40), st.integers(0, 10**6))


@st.composite
def figures(draw: st.DrawFn, kpi: str, group: tuple[str, ...]) -> Figure:
    measure = CITY.kpis.by_code[kpi].measure
    count = draw(COUNT)
    if measure == "count":
        return Figure(kpi, group, count, count)
    if measure in {"share", "ratio"}:
        part = draw(st.integers(0, count))
        return Figure(kpi, group, part / count if count else None, count, part, count)
    return Figure(kpi, group, draw(st.floats(0, 400)) if count else None, count)


@st.composite
def findings(draw: st.DrawFn) -> Findings:
    kind = draw(st.sampled_from(KINDS))
    scope = draw(st.sampled_from([Scope(), Scope("district", "110105"), Scope("unit", "s-110105026")]))
    spans: Spans = spans_of(kind, PERIODS[kind], kind_of_day)
    cuts = {}
    for cut in CUTS:
        groups = [(name,) for name in NAMES[cut.by[0]]] if cut.by else [()]
        for of in cut.of:
            told = draw(st.lists(st.sampled_from(groups), unique=True)) if cut.by else groups
            cuts[f"{cut.name}/{of}"] = tuple(draw(figures(kpi, group)) for kpi in cut.kpis for group in told)
    codes = sorted({f.group[0] or "" for of in ("now", "before") for f in cuts[f"code/{of}"]})
    rising = draw(st.lists(st.sampled_from(codes), unique=True, max_size=3)) if codes else []
    days = draw(st.lists(st.integers(0, 500), max_size=4))
    return Findings(
        kind, scope, spans, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), True, cuts,
        {"": draw(st.floats(0, 0.2))}, tuple(draw(risings(code)) for code in rising),
        tuple(LineDay("12345", "2026-03-02", n, n // 2, n // 3, 0.5, 9.25, 80.0, not n, False, n, 0.7) for n in days),
        expected=tuple(Expected(name, *draw(st.tuples(*[st.floats(0, 9999)] * 4))) for name in NAMES["category1"]),
    )  # fmt: skip


@st.composite
def risings(draw: st.DrawFn, code: str) -> Rising:
    places = tuple(draw(figures("received", (name,))) for name in draw(st.sets(st.sampled_from(NAMES["district"]))))
    return Rising(code, places, draw(figures("solved", (code,))), draw(figures("repeats", (code,))))


def teller(language: str = "zh") -> Teller:
    return Teller(MESSAGES, language, CITY)


def numbers(texts: list[str]) -> set[str]:
    """Return the numbers in texts without their signs: a fall of 3 % is -3.0% in a table and 3.0% less in words."""
    return {number.rstrip(",").lstrip("+-") for text in texts for number in NUMBER.findall(text)}


@settings(max_examples=100, deadline=None)
@given(findings(), st.sampled_from(["zh", "en"]))
def test_every_number_in_the_text_is_in_a_table_as_it_is_shown_there(found: Findings, language: str) -> None:
    report = report_of(found, teller(language), 1)
    cells = numbers([cell for table in report.tables for row in table.shown() for cell in row])
    said = numbers([text for section in report.sections for text in section.text])
    assert said <= cells
    assert bytes(page(report).body).count(b"<table>") == sum(bool(t.rows) and not t.annex for t in report.tables)


def whole(received: int, before: int, solved: float = 0.9, risen: Mapping[str, int] | None = None) -> Findings:
    """Return a month in which so many appeals came in, of one question."""
    spans = spans_of("monthly", "2026-03", kind_of_day)
    cuts: dict[str, tuple[Figure, ...]] = {}
    for of, count in (("now", received), ("before", before)):
        cuts[f"totals/{of}"] = (
            Figure("received", (), count, count), Figure("solved", (), solved, count, round(count * solved), count),
        )  # fmt: skip
        cuts[f"code/{of}"] = (Figure("received", ("heating-01-01",), count, count),)
        cuts[f"category1/{of}"] = (Figure("received", ("供热采暖",), count, count),)
    places = tuple(Figure("received", (code,), count, count) for code, count in (risen or {}).items())
    rising = (Rising("heating-01-01", places, None, None),) if places else ()
    now = datetime(2026, 4, 1, tzinfo=UTC)
    return Findings("monthly", Scope(), spans, now - timedelta(days=31), now, True, cuts, {"": 0.01}, rising)


def text(report: Report) -> str:
    return "\n".join(paragraph for section in report.sections for paragraph in section.text)


def test_what_may_be_chance_is_said_to_be_and_a_real_rise_is_told_with_what_drives_it() -> None:
    assert "在偶然波动之内" in text(report_of(whole(1000, 900), teller(), 1))
    risen = text(report_of(whole(3000, 900), teller(), 1))
    assert "日均增加201.1%（区间+175.0%至+229.4%），超出偶然波动" in risen
    assert "增加主要来自供热采暖" in risen
    assert "a fall beyond chance" in text(report_of(whole(300, 900), teller("en"), 1))


def test_what_is_forecast_above_the_usual_and_the_seasons_to_come_are_told() -> None:
    forecast = (Expected("供热采暖", 100, 260.4, 180, 300), Expected("供水排水", 100, 110, 90, 130))
    span = spans_of("monthly", "2026-10", kind_of_day)
    said = text(report_of(replace(whole(900, 900), spans=span, expected=forecast), teller(), 1))
    assert "未来一周预计明显高于平常的有：供热采暖（260件）。" in said
    assert "供暖季（2026年11月15日起）" in said


def test_a_rise_in_one_place_is_told_apart_from_one_everywhere() -> None:
    local = text(report_of(whole(3000, 900, risen={"110105": 2500, "110101": 500}), teller(), 1))
    assert "集中在朝阳区，占83.3%" in local
    everywhere = dict.fromkeys(CITY.grid, 190)
    spread = text(report_of(whole(3040, 900, risen=everywhere), teller(), 1))
    assert "涉及16个区" in spread


def test_a_month_is_not_compared_with_one_in_which_the_record_began() -> None:
    found = replace(whole(900, 300), began=datetime(2026, 2, 18, 16, tzinfo=UTC))
    report = report_of(found, teller(), 1)
    assert report.facts[-1].startswith("记录始于2026年2月19日")
    assert report.sections[0].text[0] == "本期受理诉求900件；上月的记录不全，不作比较。"
    assert report.sections[0].tables[0].shown()[0] == ["受理量", "900", "300", "–", "–", "–"]
    assert "上月没有。" not in text(report)
    assert "日均增加" in text(report_of(replace(found, began=datetime(2026, 1, 31, 23, tzinfo=UTC)), teller(), 1))


def test_what_is_quick_is_decided_first_and_does_not_pass_for_getting_better() -> None:
    found = whole(1000, 1000)
    decided = (
        Figure("completion_in_time", (), 0.99, 400, 396, 400),
        Figure("completion_in_time", (), 0.9, 980, 882, 980),
    )
    cuts = {
        f"totals/{of}": (*found.cuts[f"totals/{of}"], one) for of, one in zip(("now", "before"), decided, strict=True)
    }
    said = text(report_of(replace(found, cuts={**found.cuts, **cuts}), teller(), 1))
    assert "已有结果的400件中，按时办结率99.0%；其余尚无结果，暂不与上月比较。" in said


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_month_of_nothing_says_so_and_leaves_out_what_would_be_empty(language: str) -> None:
    report = report_of(whole(0, 0), teller(language), 1)
    assert report.sections[0].text == (teller(language).say("tell", "none"),)
    names = ("summary", "matters", "ahead", "lines")
    assert [one.title for one in report.sections] == [teller(language).say("section", name) for name in names]


def test_days_and_spans_are_written_as_each_language_writes_them() -> None:
    spans = {
        ("2026-11-11", "2026-11-12"): ("2026年11月11日（星期三）", "Wednesday, 11 November 2026"),
        ("2026-10-01", "2026-11-01"): ("2026年10月1日至31日", "1 to 31 October 2026"),
        ("2026-10-28", "2026-11-03"): ("2026年10月28日至11月2日", "28 October to 2 November 2026"),
        ("2025-12-29", "2026-01-05"): ("2025年12月29日至2026年1月4日", "29 December 2025 to 4 January 2026"),
    }
    for (first, after), said in spans.items():
        period = Period("", date.fromisoformat(first), date.fromisoformat(after))
        assert (teller().span(period), teller("en").span(period)) == said
    found = replace(whole(1, 1), kind="weekly", spans=spans_of("weekly", "2026-W01", kind_of_day))
    assert report_of(found, teller(), 1).title == "北京市接诉即办周报（2026年第1周）"


def test_an_interval_that_tells_nothing_is_not_shown_and_districts_of_few_answers_have_no_colour() -> None:
    found = whole(900, 900)
    cuts = {"code/now": (Figure("received", ("heating-01-01",), 1, 1),), "code/before": ()}
    cuts["code/before"] = (Figure("received", ("heating-01-01",), 2, 2), Figure("received", ("water-01-01",), 900, 900))
    cuts["district/now"] = tuple(
        figure for number, code in enumerate(CITY.grid)
        for figure in (Figure("received", (code,), 30, 30), Figure("solved", (code,), 0.5, 29 + (number > 2), 15, 30))
    )  # fmt: skip
    report = report_of(replace(found, wobble={"": 0.5}, cuts={**found.cuts, **cuts}), teller(), 1)
    (questions,) = [table for table in report.tables if table.code == "code"]
    assert ["暖气不热", "1", "2", "–", "–", "–"] in questions.shown()
    solved = next(map_ for section in report.sections for map_ in section.maps if "解决率" in map_.title)
    assert [tile.value is not None for tile in solved.tiles] == [False] * 3 + [True] * 13


def test_names_from_the_record_are_text_on_the_page() -> None:
    found = whole(900, 900)
    name = "<script>alert(1)</script>\x00"
    cuts = {**found.cuts, "category1/now": (Figure("received", (name,), 900, 900),)}
    body = bytes(page(report_of(replace(found, cuts=cuts), teller(), 1)).body).decode()
    assert "<script>" not in body
    assert "\x00" not in body
    assert "&lt;script&gt;" in body


def published(**districts: int | None) -> Published:
    rows = [Row(ALL, code[1:], ALL, count) for code, count in districts.items()]
    total = sum(row.count or 0 for row in rows)
    return Published(
        "2026-03", datetime(2026, 4, 1, tzinfo=UTC), 5, False,
        (Row(ALL, "110105", "供热采暖", None), *rows, Row(ALL, ALL, "供热采暖", total), Row(ALL, ALL, ALL, total)),
    )  # fmt: skip


def test_the_public_version_names_no_unit_and_rates_of_few_are_left_out() -> None:
    month = published(d110105=600, d110101=12)
    found = whole(612, 900)
    solved = tuple(Figure("solved", (code,), 0.5, n, n / 2, n) for code, n in (("110105", 40), ("110101", 12)))
    report = public_report(replace(found, cuts={**found.cuts, "district/now": solved}), month, teller())
    (districts,) = [table for table in report.tables if table.code == "district"]
    assert districts.shown() == [["朝阳区", "600", "50.0%"], ["东城区", "12", "–"]]
    assert {table.code for table in report.tables} == {"volumes", "rates", "category1", "district"}


def test_open_data_is_a_table_with_its_dictionary() -> None:
    lines = open_data(published(d110105=600), teller()).splitlines()
    assert lines[0].lstrip("\ufeff") == "level,period,district,district_name,category,count,status"
    assert lines[1:] == [
        "cell,2026-03,110105,朝阳区,供热采暖,,withheld", "district,2026-03,110105,朝阳区,*,600,told",
        "category,2026-03,*,,供热采暖,600,told", "all,2026-03,*,,*,600,told",
    ]  # fmt: skip
    assert [line.split(",")[0] for line in dictionary(teller()).splitlines()[1:]] == lines[0].lstrip("\ufeff").split(
        ","
    )
