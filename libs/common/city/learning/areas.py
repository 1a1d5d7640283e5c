"""Districts and smaller areas as a city's records name them, and which of them a point lies in."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from libs.common.city.learning.history import Case
from libs.common.city.points import Spot, cell_of

FIRST = 100001
"""Records have no statistical codes: districts are numbered in the order of their names."""
FEW, SURE = 5, 0.6
"""Cases below which an area or a spot is left out, and the share of them that must name the same district."""


@dataclass(frozen=True, slots=True)
class Areas:
    """Codes by what stands in the records: of a district six digits, of an area in a district a unit's code."""

    districts: dict[str, str]
    areas: dict[tuple[str, str], str]

    def of(self, case: Case) -> tuple[str, str]:
        """Return the codes of a case's district and area, empty where they are not known."""
        return self.districts.get(case.district, ""), self.areas.get((case.district, case.area), "")


def find_areas(cases: Sequence[Case]) -> Areas:
    """Return the districts and areas that records name often enough."""
    names = Counter(case.district for case in cases if case.district)
    districts = {name: str(FIRST + i) for i, name in enumerate(sorted(n for n, count in names.items() if count >= FEW))}
    pairs = Counter((case.district, case.area) for case in cases if case.district in districts and case.area)
    counters: Counter[str] = Counter()
    areas: dict[tuple[str, str], str] = {}
    for pair in sorted(pair for pair, count in pairs.items() if count >= FEW):
        code = districts[pair[0]]
        counters[code] += 1
        areas[pair] = f"s-{code}{counters[code]:03d}"
    return Areas(districts, areas)


def find_spots(cases: Iterable[Case], areas: Areas) -> list[Spot]:
    """Return where points lie: squares of a grid in which the records agree on a district, with its likeliest area."""
    here: dict[tuple[int, int], Counter[tuple[str, str]]] = defaultdict(Counter)
    for case in cases:
        district, area = areas.of(case)
        if case.point and district:
            here[cell_of(*case.point)][district, area] += 1
    return [spot for cell, found in sorted(here.items()) if (spot := _spot(cell, found))]


def _spot(cell: tuple[int, int], found: Counter[tuple[str, str]]) -> Spot | None:
    districts: Counter[str] = Counter()
    for (district, _), count in found.items():
        districts[district] += count
    (district, most), total = districts.most_common(1)[0], found.total()
    if total < FEW or most < SURE * total:
        return None
    areas = Counter({area: count for (where, area), count in found.items() if where == district and area})
    area, count = areas.most_common(1)[0] if areas else ("", 0)
    return Spot(*cell, district, area if count >= SURE * most else "", round(most / total, 2))
