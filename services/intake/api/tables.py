"""Appeals from a spreadsheet: a CSV file read as it streams in, one row an appeal.

The first row names the columns, which are the fields of a POST; a field inside another is joined by an underscore.
Quoting is that of RFC 4180. The text is UTF-8, with or without a mark, or GB18030, as spreadsheets here still write it.
"""

import codecs
import csv
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from libs.common.runtime.problems import FieldError, Problem, wrong_field
from services.intake.api.lines import LONGEST_LINE, lines_in

LONGEST_ROW = LONGEST_LINE
"""Characters; behind an open quotation mark a whole file would else be one row."""
PLAIN = {"channel", "text", "kind", "title", "address", "occurred_at", "received_at", "language", "external_ref"}
INSIDE = {
    "reporter_type": ("reporter", "type"),
    "reporter_name": ("reporter", "name"),
    "reporter_phone": ("reporter", "phone"),
    "anonymous": ("reporter", "anonymous"),
    "confidential": ("reporter", "confidential"),
    "lat": ("location", "lat"),
    "lon": ("location", "lon"),
}
LIST = "access_needs"
NEEDED = {"channel", "text"}
COLUMNS = sorted(PLAIN | INSIDE.keys() | {LIST})
YES, NO = {"1", "true", "yes", "是"}, {"0", "false", "no", "否"}


async def appeals_in(stream: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, bytes | Problem]]:
    """Yield each row's number, as a spreadsheet counts, with its appeal as a POST's JSON, or what is wrong with it.

    Raises Problem 400, 413 or 422 when the file itself cannot be read: then no row after that point is received.
    """
    columns: Sequence[str] | None = None
    number = 0
    async for row in _rows(stream):
        number += 1
        if columns is None:
            columns = _columns(row)
        elif any(cell.strip() for cell in row):
            yield number, _appeal(columns, row)


def _columns(row: Sequence[str]) -> Sequence[str]:
    columns = [cell.strip().lower() for cell in row]
    wrong = [str(place) for place, name in enumerate(columns, 1) if name not in COLUMNS]
    if wrong:
        raise wrong_field("header", f"column {', '.join(wrong)} is not known; there are {', '.join(COLUMNS)}")
    if missing := sorted(NEEDED - set(columns)):
        raise wrong_field("header", f"must have the column {' and '.join(missing)}")
    if len(set(columns)) < len(columns):
        raise wrong_field("header", "must name each column once")
    return columns


def _appeal(columns: Sequence[str], row: Sequence[str]) -> bytes | Problem:
    if len(row) > len(columns):
        return wrong_field("row", f"has {len(row)} cells under {len(columns)} columns; quote cells that hold a comma")
    cells = {name: cell.strip() for name, cell in zip(columns, row, strict=False) if cell.strip()}
    return json.dumps(_fields(cells), ensure_ascii=False).encode()


def _fields(cells: Mapping[str, str]) -> dict[str, Any]:
    """Return the body of a POST. What a cell holds is judged there, so that both ways in have the same rules."""
    fields: dict[str, Any] = {name: cell for name, cell in cells.items() if name in PLAIN}
    for name, (outer, inner) in INSIDE.items():
        if name in cells:
            fields.setdefault(outer, {})[inner] = _value(name, cells[name])
    if LIST in cells:
        fields[LIST] = [need.strip() for need in cells[LIST].split("|")]
    return fields


def _value(name: str, cell: str) -> str | bool:
    if name in {"anonymous", "confidential"} and cell.lower() in YES | NO:
        return cell.lower() in YES
    return cell


async def _rows(stream: AsyncIterator[bytes]) -> AsyncIterator[list[str]]:
    """Split at line ends outside of quotation marks, of which a whole row has an even number."""
    row, quoted = "", False
    async for line in lines_in(_decoded(stream), "\n"):
        row += line
        quoted ^= line.count('"') % 2 == 1
        _bounded(row)
        if quoted:
            row += "\n"
        else:
            yield _cells(row)
            row = ""
    if row.strip():
        yield _cells(row)


def _bounded(row: str) -> None:
    if len(row) > LONGEST_ROW:
        raise wrong_field("row", f"must have at most {LONGEST_ROW} characters; is a quotation mark left open?")


def _cells(row: str) -> list[str]:
    try:
        return next(csv.reader([row.rstrip("\r")], strict=False), [])
    except csv.Error:
        what = "has a carriage return outside of quotation marks; lines must end with LF or CR LF"
        raise wrong_field("row", what) from None


async def _decoded(stream: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """Take the file for UTF-8 until its first character beyond ASCII says otherwise."""
    decoder: codecs.IncrementalDecoder = codecs.getincrementaldecoder("utf-8-sig")()
    plain = True
    try:
        async for chunk in stream:
            held = decoder.getstate()[0]
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError:
                if not plain:
                    raise
                decoder = codecs.getincrementaldecoder("gb18030")()
                text = decoder.decode(held + chunk)
            plain = plain and text.isascii()
            yield text
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise Problem(
            400, "the file is not text", errors=[FieldError("body", "must be UTF-8 or GB18030 throughout")]
        ) from None
