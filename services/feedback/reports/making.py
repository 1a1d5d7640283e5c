"""A report of its findings: pure, so that what was kept once can be made again in any language."""

from collections.abc import Iterable
from dataclasses import fields
from zoneinfo import ZoneInfo

from services.feedback.domain.reports import COUNTS, PLACES, SHARES, TIMES, Findings
from services.feedback.reports import groups, lines, tables, telling
from services.feedback.reports.content import Definition, Report, Section, Table, Words
from services.feedback.reports.groups import Group
from services.feedback.reports.messages import Teller

SHOWN_QUESTIONS = 20
"""So many questions stand in the report; the spreadsheet has all."""
PROCESS = (
    "signing_in_time",
    "response_in_time",
    "completion_in_time",
    "answered_share",
    "solved",
    "satisfied",
    "explained",
)
"""What the service of a line leads to, as the report on it lists it."""


def report_of(found: Findings, teller: Teller, version: int) -> Report:
    """Return the report of its findings in the teller's language."""
    sections = [_summary(found, teller), _matters(found, teller)]
    if place := PLACES.get(found.scope.kind):
        sections += [_places(found, teller, place), _units(found, teller)]
    sections.append(_solved(found, teller))
    if found.scope.kind != "unit":
        sections.append(_ahead(found, teller))
    if found.scope.kind == "city":
        sections.append(_lines(found, teller))
    return Report(
        teller.language, title(found, teller), issuer(teller), facts(found, teller, version),
        tuple(section for section in sections if _tells(section)), tuple(_definitions(teller)), words(teller),
    )  # fmt: skip


def _tells(section: Section) -> bool:
    return bool(section.text or section.curves or section.maps or any(table.rows for table in section.tables))


def title(found: Findings, teller: Teller) -> str:
    """Return what a report is called: of which part of the city, of which kind, of when."""
    now = found.spans.now
    when = {"daily": "day", "holiday": ""}.get(found.kind, found.kind)
    told = teller.dated(when, now.first) if when else teller.span(now)
    return teller.say("title", found.kind, where=where(found, teller), when=told)


def where(found: Findings, teller: Teller) -> str:
    """Return what the part of the city is called that a report is of."""
    if found.scope.kind == "city":
        return teller.read(teller.city.name)
    return teller.name("district" if found.scope.kind == "district" else "unit", found.scope.code)


def issuer(teller: Teller) -> str:
    """Return who issues reports: the centre."""
    return next(teller.read(unit.name) for unit in teller.city.units.values() if unit.kind == "centre")


def facts(found: Findings, teller: Teller, version: int) -> tuple[str, ...]:
    """Return the period, what it is compared with, and as of when."""
    at = found.as_of.astimezone(ZoneInfo(teller.city.timezone))
    as_of = "as_of" if found.closed else "as_of_open"
    said = [
        teller.say("fact", "period", span=teller.span(found.spans.now)),
        teller.say("fact", "compared", what=teller.say("compared", found.kind), span=teller.span(found.spans.before)),
        teller.say("fact", as_of, day=teller.dated("day", at), time=f"{at:%H:%M}", version=version),
        *_recorded(found, teller),
    ]
    return tuple(said if found.closed else [*said, teller.say("fact", "open")])


def _recorded(found: Findings, teller: Teller) -> Iterable[str]:
    """Return from when on there is a record, if not before the period that this one is compared with."""
    if found.began and not found.recorded(found.spans.before):
        day = teller.dated("day", found.began.astimezone(ZoneInfo(teller.city.timezone)))
        yield teller.say("fact", "began", day=day)


def _summary(found: Findings, teller: Teller) -> Section:
    categories = groups.groups(found, teller, "category1", ("solved",))
    days, curve = tables.days(found, teller)
    shown = [
        tables.volumes(found, teller), tables.rates(found, teller), tables.times(found, teller),
        tables.by_group(teller, "category1", "category", categories, [("solved", "solved")]),
        *_filled(tables.year(found, teller), *([days] if curve else [])),
    ]  # fmt: skip
    said = telling.summary(found, teller, categories)
    return Section(teller.say("section", "summary"), _whole(said), tuple(shown), (curve,) if curve else ())


