"""The tables of a report, and the curve and the maps that show them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from services.feedback.domain.chance import changed, stepped
from services.feedback.domain.periods import Period
from services.feedback.domain.reports import COUNTS, SHARES, TIMES, Findings
from services.feedback.reports.content import Column, Curve, Format, Map, Series, Table, Tile, Value, bounds_of
from services.feedback.reports.groups import ENOUGH_ANSWERS, Group, Riser, Short, parts, undecided, wobble
from services.feedback.reports.messages import Teller

CHANGES: tuple[tuple[str, Format], ...] = (
    ("now", "count"), ("before", "count"), ("change", "change"), ("low", "change"), ("high", "change"),
)  # fmt: skip
Values = Mapping[str, float | None]
SOON = timedelta(days=45)
LEAST_DAYS = 3
"""With fewer there is no line to speak of."""
WIDEST = 3.0
"""An interval that reaches beyond four times as many tells of no change, and is not shown."""
LONGEST_CURVE = 62
"""Days a curve shows one by one; a longer period is shown by months."""


def columns(teller: Teller, *names: tuple[str, Format]) -> tuple[Column, ...]:
    """Return columns by the names of their texts."""
    return tuple(Column(teller.say("column", name), form) for name, form in names)


def table(
    teller: Teller, code: str, names: Sequence[tuple[str, Format]], rows: Iterable[tuple[Value, ...]], note: str = "",
    annex: bool = False, folded: bool = False,
) -> Table:  # fmt: skip
    """Return a table by its code, with columns by the names of their texts."""
    said = teller.say("note", note) if note else ""
    return Table(code, teller.say("table", code), columns(teller, *names), tuple(rows), said, annex, folded)


def _changes(group: Group) -> tuple[Value, ...]:
    change = group.change
    if change.high is not None and change.high > WIDEST and not change.rose:
        return (change.now, change.before, None, None, None)
    return (change.now, change.before, change.value, change.low, change.high)


def volumes(found: Findings, teller: Teller) -> Table:
    """Return how many there were, and how that changed."""
    rows: list[tuple[Value, ...]] = []
    for code in COUNTS:
        now, before = (found.figures("totals", of, code).get("") for of in ("now", "before"))
        change = changed(
            now.count if now else 0, before.count if before else 0, found.lengths, wobble(found, teller, "", ""),
        )  # fmt: skip
        name = teller.read(teller.kpi(code).name)
        rows.append((name, change.now, change.before, change.value, change.low, change.high))
    return table(teller, "volumes", [("name", "text"), *CHANGES], rows)


def rates(found: Findings, teller: Teller, codes: Sequence[str] = SHARES, title: str = "rates") -> Table:
    """Return the shares, what they rest on, and how they changed."""
    rows: list[tuple[Value, ...]] = []
    for code in codes:
        now, before = (found.figures("totals", of, code).get("") for of in ("now", "before"))
        of = [parts(figure) for figure in (now, before)]
        if not of[0][1] and not of[1][1]:
            continue
        step = stepped(of[0], of[1], undecided=undecided(found, code))
        name = teller.read(teller.kpi(code).name)
        rows.append((name, step.now, of[0][1], step.before, step.value, step.low, step.high))
    names: list[tuple[str, Format]] = [
        ("name", "text"), ("now", "share"), ("count", "count"), ("before", "share"), ("difference", "difference"),
        ("low", "difference"), ("high", "difference"),
    ]  # fmt: skip
    return table(teller, title, names, rows)


def times(found: Findings, teller: Teller) -> Table:
    """Return how long things took."""
    rows: list[tuple[Value, ...]] = []
    for code in TIMES:
        now, before = (found.figures("totals", of, code).get("") for of in ("now", "before"))
        name = teller.read(teller.kpi(code).name)
        if (now and now.count) or (before and before.count):
            rows.append((name, now.value if now else None, now.count if now else 0, before.value if before else None))
    names: list[tuple[str, Format]] = [("name", "text"), ("now", "hours"), ("count", "count"), ("before", "hours")]
    return table(teller, "times", names, rows)


def year(found: Findings, teller: Teller) -> Table:
    """Return the period against the same a year before."""
    rows: list[tuple[Value, ...]] = []
    now, ago = (found.figures(*cut, "received").get("") for cut in (("totals", "now"), ("ago", "ago")))
    if found.spans.ago and found.recorded(found.spans.ago) and ago and ago.count:
        days = (found.lengths[0], found.recorded(found.spans.ago))
        change = changed(now.count if now else 0, ago.count, days, wobble(found, teller, "", ""))
        name = teller.read(teller.kpi("received").name)
        rows.append((name, change.now, change.before, change.value, change.low, change.high))
    return table(teller, "year", [("name", "text"), *CHANGES], rows)


def by_group(
    teller: Teller, code: str, head: str, found: Sequence[Group], shares: Sequence[tuple[str, str]] = (),
    annex: bool = False,
) -> Table:  # fmt: skip
    """Return groups with their changes, and shares of them as pairs of a KPI and its column.

    How many answers the first share rests on stands before it.
    """
    names: list[tuple[str, Format]] = [(head, "text"), *CHANGES]
    if shares:
        names += [("answers", "count"), *((name, "share") for _, name in shares)]
    rows = [(group.name, *_changes(group), *_shares(group, [kpi for kpi, _ in shares])) for group in found]
    return table(teller, code, names, rows, "together", annex)


def _shares(group: Group, kpis: Sequence[str]) -> Iterator[Value]:
    if kpis:
        yield group.answers(kpis[0])
    yield from (group.value(kpi) for kpi in kpis)


def rising(teller: Teller, found: Sequence[Riser], overall: float | None) -> Table:
    """Return the questions that rose, with what may tell why."""
    names: list[tuple[str, Format]] = [
        ("question", "text"), *CHANGES, ("places", "count"), ("most", "text"), ("most_share", "share"),
        ("solved", "share"), ("solved_all", "share"), ("repeats", "share"),
    ]  # fmt: skip
    rows: list[tuple[Value, ...]] = [
        (one.group.name, *_changes(one.group), one.places, one.most, one.most_share, one.solved, overall, one.repeats)
        for one in found
    ]
    return table(teller, "rising", names, rows, "together")


def short(teller: Teller, found: Sequence[Short]) -> Table:
    """Return the units below those of their level."""
    names: list[tuple[str, Format]] = [
        ("unit", "text"), ("level", "text"), ("solved", "share"), ("high", "share"), ("answers", "count"),
        ("level_solved", "share"),
    ]  # fmt: skip
    rows: list[tuple[Value, ...]] = [
        (one.name, _level(teller, one.level), one.solved.value, one.high, one.solved.count, one.level_solved)
        for one in found
    ]
    return table(teller, "short", names, rows, "together")


def _level(teller: Teller, level: str) -> str:
    return teller.say("level", level) if level else ""


def units(found: Findings, teller: Teller) -> Table:
    """Return every unit with its rates, for the spreadsheet."""
    kpis = ("responded", "solved", "satisfied", "completion_in_time", "return_rate")
    figures = {kpi: found.figures("unit", "now", kpi) for kpi in kpis}
    keys = sorted({unit for by_unit in figures.values() for unit in by_unit if unit})
    rows: list[tuple[Value, ...]] = []
    for unit in keys:
        own = [figures[kpi].get(unit) for kpi in kpis]
        answers = figures["solved"].get(unit)
        level = _level(teller, teller.level(unit))
        count = answers.count if answers else 0
        rows.append((teller.name("unit", unit), level, count, *(figure.value if figure else None for figure in own)))
    names: list[tuple[str, Format]] = [
        ("unit", "text"), ("level", "text"), ("answers", "count"), ("responded", "share"), ("solved", "share"),
        ("satisfied", "share"), ("in_time", "share"), ("returns", "share"),
    ]  # fmt: skip
    return table(teller, "unit", names, rows, annex=True)


def closed(found: Findings, teller: Teller, several: Sequence[Group]) -> Table:
    """Return what was closed and solved of each category, and of all; a share is of what units worked on."""
    names: list[tuple[str, Format]] = [
        ("category", "text"), ("closed", "count"), ("solved_count", "count"), ("solved_share", "share")
    ]  # fmt: skip
    ended = [(group.name, figure) for group in several if (figure := group.figures.get("closed_solved"))]
    ended.sort(key=lambda one: -(one[1].numerator or 0))
    whole = found.figures("totals", "now", "closed_solved").get("")
    if whole and whole.denominator:
        ended.append((teller.say("name", "all"), whole))
    rows: list[tuple[Value, ...]] = [
        (name, figure.denominator or 0, int(figure.numerator or 0), figure.value) for name, figure in ended
    ]
    return table(teller, "closed", names, rows)


def ahead(teller: Teller, found: Sequence[Group]) -> Table:
    """Return what followed a year before, by category."""
    names: list[tuple[str, Format]] = [("category", "text"), ("following", "count"), ("then", "count"), *CHANGES[2:]]
    return table(teller, "ahead", names, [(group.name, *_changes(group)) for group in found], "together")


def expected(found: Findings, teller: Teller) -> Table:
    """Return what the week after the period is forecast to bring."""
    names: list[tuple[str, Format]] = [
        ("category", "text"), ("usual", "count"), ("expected", "count"), ("low", "count"), ("high", "count")
    ]  # fmt: skip
    rows: list[tuple[Value, ...]] = [
        (teller.name("category1", one.category), round(one.usual), round(one.expected), round(one.low), round(one.high))
        for one in found.expected
    ]
    return table(teller, "expected", names, rows, "eighty")


def seasons(found: Findings, teller: Teller) -> Table:
    """Return the seasons that begin soon after the period."""
    names: list[tuple[str, Format]] = [("season", "text"), ("begins", "text"), ("ends", "text")]
    after = found.spans.now.after
    spans = sorted(
        ((season.coming(after), season.name) for season in teller.city.seasons.seasons), key=lambda one: one[0]
    )
    rows: list[tuple[Value, ...]] = [
        (teller.read(name), teller.dated("day", begins), teller.dated("day", ends))
        for (begins, ends), name in spans
        if after <= begins < after + SOON
    ]
    return table(teller, "seasons", names, rows)


def days(found: Findings, teller: Teller) -> tuple[Table, Curve | None]:
    """Return the days side by side with those compared, and their curve; a year comes by months."""
    spans = (("now", found.spans.now), ("before", found.spans.before))
    now, before = (_by_day(found, teller, of, span) for of, span in spans)
    if len(now) > LONGEST_CURVE:
        now, before = _by_month(now), _by_month(before)
    rows: list[tuple[Value, ...]] = []
    for place, (label, count) in enumerate(now):
        other = before[place] if place < len(before) else (None, None)
        rows.append((label, count, other[0], other[1]))
    names: list[tuple[str, Format]] = [
        ("day", "text"), ("now", "count"), ("day_before", "text"), ("before", "count")
    ]  # fmt: skip
    shown = table(teller, "days", names, rows, folded=True)
    if len(rows) < LEAST_DAYS:
        return shown, None
    title = teller.say("table", "days")
    series = [
        Series(teller.say("column", name), name, tuple(_height(row[at]) for row in rows))
        for name, at in (("now", 1), ("before", 3))
    ]
    labels = tuple(str(row[0])[5:] if len(str(row[0])) > 7 else str(row[0]) for row in rows)
    return shown, Curve(
        title, "Received by day", teller.say("about", "days", title=title), labels, tuple(series), "days"
    )


def _height(value: Value) -> float | None:
    return None if value is None else float(value)


def _by_day(found: Findings, teller: Teller, of: str, span: Period) -> list[tuple[str, int | None]]:
    """Return the count of each day; None of those before the record began."""
    counted, zone = found.figures("days", of, "received"), ZoneInfo(teller.city.timezone)
    last = min(span.after, found.as_of.astimezone(zone).date() + timedelta(days=1))
    began = found.began.astimezone(zone).date() if found.began else span.first
    days_ = [span.first + timedelta(days=n) for n in range(max(0, (last - span.first).days))]
    counts = (counted[name].count if name in counted else 0 for name in map(date.isoformat, days_))
    return [(day.isoformat(), count if day >= began else None) for day, count in zip(days_, counts, strict=True)]


def _by_month(days_: Sequence[tuple[str, int | None]]) -> list[tuple[str, int | None]]:
    months: dict[str, int | None] = {}
    for day, count in days_:
        before = months.get(day[:7])
        months[day[:7]] = before if count is None else (before or 0) + count
    return list(months.items())


def maps(teller: Teller, found: Sequence[Group]) -> tuple[Map, ...]:
    """Return the districts' maps: what came in, and what was solved of it where half have answers enough to tell."""
    counts = {group.key: group.change.now for group in found}
    received: Values = {code: float(counts.get(code, 0)) for code in teller.city.grid}
    enough = [group for group in found if group.answers("solved") >= ENOUGH_ANSWERS]
    solved: Values = {group.key: group.value("solved") for group in enough} if 2 * len(enough) >= len(received) else {}
    drawn: list[tuple[str, Values, Format]] = [("map_received", received, "count"), ("map_solved", solved, "share")]
    return tuple(_map(teller, *one) for one in drawn if any(value for value in one[1].values()))


_LATIN = {"map_received": "Received by district", "map_solved": "Solved by district"}


def _map(teller: Teller, name: str, values: Values, form: Format) -> Map:
    title = teller.say("about", name, least=ENOUGH_ANSWERS)
    tiles = tuple(
        Tile(teller.short(code), teller.latin(code), column, row, values.get(code))
        for code, (column, row) in teller.city.grid.items()
    )
    known = [tile.value for tile in tiles if tile.value is not None]
    return Map(title, _LATIN[name], teller.say("about", "map", title=title), form, tiles, bounds_of(known), "district")
