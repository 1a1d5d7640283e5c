"""Who has which duty 职责: the catalogue says it for a question, duties.csv says the rest, and this answers both ways.

A unit's duties are the questions it owns, those it helps with, and those named for it in duties.csv. Where that file
stands, a department or company without any duty is a mistake unless the file gives a reason for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from libs.common.city.catalogue import Catalogue
from libs.common.city.problems import Problems, Row, read_table
from libs.common.city.units import Unit

Part = Literal["lead", "co-handler", "named"]
COLUMNS = ("unit", "codes", "reason")
_WITH_DUTIES = ("department", "company")


@dataclass(frozen=True, slots=True)
class Duties:
    """`by_unit` maps a unit to its questions and its part in each; `by_code` a question to units, the lead first.

    A question whose lead the place decides has only its co-handlers here. `reasons` tell why a unit has no duty.
    """

    by_unit: Mapping[str, Mapping[str, Part]]
    by_code: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, str]

    def of(self, unit: str) -> Mapping[str, Part]:
        """Which questions are this unit's duty, and its part in each."""
        return self.by_unit.get(unit, {})

    def holders(self, code: str) -> tuple[str, ...]:
        """Which units have a duty for this question, the lead first."""
        return self.by_code.get(code, ())


def load_duties(path: Path, units: Mapping[str, Unit], catalogue: Catalogue, problems: Problems) -> Duties:
    """Join the catalogue's side with duties.csv, which a pack may lack."""
    by_unit: dict[str, dict[str, Part]] = {}
    by_code: dict[str, list[str]] = {}

    def add(unit: str, code: str, part: Part) -> None:
        if by_unit.setdefault(unit, {}).setdefault(code, part) == part and unit not in by_code.setdefault(code, []):
            by_code[code].append(unit)

    for question in catalogue:
        if question.owner:
            add(question.owner, question.code, "lead")
        for unit in question.co_handlers:
            add(unit, question.code, "co-handler")
    reasons: dict[str, str] = {}
    if path.is_file():
        for row in read_table(path, COLUMNS, problems):
            for code in _codes(row, units, catalogue):
                add(row["unit"], code, "named")
            if row["reason"]:
                reasons[row["unit"]] = row["reason"]
                _check_reason(row, by_unit)
        _check_all(path, units, by_unit, reasons, problems)
    return Duties(
        MappingProxyType(by_unit),
        MappingProxyType({code: tuple(holders) for code, holders in by_code.items()}),
        MappingProxyType(reasons),
    )


def _codes(row: Row, units: Mapping[str, Unit], catalogue: Catalogue) -> list[str]:
    """The questions a line names; `water-01` names all that begin with `water-01-`."""
    if row["unit"] not in units:
        row.wrong("unit", f"{row['unit']!r} should be a code in units.csv")
    found: list[str] = []
    for said in row.many("codes"):
        codes = [code for code in catalogue.by_code if code == said or code.startswith(f"{said}-")]
        if not codes:
            row.wrong("codes", f"{said!r} should be a code in the catalogue, or begin some")
        found += codes
    return found


def _check_reason(row: Row, by_unit: Mapping[str, Mapping[str, Part]]) -> None:
    if by_unit.get(row["unit"]):
        row.wrong("reason", f"{row['unit']} has duties, so no reason is needed")


def _check_all(
    path: Path,
    units: Mapping[str, Unit],
    by_unit: Mapping[str, Mapping[str, Part]],
    reasons: Mapping[str, str],
    problems: Problems,
) -> None:
    for code, unit in units.items():
        if unit.kind in _WITH_DUTIES and not by_unit.get(code) and code not in reasons:
            problems.add(path.name, f"{code} {unit.name.zh} has no duty in the catalogue or here, and no reason")
