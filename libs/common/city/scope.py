"""What the line accepts 受理范围, what belongs elsewhere and where, and the grounds on which an appeal is ruled upon.

scope.toml holds the texts, outward.csv the bodies outside the city's units; a city without them has neither.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass as plain
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, cast, get_args

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from libs.common.city.problems import Problems, Row, read_table, read_toml
from libs.common.city.settings import Name

How = Literal["phone", "web", "system"]
Verdict = Literal["test", "blank", "abusive", "out_of_scope", "malicious", "unreasonable"]
COLUMNS = ("code", "name_zh", "name_en", "how", "phone", "web")
_STRICT = ConfigDict(extra="forbid")
_PHONE = re.compile(r"(\d{3,4}-)?\d{3,8}")
Code = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]


@plain(frozen=True, slots=True)
class Body:
    """A body outside the city's units that appeals are passed on to 转办, and how: by system the centre does it."""

    code: str
    name: Name
    how: How
    phone: str | None
    web: str | None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Accepted:
    """A kind of appeal that the line takes."""

    code: Code
    name: Name
    text: Name


@dataclass(frozen=True, slots=True, config=_STRICT)
class Elsewhere:
    """What the line does not decide, and the codes of the bodies that do."""

    code: Code
    name: Name
    text: Name
    bodies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, config=_STRICT)
class Ground:
    """A ground for a verdict on an appeal, and what proves it. What says nothing but `alone` is flagged by itself."""

    code: Code
    verdict: Verdict
    name: Name
    evidence: Name
    alone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, config=_STRICT)
class Scope:
    """The whole of scope.toml."""

    accepted: tuple[Accepted, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    grounds: tuple[Ground, ...] = ()

    def ground(self, code: str) -> Ground | None:
        """Return a ground by its code."""
        return next((ground for ground in self.grounds if ground.code == code), None)


_FILE = TypeAdapter(Scope)


def load_scope(path: Path, bodies: Mapping[str, Body], problems: Problems) -> Scope:
    """Read scope.toml; `bodies` are those of outward.csv."""
    if not path.exists():
        return Scope()
    scope = read_toml(path, _FILE, problems) or Scope()
    _check(scope, bodies, path.name, problems)
    return scope


def _check(scope: Scope, bodies: Mapping[str, Body], file: str, problems: Problems) -> None:
    lists: tuple[tuple[str, Iterable[Accepted | Elsewhere | Ground]], ...] = (
        ("accepted", scope.accepted), ("elsewhere", scope.elsewhere), ("grounds", scope.grounds),
    )  # fmt: skip
    for name, entries in lists:
        codes = [entry.code for entry in entries]
        for code in {code for code in codes if codes.count(code) > 1}:
            problems.add(f"{file} {name}", f"{code!r} stands here twice")
    for entry in scope.elsewhere:
        for code in entry.bodies:
            if code not in bodies:
                problems.add(f"{file} elsewhere.{entry.code}", f"{code!r} should be a code in outward.csv")


def load_bodies(path: Path, problems: Problems) -> Mapping[str, Body]:
    """Read outward.csv."""
    if not path.is_file():
        return {}
    bodies: dict[str, Body] = {}
    for row in read_table(path, COLUMNS, problems):
        if row.filled("code") in bodies:
            row.wrong("code", f"{row['code']!r} stands here twice")
        bodies[row["code"]] = _body(row)
    return MappingProxyType(bodies)


def _body(row: Row) -> Body:
    how = cast(How, row.choice("how", get_args(How)))
    if how != "system":
        row.filled(how)
    if row["phone"] and not _PHONE.fullmatch(row["phone"]):
        row.wrong("phone", "should be a number such as 12368 or 022-12345")
    if row["web"] and not row["web"].startswith("https://"):
        row.wrong("web", "should begin with https://")
    name = Name(row.filled("name_zh"), row.filled("name_en"))
    return Body(row["code"], name, how, row["phone"] or None, row["web"] or None)
