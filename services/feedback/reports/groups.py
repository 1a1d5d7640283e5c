"""Figures of a report by group, with what changed and what may be chance: tables are made of them, and words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.feedback.domain.chance import Change, Step, changed, pooled, stepped, wilson
from services.feedback.domain.kpis import Dimension, Figure
from services.feedback.domain.reports import CUTS, DECIDED_LATER, Findings
from services.feedback.reports.messages import Teller

ENOUGH_ANSWERS = 30
"""With fewer a unit is not said to be below others."""
FEW = 20
"""With fewer appeals than this in both spans a question is not told of as rising."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group by its key and its name, how its count changed, and what was solved of it."""

    key: str
    name: str
    change: Change
    figures: Mapping[str, Figure]

    def value(self, kpi: str) -> float | None:
        """A figure of it in the period."""
        figure = self.figures.get(kpi)
        return figure.value if figure else None

    def answers(self, kpi: str) -> int:
        """How many rows a figure of it rests on."""
        figure = self.figures.get(kpi)
        return figure.count if figure else 0


def groups(
    found: Findings, teller: Teller, cut: str, kpis: Iterable[str] = (), of: tuple[str, str] = ("now", "before")
) -> list[Group]:
    """Return the groups of a cut, the largest first."""
    now, before = (found.figures(cut, span, "received") for span in of)
    others = {kpi: found.figures(cut, of[0], kpi) for kpi in kpis}
    keys = sorted({*now, *before, *(key for figures in others.values() for key in figures)})
    dimension = next(one.by[0] for one in CUTS if one.name == cut)
    days = found.lengths if of == ("now", "before") else _equal(found)
    made = [
        Group(
            key, teller.name(dimension, key),
            changed(_count(now, key), _count(before, key), days, wobble(found, teller, cut, key), len(keys)),
            {kpi: figures[key] for kpi, figures in others.items() if key in figures},
        )
        for key in keys
    ]  # fmt: skip
    return sorted(made, key=lambda group: (-group.change.now, group.key))


def _equal(found: Findings) -> tuple[float, float]:
    """How many days what followed a year before has, and that itself."""
    first, second = found.spans.following or found.spans.now, found.spans.ago or found.spans.now
    return found.recorded(first), found.recorded(second)


def _count(figures: Mapping[str, Figure], key: str) -> int:
    return figures[key].count if key in figures else 0


def wobble(found: Findings, teller: Teller, cut: str, key: str) -> float:
    """Return how much the days of a group differ: a question's as those of its category, a place's as those of all."""
    if cut == "code":
        question = teller.question(key)
        key = question.l1 if question else ""
    return found.wobble.get(key, found.wobble.get("", 0.0))


def total(found: Findings) -> Change:
    """Return how all that came in changed."""
    now, before = (found.figures("totals", of, "received").get("") for of in ("now", "before"))
    counts = (now.count if now else 0, before.count if before else 0)
    return changed(*counts, found.lengths, found.wobble.get("", 0.0))


def step(found: Findings, kpi: str, rows: int = 1) -> Step | None:
    """Return how a share of all changed; None where there is none in either span."""
    now, before = (found.figures("totals", of, kpi).get("") for of in ("now", "before"))
    if not (now and now.count) and not (before and before.count):
        return None
    return stepped(parts(now), parts(before), rows, undecided(found, kpi))


def undecided(found: Findings, kpi: str) -> int:
    """Return of how many it will be decided later, going by how much of what came before is; 0 where nothing is."""
    whole = DECIDED_LATER.get(kpi)
    if whole is None:
        return 0
    now, before = ([found.figures("totals", of, code).get("") for code in (kpi, whole)] for of in ("now", "before"))
    if not (now[0] and now[1] and before[0] and before[1] and before[1].count):
        return 0
    return max(0, round(now[1].count * before[0].count / before[1].count) - now[0].count)


def parts(figure: Figure | None) -> tuple[float, int]:
    """Return how many of how many a share is of."""
    return (figure.numerator or 0.0, figure.denominator or 0) if figure else (0.0, 0)


@dataclass(frozen=True, slots=True)
class Short:
    """A unit that solved less than the units of its level do together, beyond chance."""

    key: str
    name: str
    level: str
    solved: Figure
    level_solved: float
    high: float


def shorts(found: Findings, teller: Teller) -> list[Short]:
    """Return the units that fall short, the furthest below first."""
    solved = {unit: figure for unit, figure in found.figures("unit", "now", "solved").items() if figure.denominator}
    levels = {unit: teller.level(unit) for unit in solved}
    short = []
    for unit, figure in solved.items():
        part, count = pooled(parts(other) for key, other in solved.items() if levels[key] == levels[unit])
        high = wilson(*parts(figure), len(solved))[1]
        if figure.count >= ENOUGH_ANSWERS and high < part / count:
            short.append(Short(unit, teller.name("unit", unit), levels[unit], figure, part / count, high))
    return sorted(short, key=lambda one: (one.high - one.level_solved, one.key))


def below(found: Findings, places: Iterable[Group]) -> list[Group]:
    """Return the places that solved less than the whole, beyond chance."""
    several = list(places)
    whole = found.figures("totals", "now", "solved").get("")
    if whole is None or whole.value is None:
        return []
    enough = [place for place in several if place.key and place.answers("solved") >= ENOUGH_ANSWERS]
    return [place for place in enough if wilson(*parts(place.figures["solved"]), len(several))[1] < whole.value]


@dataclass(frozen=True, slots=True)
class Riser:
    """A question that rose beyond chance, and what may tell why: where it is, how it was solved, how it repeats."""

    group: Group
    places: int
    most: str
    most_share: float | None
    solved: float | None
    solved_high: float
    repeats: float | None


def risen(questions: Iterable[Group]) -> list[Group]:
    """Return the questions that rose beyond chance, and those of which there were none before; the most first."""
    several = list(questions)
    # Where nothing can be compared, all is new and nothing rose.
    known = any(one.change.value is not None for one in several)
    many = [one for one in several if one.key and max(one.change.now, one.change.before) >= FEW]
    rose = [one for one in many if one.change.rose or (known and not one.change.before)]
    return sorted(rose, key=lambda one: (one.change.before - one.change.now, one.key))


def risers(found: Findings, teller: Teller, place: Dimension | None) -> list[Riser]:
    """Return what the findings have of each question that rose."""
    by_key = {group.key: group for group in risen(groups(found, teller, "code"))}
    made = []
    for rising in (one for one in found.rising if one.code in by_key):
        known = sorted((f for f in rising.places if f.count and f.group[0]), key=lambda f: (-f.count, f.group[0] or ""))
        all_ = sum(figure.count for figure in rising.places)
        solved, repeats = rising.solved, rising.repeats
        made.append(
            Riser(
                by_key[rising.code], len(known),
                teller.name(place, known[0].group[0] or "") if place and known else "",
                known[0].count / all_ if known else None,
                solved.value if solved else None, wilson(*parts(solved), len(found.rising))[1],
                repeats.value if repeats else None,
            )
        )  # fmt: skip
    return made
