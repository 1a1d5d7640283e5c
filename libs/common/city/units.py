"""The handling units 承办单位 of a city: who they are, who stands above them, how their duty office is reached.

units.csv lists them. Two files beside it are optional: contacts.csv, and changes.csv for a unit that begins or ends.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast, get_args

from libs.common.city.problems import Problems, Row, read_table
from libs.common.city.settings import Name

UnitKind = Literal["centre", "district", "street", "town", "department", "company"]
Shift = Literal["day", "night", "always"]
UNIT_COLUMNS = ("code", "name_zh", "name_en", "short_zh", "kind", "parent", "district", "phone", "hours")
CONTACT_COLUMNS = ("unit", "role_zh", "role_en", "shift", "phone", "notify")
CHANGE_COLUMNS = ("unit", "from", "until", "successor")
_DAY = "(?:Mo|Tu|We|Th|Fr|Sa|Su)"
_HOURS = re.compile(rf"24h|{_DAY}-{_DAY} \d\d:\d\d-\d\d:\d\d")
_PHONE = re.compile(r"(\d{3,4}-)?\d{3,8}")
_WAY = re.compile(r"sms:\+?\d{3,15}|mail:[^@\s]+@[^@\s]+")
_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_FRIDAY = 4
_LOCATED = ("district", "street", "town")


@dataclass(frozen=True, slots=True)
class Contact:
    """An office of a unit that is on duty 值班: a role, never a person. `shift` says when; `phone` is an office's.

    `ways` are where it is sent notices, such as sms:10692012345 or mail:duty@example.org; never a URL.
    """

    role: Name
    shift: Shift
    phone: str
    ways: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """A handling unit 承办单位. `district` is a six-digit statistical code; `hours` read 24h or Mo-Fr 09:00-18:00.

    It exists from the day `since` to the day before `until`, None for ever; then `successor` has its duties.
    """

    code: str
    name: Name
    short: str
    kind: UnitKind
    parent: str | None
    district: str | None
    phone: str | None
    hours: str
    contacts: tuple[Contact, ...] = ()
    since: date | None = None
    until: date | None = None
    successor: str | None = None

    def exists(self, day: date) -> bool:
        """Whether the unit is there on a day."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)

    def is_open(self, at: datetime, worked: bool) -> bool:
        """Whether it is within its hours, by the clock on its wall; `worked`: the city works on that day.

        A holiday closes an office that opens on weekdays, and a weekend that makes up for one opens it.
        """
        if self.hours == "24h":
            return True
        (first, last), (opens, closes) = (part.split("-") for part in self.hours.split(" "))
        usual = _DAYS.index(first) <= at.weekday() <= _DAYS.index(last)
        return (worked or (usual and at.weekday() > _FRIDAY)) and opens <= f"{at:%H:%M}" < closes


def acting(units: Mapping[str, Unit], code: str, day: date) -> Unit | None:
    """The unit that has the duties of `code` on a day: itself, or who took them over; None if there is no such unit.

    Loading refuses successions that go in a circle.
    """
    unit = units.get(code)
    while unit and unit.until and unit.until <= day and unit.successor:
        unit = units.get(unit.successor)
    return unit


def attended(units: Mapping[str, Unit], code: str, at: datetime, worked: bool) -> str:
    """Which unit's duty office hears of a unit's matters at a local time, for there is one that never sleeps.

    Its own, unless it is closed and lists no office for the night: then that of the first unit above that is there.
    `worked`: the city works on that day. A code the city does not have is only itself.
    """
    unit = units.get(code)
    while unit and not unit.is_open(at, worked) and not _at_night(unit) and unit.parent:
        unit = units[unit.parent]
    return unit.code if unit else code


def _at_night(unit: Unit) -> bool:
    return unit.hours == "24h" or any(contact.shift != "day" for contact in unit.contacts)


