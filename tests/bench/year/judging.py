"""Judges what feedback says of the year by what was planted, and by an auditor's own count of the events."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from statistics import correlation, mean
from typing import Any
from uuid import UUID

from tests.bench.year.ledger import Ledger, Rates
from tests.bench.year.lives import Lives
from tests.bench.year.reading import MONTHS, RATES, Doubt, Reading
from tests.bench.year.town import BEGINS, Manner, Town
from tests.bench.year.work import Work

EXACT = 1e-9
SETTLED = datetime(2100, 1, 1, tzinfo=UTC)
TENTH = 0.1
READ = 6
COMPARED: tuple[Manner, ...] = ("lazy", "hard", "plain")
LATE = ("response_in_time", "completion_in_time")
NAMES: Mapping[Manner, str] = {
    "lazy": "lazy units", "false": "false closers", "small": "honest small streets", "hard": "units with hard mail",
    "plain": "plain units",
}  # fmt: skip
Row = tuple[str, str]
Scores = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By month, then by unit."""


@dataclass(frozen=True, slots=True)
class Checked:
    """How many rates of units and months were held against the auditor's count, and which differ."""

    rates: int
    wrong: list[str]


async def rates(reading: Reading, ledger: Ledger, without: tuple[str, tuple[str, str]]) -> tuple[Checked, Checked]:
    """Hold each month as it was first published, and as it stands after rulings, against the auditor's count.

    `without` is the month and the ticket and unit of the appeal that was upheld.
    """
    checks: list[Checked] = []
    figures = await reading.figures(*RATES)
    for first in (True, False):
        count, wrong = 0, list[str]()
        for month in MONTHS:
            as_of = await reading.published_at(month) if first else SETTLED
            out = {without[1]} if month == without[0] and not first else set()
            counted = ledger.rates(month, as_of, out)
            told = {
                unit: {name: (one["counted"], one[name]) for name in RATES}
                for unit, one in (await reading.scores(month, **({"version": 1} if first else {}))).items()
            }
            count += 3 * len(counted)
            wrong += [f"scores {month} {unit}" for unit in _differing(counted, told)]
            if not first:
                live = {
                    unit: {name: (one["count"], one["value"]) for name, one in row.items()}
                    for (unit, of), row in figures.items()
                    if of == month and unit
                }
                count += 3 * len(counted)
                wrong += [f"figures {month} {unit}" for unit in _differing(counted, live)]
        checks.append(Checked(count, wrong))
    return checks[0], checks[1]


def _differing(counted: Rates, told: Mapping[str, Mapping[str, tuple[int, float | None]]]) -> list[str]:
    """Return the units whose answers or rates are not the auditor's; one that counts nothing may be absent."""
    units = counted.keys() | {unit for unit, row in told.items() if any(rows for rows, _ in row.values())}
    return [unit for unit in sorted(units) if not _same(counted.get(unit), told.get(unit))]


def _same(own: tuple[int, ...] | None, theirs: Mapping[str, tuple[int, float | None]] | None) -> bool:
    if own is None or theirs is None:
        return False
    return all(
        rows == own[0] and value is not None and abs(value - good / own[0]) < EXACT
        for (rows, value), good in zip((theirs[name] for name in RATES), own[1:], strict=True)
    )


def topics(town: Town, proposed: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Row]:
    """Yield how the planted class problems came out in the months' topics, and what else was among these."""
    codes = {problem: {m.question.code for m in town.matters if m.problem == problem} for problem in BEGINS}
    kinds, found, first = Counter[str](), Counter[str](), dict[str, int]()
    due = 0
    for number, month in enumerate(MONTHS, 1):
        active = {problem for problem, since in BEGINS.items() if since <= date(2025, number, 1)}
        due += len(active)
        for topic in proposed[month]:
            about = [problem for problem in active if codes[problem] & set(topic["codes"])]
            kinds["planted" if about else _kind(town, topic["codes"])] += 1
            for problem in about:
                found[problem] += 1
                first.setdefault(problem, number - BEGINS[problem].month + 1)
    total = sum(kinds.values())
    yield "class problems planted, found in some month", f"{len(first)} of {len(BEGINS)}"
    yield "their months, with it among the topics (recall)", share(sum(found.values()), due)
    yield (
        "months of each that found it, and the first",
        "; ".join(
            f"{problem} {found[problem]} of {13 - since.month}, month {first.get(problem, '-')}"
            for problem, since in BEGINS.items()
        ),
    )
    yield "topics that are a planted problem (precision)", share(kinds["planted"], total)
    yield "topics that are a matter which all units find hard", share(kinds["hard"], total)
    yield "topics that are the duty of a lazy unit or false closer alone", share(kinds["owned"], total)
    yield "any other topic", share(kinds["other"], total)


