"""How a pack tells its editor what is wrong: every mistake at once, each with its file, line, column and the remedy."""

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What no text needs and no database keeps, NUL above all."""


class CityError(ValueError):
    """A pack that cannot be used; `problems` holds one sentence for each mistake found."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep the sentences and show all of them as the message."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(slots=True)
class Problems:
    """Collects mistakes while the rest of the pack is still being read."""

    found: list[str] = field(default_factory=list)

    def add(self, where: str, sentence: str) -> None:
        """Note one mistake at a place such as `units.csv:7 parent` or `city.toml rates`."""
        self.found.append(f"{where}: {sentence}")

    def raise_if_any(self) -> None:
        """Raise CityError with everything noted so far."""
        if self.found:
            raise CityError(self.found)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a CSV file, which knows where it stands."""

    file: str
    line: int
    cells: dict[str, str]
    problems: Problems

    def __getitem__(self, column: str) -> str:
        """The cell, without surrounding blanks."""
        return self.cells[column].strip()

    def many(self, column: str) -> tuple[str, ...]:
        """The parts of a cell that holds a list: `first | second`."""
        return tuple(part for part in (p.strip() for p in self[column].split("|")) if part)

    def wrong(self, column: str, sentence: str) -> None:
        """Note a mistake in a cell of this line."""
        self.problems.add(f"{self.file}:{self.line} {column}", sentence)

    def choice(self, column: str, allowed: Sequence[str]) -> str:
        """The cell; a mistake when it is none of the allowed words."""
        if self[column] not in allowed:
            self.wrong(column, f"{self[column]!r} should be one of {', '.join(allowed)}")
        return self[column]

    def filled(self, column: str) -> str:
        """The cell; a mistake when it is empty."""
        if not self[column]:
            self.wrong(column, "is empty and must be filled")
        return self[column]


def parse_toml(text: str) -> dict[str, Any]:
    """What a TOML text says. Raises TOMLDecodeError, also where the name of a control character stands in a text."""
    said = tomllib.loads(text)
    if any(map(_CONTROL.search, _texts(said))):
        raise tomllib.TOMLDecodeError("a text holds a control character, and should not")
    return said


def _texts(said: object) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict | list):
        for part in chain(said, said.values()) if isinstance(said, dict) else said:
            yield from _texts(part)


def read_toml(path: Path, shape: TypeAdapter[T], problems: Problems) -> T | None:
    """The values in a UTF-8 TOML file, in their shape; None when it cannot be used, with the reasons noted."""
    try:
        return shape.validate_python(parse_toml(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        problems.add(path.name, f"is missing; expected at {path}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        problems.add(path.name, f"is not TOML: {broken}")
    except ValidationError as wrong:
        for error in wrong.errors(include_url=False):
            key = ".".join(str(part) for part in error["loc"])
            problems.add(f"{path.name} {key}", f"{error['msg']} (found {error['input']!r})")
    return None


def read_whole_toml(path: Path, shape: TypeAdapter[T]) -> T:
    """The same for a file that is read on its own. Raises CityError with every problem found."""
    problems = Problems()
    read = read_toml(path, shape, problems)
    problems.raise_if_any()
    return cast(T, read)


def read_table(path: Path, columns: Sequence[str], problems: Problems) -> Iterator[Row]:
    """The rows of a UTF-8 CSV file whose header is exactly `columns`; a line of another width is noted and skipped."""
    if path.is_file():
        yield from read_rows(path.name, path.read_bytes(), columns, problems)
    else:
        problems.add(path.name, f"is missing; expected a CSV file at {path}")


def read_rows(name: str, content: bytes, columns: Sequence[str], problems: Problems) -> Iterator[Row]:
    """The same of a file's bytes, wherever they came from."""
    try:
        # utf-8-sig: spreadsheet programs put a byte order mark in front, which would spoil the first column's name.
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        header = next(reader, [])
        if header != list(columns):
            problems.add(f"{name}:1", f"the header should be {','.join(columns)}")
            return
        for cells in reader:
            row = Row(name, reader.line_num, dict(zip(columns, cells, strict=False)), problems)
            for column, cell in row.cells.items():
                if _CONTROL.search(cell):
                    row.wrong(column, "holds a control character, and should not")
            if len(cells) == len(columns):
                yield row
            else:
                row.wrong("row", f"has {len(cells)} cells, the header has {len(columns)}")
    except UnicodeDecodeError:
        problems.add(name, "should be text in UTF-8")
    except csv.Error as broken:
        problems.add(name, f"is not CSV: {broken}")
