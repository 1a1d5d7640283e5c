"""What a report says in words, by rules: what changed beyond chance, and why it may matter.

A sentence is said of a row of a table, with its values as the table shows them. Nothing else may be said.
"""

from collections.abc import Iterable, Sequence

from services.feedback.domain.chance import Change, Step
from services.feedback.domain.reports import Findings
from services.feedback.reports.content import Format, Table, Value, shown
from services.feedback.reports.groups import Group, Riser, Short, step, total, undecided
from services.feedback.reports.messages import Teller

MOST = 3
"""Names a sentence has at most; the table has them all."""
LOCAL, WIDE, WIDE_PLACES = 0.5, 0.35, 0.6
"""Half of it in one place is local; no more than a third anywhere, and in most places, is not."""
REPEATED = 0.3
"""From this share of repeats on they are worth a word."""
OPEN = 0.05
"""What is undecided is worth a word if it is more than this for each that is decided. All these are this project's."""
TOLD = ("solved", "satisfied", "completion_in_time")
_DAILY_LIFE = frozenset({"urgent", "livelihood"})
_SAFETY = "安全性"


def _change(found: Findings, teller: Teller, change: Change) -> dict[str, str]:
    values: dict[str, tuple[Value, Format]] = {
        "now": (change.now, "count"), "before": (change.before, "count"), "change": (change.value, "change"),
        "low": (change.low, "change"), "high": (change.high, "change"),
    }  # fmt: skip
    said = {name: shown(*value) for name, value in values.items()}
    return {**said, "size": said["change"].lstrip("+-"), "than": _than(found, teller)}


def _than(found: Findings, teller: Teller) -> str:
    """What the period is compared with."""
    return teller.say("compared", found.kind)


def summary(found: Findings, teller: Teller, categories: Sequence[Group], rates: Sequence[str] = TOLD) -> list[str]:
    """Return how much came in, what drives its change, and how the rates stand."""
    change = total(found)
    if not change.now and not change.before:
        return [teller.say("tell", "none")]
    told = _change(found, teller, change)
    recorded = found.recorded(found.spans.before)
    first = [teller.say("tell", "received" if recorded else "received_alone", **told)]
    if change.value is not None:
        first.append(teller.say("tell", f"received_{_way(change)}", **told))
    first += _drivers(teller, change, categories)
    rated = [said for code in TOLD if code in rates for said in _rate(found, teller, code)]
    return [_joined(teller, first), _joined(teller, rated)]


def _way(change: Change | Step) -> str:
    return "rose" if change.rose else "fell" if change.fell else "same"


def _drivers(teller: Teller, change: Change, categories: Sequence[Group]) -> list[str]:
    if not (change.rose or change.fell):
        return []
    same = [group for group in categories if group.key and _way(group.change) == _way(change)]
    same.sort(key=lambda group: -abs(group.change.now - group.change.before))
    if not same:
        return []
    said = "drives_up" if change.rose else "drives_down"
    return [teller.say("tell", said, names=_named(teller, same))]


def _named(teller: Teller, several: Iterable[Group]) -> str:
    """Groups by name, each with its change."""
    return teller.join(
        teller.say("tell", "item", name=group.name, value=shown(group.change.value, "change"))
        for group in list(several)[:MOST]
    )


def _rate(found: Findings, teller: Teller, code: str) -> list[str]:
    moved = step(found, code)
    if moved is None or moved.now is None:
        return []
    name = teller.read(teller.kpi(code).name)
    if moved.value is None:
        return [teller.say("tell", "rate_alone", name=name, now=shown(moved.now, "share"))]
    points = {key: shown(getattr(moved, key), "difference") for key in ("value", "low", "high")}
    count = found.figures("totals", "now", code)[""].count
    now, before = shown(moved.now, "share"), shown(moved.before, "share")
    way = _way(moved)
    if way == "same":
        way = "open" if undecided(found, code) > OPEN * count else "even" if now == before else "same"
    said = teller.say(
        "tell", f"rate_{way}", name=name, now=now, before=before, size=points["value"].lstrip("+-"), **points,
        count=shown(count, "count"), than=_than(found, teller),
    )  # fmt: skip
    return [said]


def matters(found: Findings, teller: Teller, rising: Sequence[Riser], questions: Sequence[Group]) -> list[str]:
    """Return a paragraph for each question that rose, with what may tell why, and one of what fell; none of nothing."""
    if not any(one.change.now or one.change.before for one in questions):
        return []
    overall = found.figures("totals", "now", "solved").get("")
    said = [_riser(found, teller, one, overall.value if overall else None) for one in rising]
    fell = [one for one in questions if one.key and one.change.fell]
    fell.sort(key=lambda one: one.change.now - one.change.before)
    if not said:
        said = [teller.say("tell", "risers_none")]
    return [*said, teller.say("tell", "fallers", names=_named(teller, fell))] if fell else said


def _riser(found: Findings, teller: Teller, one: Riser, overall: float | None) -> str:
    change = one.group.change
    first = "riser" if change.before else "riser_new"
    said = [teller.say("tell", first, name=one.group.name, **_change(found, teller, change))]
    said += _where(found, teller, one)
    if one.solved is not None and overall is not None and one.solved_high < overall:
        low, all_ = shown(one.solved, "share"), shown(overall, "share")
        said.append(teller.say("tell", "weak", solved=low, overall=all_))
    if one.repeats is not None and one.repeats >= REPEATED:
        said.append(teller.say("tell", "repeated", repeats=shown(one.repeats, "share")))
    return _joined(teller, [*said, *_nature(found, teller, one)])


