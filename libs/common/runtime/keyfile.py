"""The file of API keys: a JSON list, one row for each key, replaced whole by one process at a time."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, field
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated


class KeysError(ValueError):
    """The key file cannot be used, or a change of it makes no sense; its text says why."""


class KeysRefusedError(KeysError):
    """The change would take a name that is held, or lock everyone out, or the file cannot be written here."""


@validated(frozen=True)
class Row:
    """A key in the file. Rows of the first release have no more than a name, a hash, roles and units.

    Roles and channels are any words: those of a newer release must not be lost when this one rewrites the file.
    """

    name: str
    hash: str
    roles: list[str]
    units: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    per_minute: Annotated[int, Field(gt=0)] | None = None
    issued_at: AwareDatetime | None = None
    until: AwareDatetime | None = None


_ROWS = TypeAdapter(list[Row])


def read(path: Path) -> list[Row]:
    """Return the rows. Raises KeysError for a file that is no list of keys."""
    try:
        return _ROWS.validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise KeysError(f"{path} is not a list of keys: {where} {first['msg']}") from None


def differences(before: Iterable[Row], after: Iterable[Row]) -> dict[str, list[str]]:
    """Return whose keys are new, whose are gone, and who may do other things with a key they had; clients by name."""
    old, new = ({row.hash: row for row in rows} for rows in (before, after))
    found = {
        "issued": {new[key].name for key in new.keys() - old.keys()},
        "ended": {old[key].name for key in old.keys() - new.keys()},
        "changed": {new[key].name for key in new.keys() & old.keys() if new[key] != old[key]},
    }
    return {what: sorted(names) for what, names in found.items()}


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the file against all other writers. Raises KeysRefusedError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside the file, for the file itself is replaced.
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(lock, "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise KeysRefusedError(
            f"{path} cannot be written here ({error.strerror}): change keys where it is kept"
        ) from error


def write(path: Path, rows: Iterable[Row]) -> None:
    """Replace the file, held by `alone`; only its owner may read it."""
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump([asdict(row) for row in rows], file, indent=1, ensure_ascii=False, default=datetime.isoformat)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
