"""The city as a grid of cells: its questions, and under each the places where one can be raised.

A place is a street or town, a district where no street is known, or nowhere in particular. Groups of cells, by question
or level 2 or level 1, and in a street or district or the whole city, are the nodes that are looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from libs.common.city.catalogue import Catalogue
from libs.common.city.pack import Unit

Ints = NDArray[np.intp]
Floats = NDArray[np.float64]
CODE, LEVEL2, LEVEL1, ANY = range(4)
"""Levels of matters, `ANY` being all of them."""
STREET, DISTRICT, CITY = range(3)
"""Levels of places."""
NOWHERE = ("", "")


@dataclass(frozen=True, slots=True)
class Cell:
    """How many tickets one question had in one place; a district or street that is not known is empty."""

    code: str
    district: str
    street: str
    count: int


@dataclass(frozen=True, slots=True)
class Spot:
    """What a node stands for: codes, their category as far down as they share one, and the place."""

    codes: tuple[str, ...]
    category: tuple[str, str, str]
    district: str | None
    street: str | None


class Grid:
    """Numbers the questions and places of one city, and says which group each belongs to."""

    def __init__(self, catalogue: Catalogue, units: Mapping[str, Unit]) -> None:
        order = _numbered((q.l1, q.l2) for q in catalogue)
        top = _numbered(q.l1 for q in catalogue)
        # Sums over a group want its members side by side.
        self._questions = [q for _, _, q in sorted(zip(top, order, catalogue, strict=True), key=lambda one: one[:2])]
        streets = [(u.district or "", u.code) for u in units.values() if u.kind in {"street", "town"}]
        districts = sorted({u.district or "" for u in units.values() if u.kind == "district"})
        self._places = sorted([*streets, *((district, "") for district in districts), NOWHERE])
        self._districts = ["", *districts]
        self.codes = [question.code for question in self._questions]
        self.places = [f"{district}/{street}" for district, street in self._places]
        self.tops = list(dict.fromkeys(question.l1 for question in self._questions))
        self._code_of = {code: number for number, code in enumerate(self.codes)}
        self._place_of = {place: number for number, place in enumerate(self._places)}
        self.matters: tuple[Ints, ...] = (
            np.arange(len(self.codes)),
            _numbered((q.l1, q.l2) for q in self._questions),
            _numbered(q.l1 for q in self._questions),
            np.zeros(len(self.codes), dtype=np.intp),
        )
        """For each level of matters, the group of each question."""
        district_of = {district: number for number, district in enumerate(self._districts)}
        self.areas: tuple[Ints, ...] = (
            np.arange(len(self._places)),
            np.array([district_of[district] for district, _ in self._places]),
            np.zeros(len(self._places), dtype=np.intp),
        )
        """For each level of places, the group of each place."""
        named = np.array([bool(street) for _, street in self._places])
        self.looked_at: tuple[NDArray[np.bool_], ...] = (
            named, np.array([bool(d) for d in self._districts]), np.array([True]),
        )  # fmt: skip
        """For each level of places, which groups are places: what is said of nowhere counts for the city alone."""

    @property
    def shape(self) -> tuple[int, int]:
        """How many questions and places there are."""
        return len(self.codes), len(self.places)

    def sizes(self, matter: int, area: int) -> tuple[int, int]:
        """Return how many groups there are at a level of matters and one of places."""
        return int(self.matters[matter].max()) + 1, int(self.areas[area].max()) + 1

    def counted(self, cells: Iterable[Cell]) -> Floats:
        """Return counts as an array of questions and places; of a question the catalogue has no more, nothing."""
        known = list(cells)
        positions = self.positions((cell.code, cell.district, cell.street) for cell in known)
        return self.spread(positions, np.array([cell.count for cell in known], dtype=np.float64))

    def positions(self, cells: Iterable[tuple[str, str, str]]) -> Ints:
        """Return where cells of a question, district and street lie; -1 if the catalogue has the question no more."""
        columns, codes = len(self._places), self._code_of
        return np.array(
            [codes[code] * columns + self.place(d, s) if code in codes else -1 for code, d, s in cells], dtype=np.intp
        )

    def spread(self, positions: Ints, counts: Floats) -> Floats:
        """Return counts of cells that lie at these positions as an array of questions and places."""
        there = positions >= 0
        codes, places = self.shape
        flat = np.bincount(positions[there], counts[there], codes * places)
        return np.asarray(flat, dtype=np.float64).reshape(codes, places)

    def place(self, district: str, street: str) -> int:
        """Return the number of a place, or of the nearest above it that the city knows."""
        known = self._place_of
        return known.get((district, street), known.get((district, ""), known[NOWHERE]))

    def summed(self, values: Floats, matter: int, area: int) -> Floats:
        """Return the sums of an array of questions and places over groups."""
        if matter != CODE:
            values = np.add.reduceat(values, _first(self.matters[matter]), axis=0)
        if area != STREET:
            values = np.add.reduceat(values, _first(self.areas[area]), axis=1)
        return values

    def pyramid(self, values: Floats) -> dict[tuple[int, int], Floats]:
        """Return the sums over the groups of every level of matters and of places, each from the level below it."""
        sums = {(CODE, STREET): values}
        for matter, area in product(range(ANY + 1), range(CITY + 1)):
            if area:
                sums[matter, area] = np.add.reduceat(sums[matter, area - 1], _steps(self.areas, area), axis=1)
            elif matter:
                sums[matter, area] = np.add.reduceat(sums[matter - 1, area], _steps(self.matters, matter), axis=0)
        return sums

    def spot(self, matter: int, row: int, area: int, column: int) -> Spot:
        """Return what a node stands for."""
        members = np.flatnonzero(self.matters[matter] == row)
        first = self._questions[members[0]]
        category = (first.l1, first.l2 if matter <= LEVEL2 else "", first.l3 if matter == CODE else "")
        district, street = NOWHERE
        if area == STREET:
            district, street = self._places[column]
        elif area == DISTRICT:
            district = self._districts[column]
        return Spot(tuple(self.codes[i] for i in members), category, district or None, street or None)

    def node(self, matter: int, row: int, area: int, column: int) -> tuple[Ints, Ints]:
        """Return the questions and the places of a node."""
        return np.flatnonzero(self.matters[matter] == row), np.flatnonzero(self.areas[area] == column)

    def inside(self, codes: Sequence[str], district: str | None, street: str | None) -> tuple[Ints, Ints]:
        """Return the questions and places that a spot of any release's catalogue covers."""
        questions = np.array([self._code_of[code] for code in codes if code in self._code_of], dtype=np.intp)
        if street:
            return questions, np.array([self.place(district or "", street)])
        if district:
            inside = [number for number, (name, _) in enumerate(self._places) if name == district]
            return questions, np.array(inside, dtype=np.intp)
        return questions, np.arange(len(self._places))


def _first(groups: Ints) -> Ints:
    """Return where each group begins, of groups whose members stand side by side."""
    return np.flatnonzero(np.diff(groups, prepend=-1))


def _steps(levels: Sequence[Ints], level: int) -> Ints:
    """Return where each group of a level begins among the groups of the level below it."""
    return _first(levels[level][_first(levels[level - 1])])


def _numbered(names: Iterable[object]) -> Ints:
    known: dict[object, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names], dtype=np.intp)