def load_units(folder: Path, problems: Problems, table: str = "units.csv") -> Mapping[str, Unit]:
    """Read the table of units in a pack's folder, and contacts.csv and changes.csv where it has them."""
    path = folder / table
    rows: dict[str, Row] = {}
    for row in read_table(path, UNIT_COLUMNS, problems):
        if row.filled("code") in rows:
            row.wrong("code", f"{row['code']!r} stands at line {rows[row['code']].line} already")
        rows[row["code"]] = row
    units = {code: _unit(row) for code, row in rows.items()}
    if path.is_file() and [unit.kind for unit in units.values()].count("centre") != 1:
        problems.add(path.name, "exactly one unit should be of kind centre")
    districts = {unit.district for unit in units.values() if unit.kind == "district"}
    for code, unit in units.items():
        _check(rows[code], unit, units, districts)
    _add_contacts(folder / "contacts.csv", units, problems)
    _add_changes(folder / "changes.csv", units, problems)
    return MappingProxyType(units)


def _unit(row: Row) -> Unit:
    if not _HOURS.fullmatch(row["hours"]):
        row.wrong("hours", f"{row['hours']!r} should read 24h or Mo-Fr 09:00-18:00")
    return Unit(
        code=row["code"],
        name=Name(row.filled("name_zh"), row.filled("name_en")),
        short=row.filled("short_zh"),
        kind=cast(UnitKind, row.choice("kind", get_args(UnitKind))),
        parent=row["parent"] or None,
        district=row["district"] or None,
        phone=row["phone"] or None,
        hours=row["hours"],
    )


def _check(row: Row, unit: Unit, units: Mapping[str, Unit], districts: set[str | None]) -> None:
    if unit.kind != "centre" and unit.parent not in units:
        row.wrong("parent", f"{unit.parent!r} should be the code of another unit")
    if unit.parent in units and _circular(unit.code, {code: other.parent for code, other in units.items()}):
        row.wrong("parent", f"{unit.parent!r} stands below {unit.code} itself")
    if unit.kind in _LOCATED and unit.district not in districts:
        row.wrong("district", f"{unit.district!r} should be the six-digit code of a district unit")


def _circular(code: str, above: Mapping[str, str | None]) -> bool:
    """Whether going up from a code comes back to it."""
    seen: set[str] = set()
    at = above.get(code)
    while at and at not in seen and at != code:
        seen.add(at)
        at = above.get(at)
    return at == code


def _add_contacts(path: Path, units: dict[str, Unit], problems: Problems) -> None:
    if not path.is_file():
        return
    for row in read_table(path, CONTACT_COLUMNS, problems):
        if not _PHONE.fullmatch(row["phone"]):
            row.wrong("phone", "should be an office's number such as 96116 or 010-12345")
        contact = Contact(
            Name(row.filled("role_zh"), row.filled("role_en")),
            cast(Shift, row.choice("shift", get_args(Shift))),
            row["phone"],
            row.many("notify"),
        )
        if not all(_WAY.fullmatch(way) for way in contact.ways):
            row.wrong("notify", "should be an office's sms:10692012345 or mail:duty@example.org, or several with |")
        if unit := _known(row, "unit", units):
            units[unit.code] = replace(unit, contacts=(*unit.contacts, contact))


def _add_changes(path: Path, units: dict[str, Unit], problems: Problems) -> None:
    if not path.is_file():
        return
    changed: dict[str, Row] = {}
    for row in read_table(path, CHANGE_COLUMNS, problems):
        if not (unit := _known(row, "unit", units)):
            continue
        since, until = _day(row, "from"), _day(row, "until")
        if since and until and since >= until:
            row.wrong("until", "should be a day after from")
        if until:
            _known(row, "successor", units)
        changed[unit.code] = row
        units[unit.code] = replace(unit, since=since, until=until, successor=row["successor"] or None)
    following = {code: unit.successor for code, unit in units.items()}
    for code, row in changed.items():
        if _circular(code, following):
            row.wrong("successor", f"{row['successor']!r} is succeeded by {code} itself")


def _known(row: Row, column: str, units: Mapping[str, Unit]) -> Unit | None:
    if row[column] not in units:
        row.wrong(column, f"{row[column]!r} should be a code in units.csv")
    return units.get(row[column])


def _day(row: Row, column: str) -> date | None:
    try:
        return date.fromisoformat(row[column]) if row[column] else None
    except ValueError:
        row.wrong(column, f"{row[column]!r} should be a day such as 2026-01-31")
        return None