def _kind(town: Town, codes: Collection[str]) -> str:
    """Return what else is wrong with questions, if anything is."""
    about = [matter for matter in town.matters if matter.question.code in codes]
    if any(matter.hard for matter in about):
        return "hard"
    bad = town.with_manner("lazy", "false")
    return "owned" if any(matter.owner in bad for matter in about) else "other"


def standings(town: Town, scores: Scores) -> Iterator[Row]:
    """Yield who is called below, of those who should be and of those who should not."""
    bottom = {month: raw_bottom(scores[month]) for month in MONTHS}
    for manner, name in NAMES.items():
        units = town.with_manner(manner)
        rows = [(m, unit, scores[m][unit]) for m in MONTHS for unit in units if unit in scores[m]]
        said = Counter(one["standing"] for _, _, one in rows)
        raw = sum(unit in bottom[month] for month, unit, _ in rows)
        ever = {unit for _, unit, one in rows if one["standing"] == "below"}
        answers = mean(one["counted"] for _, _, one in rows) if rows else 0
        figure = (
            f"called below in {share(said['below'], len(rows))}, {len(ever)} units at least once; above in "
            f"{share(said['above'], len(rows))}; nothing said, for want of like answers, in "
            f"{share(said['few'], len(rows))}; by the raw rate in the last tenth in {share(raw, len(rows))}"
        )
        yield f"{name} ({len(units)}, {answers:.0f} answers a month)", figure
    honest = town.with_manner("small", "hard", "plain")
    below = [unit in honest for m in MONTHS for unit, one in scores[m].items() if one["standing"] == "below"]
    last = [unit in honest for m in MONTHS for unit in bottom[m]]
    yield "of all called below, honest", share(sum(below), len(below))
    yield "of all in the raw ranking's last tenth, honest", share(sum(last), len(last))


