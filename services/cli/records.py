"""Records of another system, a table in a file: read whatever its encoding, and mapped to appeals."""

import codecs
import csv
import gzip
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast, get_args
from zoneinfo import ZoneInfo

from libs.common.contracts.vocabulary import Channel
from services.cli.dates import ISO, DateFormat, DatesError, guess

FIELDS = (
    "text", "title", "address", "occurred_at", "lat", "lon", "name", "phone", "kind", "channel", "reporter_type",
    "language",
)  # fmt: skip
"""What a column can become: the fields of `POST /intake/v1/tickets`, its reporter and its location flattened."""
_NESTED = {
    "name": ("reporter", "name"), "phone": ("reporter", "phone"), "reporter_type": ("reporter", "type"),
    "lat": ("location", "lat"), "lon": ("location", "lon"),
}  # fmt: skip
_SAMPLE = 200
_CHUNK = 1 << 20


class RecordsError(ValueError):
    """A file, or what was said of its columns, that cannot be used; the text says what would be right."""


class RowError(ValueError):
    """One record that cannot become an appeal; the text names the field, never what stands in it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of records. `digest` is of its content, uncompressed: a file renamed or compressed anew is the same."""

    path: Path
    digest: str
    encoding: str
    delimiter: str
    columns: tuple[str, ...]

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield each record by column, with the line of the file that it begins on."""
        with _text(self.path, self.encoding) as file:
            reader = csv.reader(file, delimiter=self.delimiter)
            next(reader, None)
            line = reader.line_num + 1
            for cells in reader:
                if cells:
                    yield line, dict(zip(self.columns, cells, strict=False))
                line = reader.line_num + 1


def open_source(path: Path) -> Source:
    """Look at a CSV file: plain or gzip, in UTF-8 or GB 18030, with commas, semicolons or tabs.

    Raises:
        RecordsError: it is missing, empty or no table.
    """
    try:
        digest, encoding = _look_through(path)
        with _text(path, encoding) as file:
            first = file.readline()
        delimiter = max(",;\t", key=first.count)
        columns = next(csv.reader([first], delimiter=delimiter), [])
        source = Source(path, digest, encoding, delimiter, tuple(name.strip() for name in columns))
        if next(iter(source), None) is None:
            raise RecordsError(f"{path} holds no records below a first line that names the columns")
    except (OSError, EOFError, csv.Error, UnicodeDecodeError) as error:
        raise RecordsError(f"{path} cannot be read as a table: {error}") from error
    return source


def _look_through(path: Path) -> tuple[str, str]:
    """Return the hash of the content, and the encoding that all of it has."""
    hashed, decoder, encoding = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")(), "utf-8-sig"
    with _bytes(path) as file:
        while chunk := file.read(_CHUNK):
            hashed.update(chunk)
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                encoding = "gb18030"
    return hashed.hexdigest()[:12], encoding


def _bytes(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _text(path: Path, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(_bytes(path), encoding, newline="")


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """How a record becomes an appeal: what each field is made of, and which column holds the record's own number.

    With `received`, what the dates say becomes the time of receipt as well.
    """

    fields: Mapping[str, tuple[str, ...]]
    channel: str
    ref: str
    dates: DateFormat
    zone: ZoneInfo
    received: bool

    def appeal(self, source: Source, line: int, row: Mapping[str, str]) -> dict[str, Any]:
        """Return the body of `POST /intake/v1/tickets`. Raises RowError."""
        values = {name: self._value(name, row) for name in self.fields}
        body: dict[str, Any] = {"channel": self.channel}
        for name, value in values.items():
            if value is not None:
                outer, inner = _NESTED.get(name, (name, None))
                if inner:
                    body.setdefault(outer, {})[inner] = value
                else:
                    body[outer] = value
        if self.received and "occurred_at" in body:
            body["received_at"] = body["occurred_at"]
        own = row.get(self.ref, "").strip() if self.ref else ""
        return body | {"external_ref": own or f"{source.digest}:{line}"}

    def _value(self, name: str, row: Mapping[str, str]) -> Any:
        text = " ".join(cell for column in self.fields[name] if (cell := row.get(column, "").strip()))
        if not text:
            return None
        if name in {"lat", "lon"}:
            return _number(name, text)
        return self._moment(name, text) if name == "occurred_at" else text

    def _moment(self, name: str, text: str) -> str:
        try:
            moment = self.dates.read(text)
        except ValueError:
            raise RowError(f"{name}: is not a date like {self.dates.pattern}") from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).isoformat()


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RowError(f"{name}: is not a number") from None


def map_columns(
    source: Source, maps: Sequence[str], channel: str, ref: str, date_format: str, zone: ZoneInfo,
    *, received: bool,
) -> ColumnMap:  # fmt: skip
    """Return the map that `field=column` texts describe; a field named twice joins its columns.

    Raises:
        RecordsError: a field or column does not exist, or the dates cannot be read.
    """
    if channel not in get_args(Channel):
        raise RecordsError(f"--channel {channel}: there are {', '.join(get_args(Channel))}")
    fields: dict[str, tuple[str, ...]] = {}
    for text in maps:
        name, equals, column = text.partition("=")
        if not equals or name not in FIELDS:
            raise RecordsError(f"--map {text}: write field=column with a field of {', '.join(FIELDS)}")
        fields[name] = (*fields.get(name, ()), _known(source, column))
    if "text" not in fields:
        raise RecordsError(f"say which column is the text: --map text=… with one of {', '.join(source.columns)}")
    if received and "occurred_at" not in fields:
        raise RecordsError("--received needs to know when: --map occurred_at=…")
    dates = _dates(source, fields.get("occurred_at", ()), date_format)
    return ColumnMap(fields, channel, _known(source, ref) if ref else "", dates, zone, received)


def _known(source: Source, column: str) -> str:
    if column not in source.columns:
        raise RecordsError(f"there is no column {column!r}; there are {', '.join(source.columns)}")
    return column


def _dates(source: Source, columns: Sequence[str], date_format: str) -> DateFormat:
    if date_format or not columns:
        return DateFormat(date_format or ISO)
    cells = (" ".join(row.get(column, "").strip() for column in columns).strip() for _, row in source)
    try:
        return guess(list(islice(filter(None, cells), _SAMPLE)))
    except DatesError as error:
        raise RecordsError(f"{'+'.join(columns)}: {error}") from error
