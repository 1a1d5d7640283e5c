"""Bulletins 通报 of a month: what there is to say of a unit, and of the units in its area, in the order it is read.

A bulletin rests on one published version alone, so a ruling that changes the figures of one unit changes its bulletin,
and those of the areas it lies in, and no other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from libs.common.city.categories import category_name
from libs.common.city.kpis import Kpi
from libs.common.city.settings import Name
from services.feedback.domain.deductions import Deduction
from services.feedback.domain.diagnosis import Diagnosis
from services.feedback.domain.scores import Score

Section = Literal["figures", "compared", "short", "ahead", "area", "ruled"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text of the catalogue, `bulletin.<section>.<text>`, with what to fill in."""

    section: Section
    text: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Area:
    """What the units of an area had together; shares of their answers."""

    units: int
    counted: int
    responded: float
    solved: float
    satisfied: float
    total: float
    above: tuple[str, ...]
    below: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rulings:
    """What was ruled on a unit in a month by a version: points taken off, and how many of its appeals were upheld."""

    deductions: tuple[Deduction, ...] = ()
    upheld: int = 0


@dataclass(frozen=True, slots=True)
class Words:
    """What things are called: KPIs by their codes, level-1 categories by their Chinese names."""

    kpis: Mapping[str, Kpi]
    categories: Mapping[str, Name]


def category_in(categories: Mapping[str, Name], category: tuple[str, str]) -> dict[str, str]:
    """Return what a category of two levels is called in each language; level 2 has Chinese names alone."""
    level1, level2 = category_name(categories, category[0]), category[1]
    return {"zh": f"{level1.zh}·{level2}", "en": f"{level1.en} · {level2}"}


def area_of(scores: Sequence[Score]) -> Area | None:
    """Return what units had together, None if it is nothing. Those of too few answers count, and are not named."""
    counting = [one for one in scores if one.counted]
    counted = sum(one.counted for one in counting)
    if not counted:
        return None
    names = ("responded", "solved", "satisfied", "total")
    shares = {name: sum(one.counted * float(getattr(one, name)) for one in counting) / counted for name in names}
    return Area(
        len(counting), counted, **shares,
        above=tuple(one.unit_name for one in counting if one.standing == "above"),
        below=tuple(one.unit_name for one in counting if one.standing == "below"),
    )  # fmt: skip


def sentences(
    found: Diagnosis | None, area: Area | None, rulings: Rulings, words: Words
) -> list[Sentence]:  # fmt: skip
    """Return all there is to say, section by section; of an office without answers of its own, of its area."""
    own = [*_figures(found.score), *_compared(found.score), *_short(found, words), *_ahead(found)] if found else []
    return [*own, *_area(area), *_ruled(rulings)]


def _figures(score: Score) -> Iterable[Sentence]:
    if not score.counted:
        yield Sentence("figures", "nothing")
        return
    rates = {name: percent(getattr(score, name)) for name in ("responded", "solved", "satisfied", "total")}
    yield Sentence("figures", "rates", {"counted": score.counted, **rates})
    if score.response_in_time is not None or score.completion_in_time is not None:
        in_time = {"response": percent(score.response_in_time), "completion": percent(score.completion_in_time)}
        yield Sentence("figures", "in_time", in_time)
    if score.apart:
        yield Sentence("figures", "apart", {"apart": score.apart, "total": percent(score.apart_total)})
    if score.earned or score.deducted:
        points = {"earned": f"{score.earned:g}", "deducted": f"{score.deducted:g}", "points": f"{score.points:.1f}"}
        yield Sentence("figures", "points", points)


def _compared(score: Score) -> Iterable[Sentence]:
    if score.fair is None or score.standing == "few":
        yield Sentence("compared", "few")
        return
    shown = {name: percent(getattr(score, name)) for name in ("expected", "fair", "low", "high")}
    yield Sentence("compared", score.standing, shown)
    if score.growth is not None and score.growth_low is not None and score.growth_high is not None:
        moved = "better" if score.growth_low > 0 else "worse" if score.growth_high < 0 else "same"
        yield Sentence("compared", moved, {"growth": percent(abs(score.growth))})


def _short(found: Diagnosis, words: Words) -> Iterable[Sentence]:
    if not found.score.counted:
        return
    for gap in found.gaps:
        name = {"zh": words.kpis[gap.kpi].name.zh, "en": words.kpis[gap.kpi].name.en}
        against = {"peers": len(found.against), "own": percent(gap.own), "others": percent(gap.others)}
        yield Sentence("short", "rate", {"kpi": name, **against})
    if found.against and not found.gaps:
        yield Sentence("short", "none")
    if found.score.standing == "few":
        return
    for one in found.categories:
        category = category_in(words.categories, one.category)
        shown = {"value": percent(one.value), "expected": percent(one.expected)}
        yield Sentence("short", "category", {"category": category, "answers": one.answers, **shown})
        if one.helpers:
            units = {"zh": "、".join(helper.unit.name for helper in one.helpers)}
            units["en"] = ", ".join(helper.unit.name for helper in one.helpers)
            yield Sentence("short", "helper", {"category": category, "units": units})


def _ahead(found: Diagnosis) -> Iterable[Sentence]:
    if found.ahead:
        did = {"orders": found.ahead.orders, "proven": found.ahead.proven, "points": f"{found.ahead.points:g}"}
        yield Sentence("ahead", "done", did)


def _area(area: Area | None) -> Iterable[Sentence]:
    if area is None:
        return
    rates = {name: percent(getattr(area, name)) for name in ("responded", "solved", "satisfied", "total")}
    yield Sentence("area", "whole", {"units": area.units, "counted": area.counted, **rates})
    for standing, names in (("above", area.above), ("below", area.below)):
        if names:
            yield Sentence("area", standing, {"units": {"zh": "、".join(names), "en": ", ".join(names)}})


def _ruled(rulings: Rulings) -> Iterable[Sentence]:
    for one in rulings.deductions:
        said = {"points": f"{one.imposed:g}", "fault": one.fault, "ruling": one.ruling or ""}
        yield Sentence("ruled", "deducted", said)
    if rulings.upheld:
        yield Sentence("ruled", "appeal", {"upheld": rulings.upheld})


def percent(share: float | None) -> str:
    """Return a share as people read it."""
    return "—" if share is None else f"{share:.1%}"