def _where(found: Findings, teller: Teller, one: Riser) -> list[str]:
    districts = len(teller.city.grid)
    if one.most_share is None or found.scope.kind == "unit":
        return []
    if one.most_share >= LOCAL:
        return [teller.say("tell", "local", place=one.most, share=shown(one.most_share, "share"))]
    if one.most_share <= WIDE and found.scope.kind == "city" and one.places >= WIDE_PLACES * districts:
        return [teller.say("tell", "spread", places=shown(one.places, "count"))]
    return []


def _nature(found: Findings, teller: Teller, one: Riser) -> list[str]:
    """What the catalogue has of the question."""
    question = teller.question(one.group.key)
    if question is None:
        return []
    known = {
        "safety": question.tag == _SAFETY, "livelihood": question.urgency in _DAILY_LIFE, "elderly": question.elderly,
        "season": found.spans.now.first.month in question.season,
    }  # fmt: skip
    return [teller.say("tell", name) for name, true in known.items() if true]


def places(teller: Teller, several: Sequence[Group], short: Sequence[Group]) -> list[str]:
    """Return where more came in, and where less of it was solved than in the whole."""
    if not any(place.change.now or place.change.before for place in several):
        return []
    rose = [place for place in several if place.key and place.change.rose]
    said = [teller.say("tell", "place_rose", names=_named(teller, rose)) if rose else teller.say("tell", "place_same")]
    if short:
        worst = sorted(short, key=lambda place: place.value("solved") or 0.0)[:MOST]
        names = [_item(teller, place.name, place.value("solved")) for place in worst]
        said.append(teller.say("tell", "place_short", names=teller.join(names)))
    return [_joined(teller, said)]


def _item(teller: Teller, name: str, share: float | None) -> str:
    return teller.say("tell", "item", name=name, value=shown(share, "share"))


def units(found: Findings, teller: Teller, short: Sequence[Short]) -> list[str]:
    """Return the units below those of their level."""
    if not found.figures("unit", "now", "solved"):
        return []
    if not short:
        return [teller.say("tell", "short_none")]
    names = teller.join(_item(teller, one.name, one.solved.value) for one in short[:MOST])
    return [teller.say("tell", "short", names=names)]


def solved(found: Findings, teller: Teller, table: Table) -> list[str]:
    """Return what was closed and solved, and of what most."""
    closed, ended = (found.figures("totals", "now", code).get("") for code in ("closed", "closed_solved"))
    if closed is None or ended is None or not ended.denominator:
        return []
    said = teller.say(
        "tell", "closed", closed=shown(closed.count, "count"), count=shown(ended.numerator or 0.0, "count"),
        share=shown(ended.value, "share"),
    )  # fmt: skip
    most = [row for row in table.rows[:-1] if row[2]][:MOST]  # the last are all together
    names = teller.join(_counted(teller, str(row[0]), row[2]) for row in most)
    return [_joined(teller, [said, teller.say("tell", "most_solved", names=names)] if most else [said])]


def ahead(found: Findings, teller: Teller, several: Sequence[Group], seasons: Table) -> list[str]:
    """Return what is forecast above the usual, which seasons begin, and what rose after this time a year before."""
    above = [one for one in found.expected if one.low > one.usual]
    above.sort(key=lambda one: one.usual - one.expected)
    said = []
    if above:
        names = [_counted(teller, teller.name("category1", one.category), round(one.expected)) for one in above]
        said.append(teller.say("tell", "expected", names=teller.join(names[:MOST])))
    if seasons.rows:
        names = [teller.say("tell", "season_begins", name=str(row[0]), value=str(row[1])) for row in seasons.rows]
        said.append(teller.say("tell", "seasons", names=teller.join(names)))
    first = [_joined(teller, said)] if said else []
    return [*first, *(_year_before(found, teller, several) if found.spans.following else [])]


def _counted(teller: Teller, name: str, count: Value) -> str:
    return teller.say("tell", "counted", name=name, value=shown(count, "count"))


def _year_before(found: Findings, teller: Teller, several: Sequence[Group]) -> list[str]:
    recorded = found.spans.ago and found.recorded(found.spans.ago)
    if not recorded or not any(group.change.now for group in several):
        return [teller.say("tell", "ahead_unknown")]
    rose = sorted(
        (group for group in several if group.change.rose), key=lambda group: group.change.before - group.change.now
    )
    names = _named(teller, rose)
    return [teller.say("tell", "ahead", names=names) if rose else teller.say("tell", "ahead_none")]


def lines(teller: Teller, calls: Table, tests: Table) -> list[str]:
    """Return which lines are below their standard, and how test calls went."""
    if not calls.rows and not tests.rows:
        return [teller.say("tell", "no_lines")]
    said = [sentence for row in calls.rows for sentence in _line(teller, row)]
    said += [
        teller.say("tell", "explained", name=str(row[0]), tests=shown(row[1], "count"), rate=shown(row[2], "share"))
        for row in tests.rows
        if row[2] is not None
    ]
    return [_joined(teller, said)] if said else []


def _line(teller: Teller, row: Sequence[Value]) -> list[str]:
    name, rate, target, dead = str(row[0]), row[4], row[6], row[10]
    said = []
    if isinstance(rate, float) and isinstance(target, float):
        key = "line_low" if rate < target else "line"
        said.append(teller.say("tell", key, name=name, rate=shown(rate, "share"), target=shown(target, "share")))
    if dead:
        said.append(teller.say("tell", "line_dead", name=name, days=shown(dead, "count")))
    return said


def _joined(teller: Teller, sentences: Iterable[str]) -> str:
    return teller.say("writer", "gap").join(sentences)
