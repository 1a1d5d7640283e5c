"""Writes the pack of a city from its records: what people raised, who had it, where it was, how long it was to take.

No record stands in it: a phrase is kept only if many records share it and it holds no figures; units, areas and roads
are counted together. What records do not know, such as words of danger, comes from general files of the language.
"""

import csv
import json
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

from libs.common.city.catalogue import COLUMNS, MIN_PHRASES
from libs.common.city.learning.areas import Areas, find_areas, find_spots
from libs.common.city.learning.history import Case
from libs.common.city.learning.limits import Span, class_limits, class_of, find_limits
from libs.common.city.learning.mapping import Mapped
from libs.common.city.limits import COLUMNS as LIMIT_COLUMNS
from libs.common.city.limits import FILE as LIMITS
from libs.common.city.names import PLACE_COLUMNS
from libs.common.city.pack import City
from libs.common.city.points import COLUMNS as POINT_COLUMNS
from libs.common.city.units import UNIT_COLUMNS

GENERAL = Path(__file__).parent / "english"
FEW = 3
"""Records from which a question is one of the catalogue."""
SHARED = 5
"""Records that must say a thing in the same words, so that these are nobody's own."""
MOST_PHRASES = 12
OWNED = 0.8
"""The share of a question's records that one unit must have had to own it; below, its department owns it."""
ASKED = (
    "On which street and at what number is it, or where else in the city? | Since when has it been so, and how often "
    "does it happen? | Is it a danger to you, to a child or to anyone near it right now?"
)
"""What a seat asks of every matter. Its small words are then of every question, and a model learns nothing by them."""
OF_A_PLACE = 0.5
"""The share of a question's records that must name an address for it to be of public space, not the reporter's own."""
_FIGURES = re.compile(r"\d|@|http", re.IGNORECASE)
_TAG = "便利性"
_HOURS = "Mo-Fr 09:00-17:00"
_DEFAULTS = {"urgent": timedelta(hours=2), "livelihood": timedelta(days=1), "general": timedelta(days=7),
             "complex": timedelta(days=30)}  # fmt: skip
_RESPONSE = {"urgent": timedelta(minutes=30), "livelihood": timedelta(hours=2)}
"""What this project holds a first answer to, where records do not tell; a day for the other classes."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of the records, in numbers."""

    cases: int
    questions: int
    units: int
    districts: int
    areas: int
    points: int
    limits: int


@dataclass(frozen=True, slots=True)
class Coded:
    """A pack's codes by what stands in the records: units and departments, districts, areas in them."""

    units: Mapping[str, str]
    areas: Areas

    @classmethod
    def of(cls, city: City) -> "Coded":
        """Return the codes of a pack that was made of such records."""
        shorts = {unit.district: unit.short for unit in city.units.values() if unit.kind == "district"}
        return cls(
            units={unit.short: code for code, unit in city.units.items() if code.startswith("unit-")},
            areas=Areas(
                {short: district for district, short in shorts.items() if district},
                {
                    (shorts[unit.district], unit.short): code
                    for code, unit in city.units.items()
                    if unit.kind == "street"
                },
            ),
        )


