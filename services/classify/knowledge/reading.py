"""Files as drafts: Markdown with a head of fields, CSV with an article in each row, and what Word documents come to.

```
---
id: id-card
title: 居民身份证换领和补领
owner: dept-police
asked: 身份证丢了怎么补 | 身份证到期了怎么换
---

## 材料和收费

> 问：补办身份证要多少钱 | 换身份证带什么材料

带户口簿或者旧证……
```
"""

import csv
import io
from collections.abc import Sequence
from itertools import count

from services.classify.knowledge.drafts import FIELDS, KNOWN, Draft, Fault, field_of

MOST_ROWS = 200
"""To read what one article means takes some 30 ms."""
_FENCE = "---"
_FIRST_ROW = 2000
"""Characters in which a table has named its columns."""


class FileFaultError(Exception):
    """A file that cannot be read as articles at all; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def drafts_in(text: str) -> list[Draft]:
    """Return the articles in a text: in Markdown one, in CSV one for each row. Raises FileFaultError."""
    if text.lstrip().startswith(_FENCE):
        return [markdown(text)]
    first = next(csv.reader(io.StringIO(text[:_FIRST_ROW], newline="")), [])
    if any(field_of(cell) for cell in first):
        return table(text)
    what = "must begin with --- and fields (Markdown), or with a row that names its columns (CSV)"
    raise FileFaultError(Fault(1, "body", what))


def markdown(text: str) -> Draft:
    """Return the article in a Markdown file. Raises FileFaultError if the head does not end."""
    lines = text.lstrip().splitlines()
    end = next((at for at, line in enumerate(lines[1:], 1) if line.strip() == _FENCE), None)
    if end is None:
        raise FileFaultError(Fault(1, "body", "the fields must end with a line of ---"))
    fields: dict[str, tuple[int, str]] = {}
    faults = []
    for number, line in enumerate(lines[1:end], 2):
        name, colon, value = line.replace("：", ":", 1).partition(":") if ":" not in line else line.partition(":")
        field = field_of(name) if colon else None
        if field in FIELDS and field not in fields:
            fields[field] = (number, value.strip())
        elif line.strip():
            what = "is there twice" if field in fields else f"must read `field: value`; {KNOWN}"
            faults.append(Fault(number, field or "head", what))
    return Draft(1, fields, "\n".join(lines[end + 1 :]).strip(), tuple(faults))


def table(text: str) -> list[Draft]:
    """Return the articles in a CSV file. Raises FileFaultError for a header that cannot be used, or too many rows."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = [field_of(cell) for cell in next(reader)]
        _check_header(names)
        drafts, line = [], reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                drafts.append(_row([str(name) for name in names], cells, line))
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileFaultError(Fault(reader.line_num, "row", "is not CSV: is a quotation mark left open?")) from error
    if len(drafts) > MOST_ROWS:
        raise FileFaultError(Fault(1, "body", f"must have at most {MOST_ROWS} articles; divide the file"))
    return drafts


def _check_header(names: Sequence[str | None]) -> None:
    wrong = [str(place) for place, name in zip(count(1), names, strict=False) if name is None]
    if wrong:
        raise FileFaultError(Fault(1, "header", f"column {', '.join(wrong)} is not known; {KNOWN}, and body or 正文"))
    if len(set(names)) < len(names):
        raise FileFaultError(Fault(1, "header", "must name each column once"))


def _row(names: Sequence[str], cells: Sequence[str], line: int) -> Draft:
    fields = {name: (line, cell.strip()) for name, cell in zip(names, cells, strict=False)}
    _, body = fields.pop("body", (line, ""))
    if len(cells) == len(names):
        return Draft(line, fields, body)
    what = f"has {len(cells)} cells under {len(names)} columns; quote cells that hold a comma"
    return Draft(line, fields, body, (Fault(line, "row", what),))
