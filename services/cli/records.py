"""Tickets of another system, as a table in a file: read whatever its encoding, and mapped to appeals."""

import csv
import gzip
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast
from zoneinfo import ZoneInfo

from services.cli.dates import DateFormat, guess

FIELDS = (
    "text", "title", "address", "occurred_at", "lat", "lon", "name", "phone", "kind", "channel", "reporter_type",
    "language",
)  # fmt: skip
"""What a column can become; the names are those of `POST /intake/v1/tickets`, its reporter and location flattened."""
_SAMPLE = 200
_CHUNK = 1 << 20


class RecordsError(ValueError):
    """A file, or what was said of its columns, that cannot be used; the text says what would be right."""


class RowError(ValueError):
    """One row that cannot become an appeal; the text says which field is wrong, not what stood there."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of records. `digest` is of its content, uncompressed, so a renamed or recompressed file is the same."""

    path: Path
    digest: str
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    rows: int

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        """The records by column, each with the line of the file that it begins on."""
        with _text(self.path, self.encoding) as file:
            reader = csv.reader(file, delimiter=self.delimiter)
            next(reader)
            line = reader.line_num + 1
            for cells in reader:
                if cells:
                    yield line, dict(zip(self.columns, cells, strict=False))
                line = reader.line_num + 1


def open_source(path: Path) -> Source:
    """Look a CSV file through once: plain or gzip, UTF-8 or GB 18030, with commas, semicolons or tabs.

    Raises:
        RecordsError: it is missing, empty or no table.
    """
    try:
        digest, encoding = _digest(path)
        with _text(path, encoding) as file:
            first = file.readline()
        delimiter = max(",;\t", key=first.count)
        columns = tuple(name.strip() for name in next(csv.reader([first], delimiter=delimiter), []))
        source = Source(path, digest, encoding, delimiter, columns, 0)
        rows = sum(1 for _ in source)
    except (OSError, csv.Error, StopIteration) as error:
        raise RecordsError(f"{path} cannot be read as a table: {error or 'it is empty'}") from error
    if not rows:
        raise RecordsError(f"{path} holds no records below its first line, which names the columns")
    return Source(path, digest, encoding, delimiter, columns, rows)


def _digest(path: Path) -> tuple[str, str]:
    """Return the hash of the content, and the encoding that all of it has."""
    hashed, valid = hashlib.sha256(), True
    decoder = io.IncrementalNewlineDecoder(None, translate=False)
    del decoder
    import codecs

    check = codecs.getincrementaldecoder("utf-8")()
    with _bytes(path) as file:
        while chunk := file.read(_CHUNK):
            hashed.update(chunk)
            try:
                check.decode(chunk)
            except UnicodeDecodeError:
                valid = False
    return hashed.hexdigest()[:12], "utf-8-sig" if valid else "gb18030"