def make_pack(cases: Sequence[Case], map_: Mapped, folder: Path) -> Made:
    """Write the pack of a city to a folder that is empty or not there. Raises FileExistsError, ValueError for none."""
    if not cases:
        raise ValueError("no record tells when it came, what it was and whose")
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    (folder / "catalogue").mkdir(parents=True)
    for name in ("cues.toml", "hotspots.toml", "danger.csv"):
        shutil.copyfile(GENERAL / name, folder / name)
    emergencies = (GENERAL / "emergencies.toml").read_text(encoding="utf-8")
    (folder / "emergencies.toml").write_text(emergencies.replace("@NUMBER@", map_.emergency), encoding="utf-8")
    spans = find_limits(cases, map_.office, ZoneInfo(map_.city.timezone))
    areas, codes = find_areas(cases), _unit_codes(cases)
    _write(folder / "units.csv", UNIT_COLUMNS, _units(map_, areas, codes))
    _write(folder / "places.csv", PLACE_COLUMNS, [(map_.city.name.zh, "city", "", "")])
    spots = find_spots(cases, areas)
    _write(folder / "points.csv", POINT_COLUMNS, map(astuple, spots))
    limits = _write_catalogue(folder, cases, spans, codes)
    _write(folder / LIMITS, LIMIT_COLUMNS, limits)
    (folder / "city.toml").write_text(_settings(map_, class_limits(spans)), encoding="utf-8")
    return Made(
        len(cases), _questions_of(folder), len(codes.units), len(areas.districts), len(areas.areas), len(spots),
        len(limits),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Codes:
    departments: Mapping[str, str]
    units: Mapping[str, str]
    above: Mapping[str, str]


def _unit_codes(cases: Sequence[Case]) -> _Codes:
    """Number what handled records; a unit stands below the department most of its records name."""
    above: dict[str, Counter[str]] = defaultdict(Counter)
    for case in cases:
        above[case.unit][case.department] += 1
    named = {unit: counts.most_common(1)[0][0] for unit, counts in above.items()}
    departments = _slugs("dept", sorted({name for name in named.values() if name}))
    return _Codes(departments, _slugs("unit", sorted(named)), named)


def _slugs(prefix: str, names: Iterable[str]) -> dict[str, str]:
    """Return a code of each name, no two alike."""
    codes: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "other"
        base = code = f"{prefix}-{plain}" if prefix else plain
        for number in count(2):
            if code not in taken:
                break
            code = f"{base}-{number}"
        taken.add(code)
        codes[name] = code
    return codes


def _units(map_: Mapped, areas: Areas, codes: _Codes) -> list[tuple[str, ...]]:
    centre = map_.centre
    rows: list[tuple[str, ...]] = [
        ("centre", centre.name.zh, centre.name.en, centre.name.en, "centre", "", "", centre.phone, "24h")
    ]
    for name, code in codes.departments.items():
        full = map_.departments.get(name.strip(), name)
        rows.append((code, full, full, name, "department", "centre", "", "", _HOURS))
    for name, code in codes.units.items():
        parent = codes.departments.get(codes.above[name], "centre")
        rows.append((code, name, name, name, "department", parent, "", "", _HOURS))
    for name, code in areas.districts.items():
        full = map_.districts.get(name, name)
        rows.append((f"d-{code}", full, full, name, "district", "centre", code, "", _HOURS))
    for (district, name), code in areas.areas.items():
        where = areas.districts[district]
        rows.append((code, name, name, name, "street", f"d-{where}", where, "", _HOURS))
    return rows


def _write_catalogue(
    folder: Path, cases: Sequence[Case], spans: Mapping[tuple[str, str, str], Span], codes: _Codes
) -> list[tuple[str, ...]]:
    """Write a file for each first level, and return the limits by the codes of questions."""
    found: dict[tuple[str, str, str], list[Case]] = defaultdict(list)
    for case in cases:
        found[case.category].append(case)
    questions = sorted(category for category, mine in found.items() if len(mine) >= FEW)
    limits: list[tuple[str, ...]] = []
    scopes: dict[str, list[str]] = {"public": [], "personal": []}
    for number, (level1, slug) in enumerate(_slugs("", dict.fromkeys(l1 for l1, _, _ in questions)).items(), 1):
        rows = []
        seconds: dict[str, list[str]] = defaultdict(list)
        for category in (q for q in questions if q[0] == level1):
            seconds[category[1]].append(category[2])
            code = f"{slug}-{len(seconds):02d}-{len(seconds[category[1]]):02d}"
            scopes[_scope(found[category])].append(code)
            span = spans.get(category)
            rows.append(_question(code, category, found[category], span, codes))
            if span:
                limits.append(_limit(code, span))
        _write(folder / "catalogue" / f"{number:02d}-{slug}.csv", COLUMNS, rows)
    repeats = (GENERAL / "repeats.toml").read_text(encoding="utf-8")
    for name, listed in scopes.items():
        repeats = repeats.replace(f"{name} = []", f"{name} = {json.dumps(listed)}")
    (folder / "repeats.toml").write_text(repeats, encoding="utf-8")
    return limits


def _scope(mine: Sequence[Case]) -> str:
    return "public" if sum(bool(case.address) for case in mine) >= OF_A_PLACE * len(mine) else "personal"


def _question(
    code: str, category: tuple[str, str, str], mine: Sequence[Case], span: Span | None, codes: _Codes
) -> tuple[str, ...]:
    owner, kind = _owner(mine, codes)
    return (
        code, *category, category[2], kind, owner, "", class_of(span), _kind(category), _TAG, "", "", ASKED, "", "",
        " | ".join(_phrases(category, mine)),
    )  # fmt: skip


def _owner(mine: Sequence[Case], codes: _Codes) -> tuple[str, str]:
    """Return whose duty a question is: the unit that nearly always had it, or else the department most often above."""
    unit, most = Counter(case.unit for case in mine).most_common(1)[0]
    if most >= OWNED * len(mine):
        return codes.units[unit], "department"
    department = Counter(codes.above[case.unit] for case in mine).most_common(1)[0][0]
    return (codes.departments[department], "department") if department else ("", "centre")


def _kind(category: tuple[str, str, str]) -> str:
    name = category[2].lower()
    signs = (("complaint", "complain"), ("praise", "compliment"), ("suggestion", "suggest"), ("help", "request"))
    return next((kind for kind, sign in signs if sign in name), "report")


def _phrases(category: tuple[str, str, str], mine: Sequence[Case]) -> list[str]:
    """Return how many people say it, and the names of the question where that is too little to learn from."""
    said = Counter(case.words.replace("|", "/").strip() for case in mine)
    shared = [
        words for words, often in said.most_common(MOST_PHRASES) if often >= SHARED and not _FIGURES.search(words)
    ]
    level1, level2, level3 = (name.replace("|", "/") for name in category)
    names = (level3, f"{level2}: {level3}", f"{level1}: {level3}", f"{level3} ({level2})", f"{level3} ({level1})")
    return list(dict.fromkeys([*shared, *names]))[: max(len(shared), MIN_PHRASES)]


def _limit(code: str, span: Span) -> tuple[str, ...]:
    """Return a line of limits.csv. Records do not say when a citizen first heard: a day at most."""
    response = min(span.days, 1.0)
    return code, f"{span.days:g}", f"{response:g}", span.count, f"{span.share:g}", str(span.targets)


def _settings(map_: Mapped, usual: Mapping[str, timedelta]) -> str:
    city, bounds, office = map_.city, map_.bounds, map_.office
    limits = "\n".join(
        f'{name} = {{ response = "{_iso(min(usual.get(name, span), _RESPONSE.get(name, timedelta(days=1))))}", '
        f'completion = "{_iso(usual.get(name, span))}" }}'
        for name, span in _DEFAULTS.items()
    )
    template = (GENERAL / "city.toml").read_text(encoding="utf-8")
    return (
        template.replace("@CODE@", city.code).replace("@ZH@", city.name.zh).replace("@EN@", city.name.en)
        .replace("@TIMEZONE@", city.timezone).replace("@LANGUAGE@", city.default_language).replace("@LIMITS@", limits)
        .replace("@SOUTH@", str(bounds.south)).replace("@WEST@", str(bounds.west))
        .replace("@NORTH@", str(bounds.north)).replace("@EAST@", str(bounds.east))
        .replace("@WEEKDAYS@", str(list(office.weekdays)))
        .replace("@OPENS@", office.opens.isoformat()).replace("@CLOSES@", office.closes.isoformat())
        .replace("@HOLIDAYS@", office.holidays).replace("@RUNS_OUT@", office.runs_out)
    )  # fmt: skip


def _iso(span: timedelta) -> str:
    minutes = round(span / timedelta(minutes=1))
    days, left = divmod(minutes, 24 * 60)
    return f"PT{minutes}M" if left else f"P{days}D"


def _questions_of(folder: Path) -> int:
    return sum(path.read_text(encoding="utf-8").count("\n") - 1 for path in (folder / "catalogue").glob("*.csv"))


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
