"""A Word document as an article: `python -m services.classify.knowledge.word` reads one and writes it as Markdown.

The document is standard input, the text standard output. A table of two columns whose left cells name fields is the
head. It runs as a process of its own, bounded as decoders of files are: what a stranger packed into an archive may
grow, loop or crash, and takes nothing with it.
"""

import asyncio
import io
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from libs.common.runtime.media.__main__ import bound
from libs.common.runtime.media.verdict import UnfitError
from services.classify.knowledge.drafts import field_of

if TYPE_CHECKING:
    from docx.document import Document as Opened
    from docx.table import Table
    from docx.text.paragraph import Paragraph

LONGEST = 200_000
"""Characters of a document; far more than an article may have."""
PATIENCE_SECONDS = 60.0
ROOT = Path(__file__).parents[3]
_HEADING = re.compile(r"(?:heading|标题)\s*([1-6])", re.IGNORECASE)


async def markdown_of(source: BinaryIO) -> str:
    """Have a document read by a process of its own. Raises UnfitError if it cannot be."""
    source.seek(0)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-s", "-P", "-m", "services.classify.knowledge.word",
        stdin=source, stdout=PIPE, stderr=DEVNULL, env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    told = b""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            told, _ = await process.communicate()
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise UnfitError("is damaged, or takes too much to read")
    return told.decode()


def markdown_in(source: BinaryIO) -> str:
    """Return the words of a document in their order: headings, paragraphs, and each row of a table as a line."""
    # Only the process that reads documents needs it.
    from docx import Document  # noqa: PLC0415
    from docx.table import Table  # noqa: PLC0415

    document = Document(source)
    head: list[str] = []
    parts: list[str] = []
    for block in _blocks(document):
        if isinstance(block, Table):
            rows = [_cells(row) for row in block.rows]
            if not head and not parts and (head := _head(rows)):
                continue
            parts.append("\n".join(_lines(rows)))
        elif block.text.strip():
            parts.append(_paragraph(block))
    return "\n".join(["---", *head, "---", "", "\n\n".join(parts)])[:LONGEST]


def _blocks(document: "Opened") -> "Iterator[Paragraph | Table]":
    yield from document.iter_inner_content()


def _paragraph(paragraph: "Paragraph") -> str:
    style = (paragraph.style.name if paragraph.style else None) or ""
    text = " ".join(paragraph.text.split())
    found = _HEADING.match(style)
    return f"{'#' * (int(found[1]) + 1)} {text}" if found else text


def _cells(row: object) -> list[str]:
    """Return the cells of a row; one that spans several columns comes once."""
    seen: list[str] = []
    last = None
    for cell in getattr(row, "cells", ()):
        if cell._tc is not last:
            seen.append(" ".join(cell.text.split()))
        last = cell._tc
    return seen


def _head(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the fields in a first table, if that is what it holds."""
    if not all(len(row) == 2 and field_of(row[0]) for row in rows):
        return []
    return [f"{field_of(row[0])}: {row[1]}" for row in rows]


def _lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield each row under its columns' names, so that it can be understood, and found, by itself."""
    header, *rest = rows or [[]]
    if not rest:
        yield "，".join(header)
    for row in rest:
        if len(row) == len(header):
            yield "，".join(f"{name}：{cell}" if name else cell for name, cell in zip(header, row, strict=True)) + "。"
        else:
            yield "，".join(row) + "。"


if __name__ == "__main__":
    bound()
    sys.stdout.write(markdown_in(io.BytesIO(sys.stdin.buffer.read())))
