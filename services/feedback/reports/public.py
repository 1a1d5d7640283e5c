"""What everybody may read: open data as CSV with its dictionary, and the public version of a month's report."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from libs.common.runtime.tables import BYTE_ORDER_MARK, csv_lines
from services.feedback.domain.publishing import ALL, OTHER, UNKNOWN, Published, Row
from services.feedback.domain.reports import Findings
from services.feedback.reports import making, tables, telling
from services.feedback.reports.content import (
    Curve,
    Definition,
    Map,
    Report,
    Section,
    Series,
    Table,
    Tile,
    Value,
    bounds_of,
)
from services.feedback.reports.messages import Teller

FIELDS = ("level", "period", "district", "district_name", "category", "count", "status")
TOLD = ("received", "closed")
RATES = ("responded", "solved", "satisfied", "completion_in_time")
ENOUGH = 4
"""A share is told of as many answers as this times k, so that it is no small count in disguise."""


def open_data(month: Published, teller: Teller) -> str:
    """Return what was published of a month as a file of CSV."""
    rows = (_line(month, row, teller) for row in month.cells)
    return BYTE_ORDER_MARK + csv_lines([FIELDS]) + csv_lines(rows)


def _line(month: Published, row: Row, teller: Teller) -> list[object]:
    parts = {"day": row.day, "district": row.district, "category": row.category}
    named = [name for name, value in parts.items() if value != ALL]
    level = "cell" if len(named) > 1 else named[0] if named else "all"
    period = month.month if row.day == ALL else row.day
    return [
        level, period, row.district, _district(teller, row.district), _category(teller, row.category),
        "" if row.count is None else row.count, "withheld" if row.count is None else "told",
    ]  # fmt: skip


def _district(teller: Teller, code: str) -> str:
    return "" if code == ALL else _other(teller, code) or teller.name("district", code)


def _category(teller: Teller, name: str) -> str:
    return ALL if name == ALL else _other(teller, name) or teller.name("category1", name)


def _other(teller: Teller, value: str) -> str:
    return teller.say("name", value) if value in {OTHER, UNKNOWN} else ""


def dictionary(teller: Teller) -> str:
    """Return what each field of the open data means, in Chinese and English, as a file of CSV."""
    texts = teller.messages.texts["dictionary"]
    rows = ([name, texts[name]["type"], texts[name]["zh"], texts[name]["en"]] for name in FIELDS)
    return BYTE_ORDER_MARK + csv_lines([("field", "type", "meaning_zh", "meaning_en")]) + csv_lines(rows)


def public_report(found: Findings, month: Published, teller: Teller) -> Report:
    """Return the version of a month's report that everybody may read: no unit, and nothing of too few."""
    sections = (
        _summary(found, month, teller),
        Section(teller.say("section", "all"), (), (_table(found, month, teller, "category1"),)),
        Section(
            teller.say("section", "places"), (), (_table(found, month, teller, "district"),), (), (_map(month, teller),)
        ),
    )
    title = teller.say("title", "public", title=making.title(found, teller))
    return Report(
        teller.language, title, making.issuer(teller), making.facts(found, teller, 1), sections,
        tuple(_definitions(month, teller)), making.words(teller),
    )  # fmt: skip


def _summary(found: Findings, month: Published, teller: Teller) -> Section:
    """Return how much came in and how it was answered, as far as there is enough of it in both months."""
    volumes = [code for code in TOLD if _enough(found, code, month.k)]
    rates = [code for code in RATES if _enough(found, code, ENOUGH * month.k)]
    shown = [
        _known(tables.volumes(found, teller), volumes, teller), _known(tables.rates(found, teller), rates, teller)
    ]  # fmt: skip
    said = telling.summary(found, teller, (), rates) if "received" in volumes else []
    table, curve = _days(month, teller)
    return Section(teller.say("section", "summary"), tuple(filter(None, said)), (*shown, *table), curve)


def _enough(found: Findings, code: str, least: int) -> bool:
    now, before = (found.figures("totals", of, code).get("") for of in ("now", "before"))
    return now is not None and now.count >= least and (before is None or not 0 < before.count < least)


def _known(table: Table, codes: Sequence[str], teller: Teller) -> Table:
    names = {teller.read(teller.kpi(code).name) for code in codes}
    return replace(table, rows=tuple(row for row in table.rows if row[0] in names))


def _days(month: Published, teller: Teller) -> tuple[tuple[Table, ...], tuple[Curve, ...]]:
    """Return the days, if they may be told; those of the month before are not, for they may not have been."""
    days = sorted(month.totals(0).items())
    if not days:
        return (), ()
    columns = tables.columns(teller, ("day", "text"), ("now", "count"))
    title = teller.say("table", "days")
    values = Series(teller.say("column", "now"), "now", tuple(float(count) for _, count in days))
    about, labels = teller.say("about", "days", title=title), tuple(day[5:] for day, _ in days)
    curve = Curve(title, "Received by day", about, labels, (values,), "days")
    return (Table("days", title, columns, tuple(days), folded=True),), (curve,)


def _table(found: Findings, month: Published, teller: Teller, cut: str) -> Table:
    place, name, head = (1, _district, "district") if cut == "district" else (2, _category, "category")
    solved = found.figures(cut, "now", "solved")
    rows: list[tuple[Value, ...]] = []
    for code, count in sorted(month.totals(place).items(), key=lambda item: -item[1]):
        share = solved.get(code)
        told = share is not None and share.count >= ENOUGH * month.k
        rows.append((name(teller, code), count, share.value if share and told else None))
    columns = tables.columns(teller, (head, "text"), ("now", "count"), ("solved", "share"))
    return Table(cut, teller.say("table", cut), columns, tuple(rows), teller.say("note", "withheld"))


def _map(month: Published, teller: Teller) -> Map:
    counts = month.totals(1)
    tiles = tuple(
        Tile(teller.short(code), teller.latin(code), column, row, float(counts[code]) if code in counts else None)
        for code, (column, row) in teller.city.grid.items()
    )
    title = teller.say("about", "map_received")
    known = bounds_of([tile.value for tile in tiles if tile.value is not None])
    return Map(
        title, "Received by district", teller.say("about", "map", title=title), "count", tiles, known, "district"
    )


def _definitions(month: Published, teller: Teller) -> Iterable[Definition]:
    for code in (*TOLD, *RATES):
        kpi = teller.kpi(code)
        yield Definition(teller.read(kpi.name), teller.read(kpi.about))
    yield Definition(teller.say("method", "public"), teller.say("method", "public_about", k=month.k))
    yield Definition(teller.say("method", "chance"), teller.say("method", "chance_about"))