def raw_bottom(scores: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return the units in the last tenth of their kind by the weighted rates alone."""
    kinds: dict[str, list[tuple[float, str]]] = {}
    for unit, one in scores.items():
        if one["total"] is not None:
            kinds.setdefault(one["level"], []).append((one["total"], unit))
    return {unit for some in kinds.values() for _, unit in sorted(some)[: max(1, round(TENTH * len(some)))]}


def diagnosed(town: Town, found: Mapping[tuple[str, str], Mapping[str, Any]]) -> Iterator[Row]:
    """Yield in how many months a diagnosis finds a unit short of its peers, in time or in a rate."""
    for manner in COMPARED:
        gaps = [
            {gap["kpi"] for gap in one["gaps"]} for (_, unit), one in found.items() if town.units[unit].manner == manner
        ]
        late = sum(not one.isdisjoint(LATE) for one in gaps)
        short = sum(not one.isdisjoint(RATES) for one in gaps)
        yield (
            f"diagnoses of {NAMES[manner]}",
            (f"{share(late, len(gaps))} name lateness, {share(short, len(gaps))} one of the three rates"),
        )


def closings(town: Town, lives: Lives, doubts: Sequence[Doubt], rows: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Yield how far doubts are the false closings, and what places false closers have by doubted share."""
    doubted = {(one.ticket, one.round) for one in doubts}
    false = {key for key, done in _resolved(lives).items() if done.false}
    undone = {key for key, done in _resolved(lives).items() if not done.solved}
    yield "false closings, doubted (recall)", share(len(false & doubted), len(false))
    yield "doubts that are a false closing (precision)", share(len(false & doubted), len(doubted))
    yield "doubts of which the matter was not done", share(len(undone & doubted), len(doubted))
    others = len(lives.truth) - len(false)
    yield "honest rounds doubted", share(len(doubted - false), others)
    ranked = sorted(rows, key=lambda one: -one["open"] / one["resolved"])
    closers = town.with_manner("false")
    top = [one["unit"]["code"] for one in ranked[: len(closers)]]
    yield f"false closers among the {len(closers)} units with most doubts for each round", str(len(closers & set(top)))
    signs = Counter(kind for one in doubts if (one.ticket, one.round) in false for kind in one.kinds)
    yield "signs of the true ones", ", ".join(f"{kind} {count}" for kind, count in signs.most_common())


def _resolved(lives: Lives) -> dict[tuple[UUID, int], Work]:
    return {key: done for key, done in lives.truth.items() if key in lives.done}


def bounces(town: Town, figures: Mapping[tuple[str, str], Mapping[str, Any]]) -> Iterator[Row]:
    """Yield who stands out by returns that were ruled against them."""
    by_unit: dict[str, list[float]] = {}
    for (unit, _), row in figures.items():
        if unit in town.units and row["passed_on"]["denominator"]:
            of = by_unit.setdefault(unit, [0.0, 0.0])
            of[0] += row["passed_on"]["numerator"]
            of[1] += row["passed_on"]["denominator"]
    ranked = sorted(by_unit, key=lambda unit: -by_unit[unit][0] / by_unit[unit][1])
    lazy = town.with_manner("lazy")
    yield f"lazy units among the {len(lazy)} that pass most of their orders on", str(len(lazy & {*ranked[: len(lazy)]}))


def quality(
    lives: Lives, models: Sequence[Any], months: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[Row]:  # fmt: skip
    """Yield what the index of process quality tells, which no answer is in."""
    last = models[0]
    found = last["metrics"]
    yield (
        "index of process quality, last model",
        (
            f"{len(models)} models; {last['answers']} answers, AUC {found['auc']:.2f} "
            f"({found['low']:.2f} to {found['high']:.2f})"
        ),
    )
    rounds = [(one["unit"]["code"], one["rounds"], one["index"]) for some in months.values() for one in some]
    for manner, name in NAMES.items():
        these = lives.town.with_manner(manner)
        mine = [(n, index) for unit, n, index in rounds if unit in these]
        if mine:
            yield f"mean index, {name}", f"{sum(n * index for n, index in mine) / sum(n for n, _ in mine):.1f}"
    truth: dict[str, list[bool]] = {}
    for ticket, round_ in lives.done:
        truth.setdefault(lives.lives[ticket].unit.ref.code, []).append(lives.truth[ticket, round_].solved)
    units = sorted(truth.keys() & {unit for unit, _, _ in rounds})
    own = {unit: [(n, index) for code, n, index in rounds if code == unit] for unit in units}
    means = [sum(n * index for n, index in own[unit]) / sum(n for n, _ in own[unit]) for unit in units]
    yield (
        "index and what was truly solved, by unit: correlation",
        (f"{correlation(means, [mean(truth[unit]) for unit in units]):.2f}"),
    )


def moved(before: Mapping[str, Any], after: Mapping[str, Any], month: str, unit: str) -> Iterator[Row]:
    """Yield which figures an upheld appeal moved: what was published, and what is counted live."""
    names = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    own = [name for name in names if name.split(" ")[2] == unit]
    live = [name for name in own if name.startswith("figures ")]
    inside = [name for name in own if name.split(" ")[1] == month]
    yield "figures compared before and after an upheld appeal", str(len(before))
    yield "moved: published, of its unit and month", str(len(set(inside) - set(live)))
    yield "moved: live, of its unit and month", str(len(set(inside) & set(live)))
    others = sorted({name.split(" ")[1] for name in live} - {month})
    yield "moved: live, of its unit when the ticket came or was done", f"{len(set(live) - set(inside))} {others or ''}"
    rest = sorted({*names} - {*inside} - {*live})
    yield "moved: any other", f"{len(rest)} {rest[:5] or ''}"


def share(part: int, whole: int) -> str:
    """Return a share with what it is of."""
    return f"{part / whole:.1%} ({part} of {whole})" if whole else "none"


def chosen(town: Town) -> Collection[str]:
    """Return the units whose diagnoses are read: some of each of three manners."""
    return [unit for manner in COMPARED for unit in sorted(town.with_manner(manner))[:READ]]