def _filled(*several: Table) -> Iterable[Table]:
    """Return the tables that have rows: that there is nothing in the others is said in words, or needs no saying."""
    return (table for table in several if table.rows)


def _whole(paragraphs: Iterable[str]) -> tuple[str, ...]:
    return tuple(paragraph for paragraph in paragraphs if paragraph)


def _matters(found: Findings, teller: Teller) -> Section:
    questions = groups.groups(found, teller, "code")
    rising = groups.risers(found, teller, PLACES.get(found.scope.kind))
    told = _told(questions)
    overall = found.figures("totals", "now", "solved").get("")
    shown = (
        *_filled(tables.rising(teller, rising, overall.value if overall else None)),
        tables.by_group(teller, "code", "question", told),
        tables.by_group(teller, "code_all", "question", questions, annex=True),
        tables.by_group(teller, "channel", "channel", groups.groups(found, teller, "channel")),
    )
    return Section(teller.say("section", "matters"), _whole(telling.matters(found, teller, rising, told)), shown)


def _told(questions: list[Group]) -> list[Group]:
    """Return the questions a report shows: the most frequent, and those that fell the most."""
    fell = sorted((one for one in questions if one.change.fell), key=lambda one: one.change.now - one.change.before)
    shown = {one.key for one in (*questions[:SHOWN_QUESTIONS], *fell[: telling.MOST])}
    return [one for one in questions if one.key in shown]


def _places(found: Findings, teller: Teller, place: str) -> Section:
    shares = [("solved", "solved")]
    if place == "district":
        shares += [("satisfied", "satisfied"), ("completion_in_time", "in_time")]
    several = groups.groups(found, teller, place, [kpi for kpi, _ in shares])
    said = telling.places(teller, several, groups.below(found, several))
    table = tables.by_group(teller, place, place, several, shares)
    maps = tables.maps(teller, several) if place == "district" else ()
    return Section(teller.say("section", "places"), _whole(said), (table,), (), maps)


def _units(found: Findings, teller: Teller) -> Section:
    short = groups.shorts(found, teller)
    shown = (*_filled(tables.short(teller, short)), tables.units(found, teller))
    return Section(teller.say("section", "units"), _whole(telling.units(found, teller, short)), shown)


def _solved(found: Findings, teller: Teller) -> Section:
    table = tables.closed(found, teller, groups.groups(found, teller, "category1", ("closed_solved",)))
    return Section(teller.say("section", "solved"), _whole(telling.solved(found, teller, table)), (table,))


def _ahead(found: Findings, teller: Teller) -> Section:
    several = groups.groups(found, teller, "ahead", of=("following", "ago"))
    expected, seasons = tables.expected(found, teller), tables.seasons(found, teller)
    shown = tuple(_filled(expected, seasons, *((tables.ahead(teller, several),) if found.spans.following else ())))
    return Section(teller.say("section", "ahead"), _whole(telling.ahead(found, teller, several, seasons)), shown)


def _lines(found: Findings, teller: Teller) -> Section:
    calls, tests = lines.calls(found, teller), lines.tests(found, teller)
    shown = tuple(_filled(calls, tests, tables.rates(found, teller, PROCESS, "process")))
    return Section(teller.say("section", "lines"), _whole(telling.lines(teller, calls, tests)), shown)


def _definitions(teller: Teller) -> Iterable[Definition]:
    for code in (*COUNTS, *SHARES, *TIMES):
        kpi = teller.kpi(code)
        yield Definition(teller.read(kpi.name), teller.read(kpi.about))
    for name in ("chance", "share", "short", "lines"):
        yield Definition(teller.say("method", name), teller.say("method", f"{name}_about"))


def words(teller: Teller) -> Words:
    """Return what writers say by themselves."""
    names = [field.name for field in fields(Words)]
    return Words(**{name: teller.say("writer", name) for name in names})
