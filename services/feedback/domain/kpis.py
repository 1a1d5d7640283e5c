"""What is made of counted rows: the figures of KPIs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from libs.common.city.kpis import Kpi, Kpis
from libs.common.city.settings import Rates as Weights

Dimension = Literal[
    "unit", "level", "district", "street", "category1", "category2", "code", "channel", "tag", "urgency",
    "day", "week", "month", "quarter", "year",
]  # fmt: skip
"""By what figures are told apart. `level` is the kind of unit (street, town, district, department, company); times are
of the moment that counts, in the city's time, as 2026-11-03, 2026-W45, 2026-11, 2026-Q4, 2026."""
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)


@dataclass(frozen=True, slots=True)
class Figure:
    """One KPI of one group: `group` has a value for each dimension asked for, None where the record has none.

    `count` is how many rows it rests on, `value` is None without any. Of a share, a ratio and a mean the value is
    `numerator` by `denominator`; percentiles and weighted sums have neither. Shares run from 0 to 1, times are hours.
    """

    kpi: str
    group: tuple[str | None, ...]
    value: float | None
    count: int
    numerator: float | None = None
    denominator: int | None = None


@dataclass(frozen=True, slots=True)
class Measures:
    """What a city measures and what that takes: its zone, the kinds of its units, the weights of the three rates.

    `chosen` are the codes of the KPIs wanted of them.
    """

    kpis: Kpis
    weights: Weights
    zone: str
    kinds: Mapping[str, str]
    chosen: tuple[str, ...] = ()

    def of(self, *codes: str) -> "Measures":
        """Return these with other KPIs chosen; KeyError for one that the city does not have."""
        return replace(self, chosen=tuple(self.kpis.by_code[code].code for code in codes))

    def needed(self) -> list[Kpi]:
        """Return the KPIs to count for the chosen ones: themselves, their parts, and what they are per."""
        by_code = self.kpis.by_code
        wanted: dict[str, Kpi] = {}
        for kpi in (by_code[code] for code in self.chosen):
            for code in (kpi.code, *kpi.parts, *([kpi.per] if kpi.per else [])):
                wanted[code] = by_code[code]
        return [kpi for kpi in wanted.values() if kpi.measure != "weighted"]


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted for one KPI in one group: rows, and of them the good ones, the sum, or the percentile."""

    rows: int = 0
    of_them: float | None = None


Counts = Mapping[str, Mapping[tuple[str | None, ...], Count]]
"""By KPI, then by group."""


def made(measures: Measures, counts: Counts) -> list[Figure]:
    """Return the figures of the chosen KPIs, in order, of every group that has any."""
    chosen = [measures.kpis.by_code[code] for code in measures.chosen]
    return [_figure(kpi, group, measures, counts) for kpi in chosen for group in _groups(kpi, counts)]


def _groups(kpi: Kpi, counts: Counts) -> list[tuple[str | None, ...]]:
    of = [kpi.parts[0]] if kpi.parts else [kpi.per] if kpi.per else [kpi.code]
    found = {group for code in (*of, kpi.code) for group in counts.get(code, {})}
    return sorted(found, key=lambda group: [value or "" for value in group])


def _figure(kpi: Kpi, group: tuple[str | None, ...], measures: Measures, counts: Counts) -> Figure:
    if kpi.measure == "weighted":
        return _weighted(kpi, group, measures, counts)
    own = counts[kpi.code].get(group, Count())
    if kpi.measure == "count":
        return Figure(kpi.code, group, own.rows, own.rows)
    if kpi.measure == "ratio":
        per = counts[kpi.per or ""].get(group, Count()).rows
        return Figure(kpi.code, group, own.rows / per if per else None, per, own.rows, per)
    if not own.rows or own.of_them is None:
        return Figure(kpi.code, group, None, 0, denominator=0)
    if kpi.measure in {"p50", "p90"}:
        return Figure(kpi.code, group, own.of_them, own.rows)
    return Figure(kpi.code, group, own.of_them / own.rows, own.rows, own.of_them, own.rows)


def _weighted(kpi: Kpi, group: tuple[str | None, ...], measures: Measures, counts: Counts) -> Figure:
    """Return the parts together; None unless each has something to rest on."""
    parts = [_figure(measures.kpis.by_code[part], group, measures, counts) for part in kpi.parts]
    total = 0.0
    for part in parts:
        if part.value is None:
            return Figure(kpi.code, group, None, 0)
        total += float(getattr(measures.weights, part.kpi)) * part.value
    return Figure(kpi.code, group, total, min(part.count for part in parts))
