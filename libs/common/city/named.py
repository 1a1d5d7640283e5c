"""Whom an appeal calls by name 点名: the one company of many that have a duty, or a venue that has a unit of its own.

The catalogue names one owner for a question: of all that supply heat, the largest. Who says 金房 means another, and in
the Summer Palace the parks' centre answers for what the street would do outside. named.csv says which names mean which
unit and in which questions; nowhere else does a name decide.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast, get_args

from libs.common.city.catalogue import Catalogue
from libs.common.city.problems import Problems, Row, read_table
from libs.common.city.toponyms import folded
from libs.common.city.units import Unit

FILE = "named.csv"
COLUMNS = ("kind", "unit", "names", "codes", "instead")
Sort = Literal["unit", "venue", "none"]
_LOCAL = ("street", "district")
# 天坛东路, 颐和园家园, 香山派出所 take their name from the venue, and 北海公园附近 is not in it; 经开区路灯 are in it.
_OTHERWISE = re.compile(
    r"[东西南北中内外前后]{0,2}[一二三四五六七八九十]{0,2}"
    r"(?:大街|胡同|社区|小区|街|路(?![灯况])|巷|桥|村|镇|地区|嘉园|家园|花园)"
    r"|[东西南北中内外前后一二三四五六七八九十]{1,3}里"
    r"|.{0,4}(?:医院|学校|小学|中学|幼儿园|派出所|饭店|宾馆|酒店|商场|市场|公寓|地铁|高速|快线)"
    r"|[东西南北]?[门站]?(?:附近|旁边|周边|对面|以[东西南北]|外面|外边|外头|一带|这一片)"
)
# By so many characters names are looked up, and a shorter one is in every text.
_SHORTEST = 2
_NUMBER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ〇一二三四五六七八九十"


@dataclass(frozen=True, slots=True)
class Sign:
    """What a name stands for: a unit, and the codes of the questions in which it decides; no unit if for nothing."""

    kind: Sort
    unit: str
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Called:
    """The unit an appeal calls by name, and the one whose venue it happens in; None if none or several."""

    unit: str | None = None
    venue: str | None = None


_NOBODY = Called()


class Named:
    """The names of one city. Holds no state between calls; safe to share between threads."""

    def __init__(self, signs: Mapping[str, Sign]) -> None:
        """Index names as `folded` writes them; some milliseconds."""
        self.signs = signs
        self._codes = frozenset(code for sign in signs.values() for code in sign.codes)
        # By how they begin: few places of a text begin any name, and only there the names are tried.
        self._names: dict[str, list[str]] = {}
        for name in sorted(signs, key=len, reverse=True):
            self._names.setdefault(name[:_SHORTEST], []).append(name)

    def called(self, code: str, words: str) -> Called:
        """Return whom words call by name in a question, by its code."""
        if code not in self._codes:
            return _NOBODY
        found = [sign for sign in self._found(folded(words)) if code in sign.codes]
        return Called(_only(found, "unit"), _only(found, "venue")) if found else _NOBODY

    def _found(self, words: str) -> Iterator[Sign]:
        """Yield what the names in some words stand for, the longest one at each place."""
        end = 0
        for start in [at for at in range(len(words)) if words[at : at + _SHORTEST] in self._names]:
            name = self._name_at(words, start) if start >= end else None
            if name is None:
                continue
            end, sign = start + len(name), self.signs[name]
            if sign.kind != "venue" or not _OTHERWISE.match(words, end):
                yield sign

    def _name_at(self, words: str, start: int) -> str | None:
        name = next(
            (name for name in self._names[words[start : start + _SHORTEST]] if words.startswith(name, start)), None
        )
        # 24号线 is not 4号线: a number does not begin within another.
        within = name and start and name[0] in _NUMBER and words[start - 1] in _NUMBER
        return None if within else name


def _only(found: list[Sign], kind: Sort) -> str | None:
    """Return the one unit of these, if it is one: who names two companies leaves it open whose work it is."""
    units = {sign.unit for sign in found if sign.kind == kind}
    return units.pop() if len(units) == 1 else None


def load_named(folder: Path, units: Mapping[str, Unit], catalogue: Catalogue, problems: Problems) -> Named:
    """Read named.csv, which a pack may lack.

    `names` mean the unit in the questions of `codes` (`heating-01` for all of a group) whose duty is otherwise that of
    `instead`: units, or street or district; anybody's if empty. A venue's name does not count as part of a longer one
    or with 附近 behind it. `none` are words that hold a name and mean something else.
    """
    signs: dict[str, Sign] = {}
    path = folder / FILE
    for row in read_table(path, COLUMNS, problems) if path.is_file() else ():
        sign = Sign(cast(Sort, row.choice("kind", get_args(Sort))), row["unit"], frozenset())
        if sign.kind != "none":
            sign = replace(sign, codes=_codes(row, units, catalogue))
        row.filled("names")
        for name in map(folded, row.many("names")):
            if len(name) < _SHORTEST:
                row.wrong("names", f"{name!r} should have at least {_SHORTEST} characters")
            if signs.setdefault(name, sign) is not sign:
                row.wrong("names", f"{name!r} stands for {signs[name].unit or 'nothing'} already")
    return Named(signs)


def _codes(row: Row, units: Mapping[str, Unit], catalogue: Catalogue) -> frozenset[str]:
    """The questions in which the names of a line decide: those it names that are the duty of who it stands in for."""
    if row["unit"] not in units:
        row.wrong("unit", f"{row['unit']!r} should be a code in units.csv")
    instead, found = set(row.many("instead")), set()
    for unknown in sorted(instead - units.keys() - set(_LOCAL)):
        row.wrong("instead", f"{unknown!r} should be a code in units.csv, or {' or '.join(_LOCAL)}")
    for said in row.many("codes"):
        about = [q for q in catalogue if q.code == said or q.code.startswith(f"{said}-")]
        if not about:
            row.wrong("codes", f"{said!r} should be a code in the catalogue, or begin some")
        found |= {q.code for q in about if not instead or (q.owner or q.owner_kind) in instead}
    if not found:
        row.wrong("codes", "should name a question whose owner is one of `instead`")
    return frozenset(found)
