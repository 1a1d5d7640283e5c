"""Staff accounts of units from a spreadsheet: a line is a client, with its roles and the units it may act for."""

import csv
import os
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import cast

from libs.common.city.problems import Problems, read_table
from libs.common.runtime.security import NAME, ROLES, KeyRing, Principal, Role

COLUMNS = ("name", "roles", "units")


def read_staff(path: Path, units: Collection[str], held: Collection[str]) -> list[Principal]:
    """Read the accounts of a file; `units` are the codes there are, `held` the names that have a key already.

    Raises CityError with every problem, by line and column.
    """
    problems = Problems()
    found: dict[str, Principal] = {}
    for row in read_table(path, COLUMNS, problems):
        name, roles, mine = row.filled("name"), row.many("roles"), row.many("units")
        if name in found or name in held:
            row.wrong("name", f"{name!r} {'stands here twice' if name in found else 'has a key; rotate or revoke it'}")
        if not re.fullmatch(NAME, name):
            row.wrong("name", "should begin with a letter or digit, and have at most 100 characters and no slash")
        if not roles or set(roles) - set(ROLES):
            row.wrong("roles", f"should be of {', '.join(ROLES)}, joined by ' | '")
        # A key with the role unit and no unit acts for all of them, which is no one's account.
        if "unit" in roles and not mine:
            row.wrong("units", "should name the units this account acts for")
        for code in sorted(set(mine) - set(units)):
            row.wrong("units", f"{code!r} should be a code in units.csv")
        found[name] = Principal(name, frozenset(cast(tuple[Role, ...], roles)), frozenset(mine))
    problems.raise_if_any()
    return list(found.values())


def issue_all(staff: Iterable[Principal], ring: KeyRing, into: Path) -> Iterator[Principal]:
    """Give each account its key, and write it to a new file that only its owner can read; yield those that are done.

    A key is in the file before the next is issued. Raises FileExistsError, KeysError, KeysRefusedError.
    """
    with os.fdopen(os.open(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("name", "units", "key"))
        for account in staff:
            writer.writerow((account.name, " | ".join(sorted(account.units)), ring.register(account)))
            file.flush()
            yield account
