"""Appeals from a spreadsheet's CSV file."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.runtime.problems import Problem
from services.intake.api.tables import LONGEST_ROW, appeals_in

CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20).map(str.strip)


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    """Return a body as it may come."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(text: str | bytes, size: int = 7) -> list[tuple[int, Any]]:
    """Return what a file says, row by row."""
    data = text.encode() if isinstance(text, str) else text
    return [
        (number, found if isinstance(found, Problem) else json.loads(found))
        async for number, found in appeals_in(pieces(data, size))
    ]


async def test_a_row_becomes_the_body_of_a_post() -> None:
    rows = await read(
        "channel,text,reporter_name,reporter_phone,anonymous,confidential,lat,lon,access_needs\n"
        "petition,路灯不亮,李四,13800138000,否,是,39.9,116.4,elderly|wheelchair\n"
    )
    reporter = {"name": "李四", "phone": "13800138000", "anonymous": False, "confidential": True}
    body = {
        "channel": "petition",
        "text": "路灯不亮",
        "reporter": reporter,
        "location": {"lat": "39.9", "lon": "116.4"},
    }
    assert rows == [(2, body | {"access_needs": ["elderly", "wheelchair"]})]


async def test_rows_are_numbered_as_the_spreadsheet_does_and_empty_ones_pass() -> None:
    rows = await read("channel,text\nweb,一\n,\n\nweb,二\r\n")
    assert [(number, body["text"]) for number, body in rows] == [(2, "一"), (5, "二")]


async def test_a_quoted_cell_may_hold_commas_quotation_marks_and_line_ends() -> None:
    rows = await read('channel,text\nweb,"第一行,\n第二行""引""完"\nweb,三\n')
    assert [(number, body["text"]) for number, body in rows] == [(2, '第一行,\n第二行"引"完'), (3, "三")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
async def test_the_file_may_be_utf8_or_gb18030_however_it_is_cut(encoding: str, size: int) -> None:
    rows = await read("channel,text\nweb,望京街道路灯不亮，请修\n".encode(encoding), size)
    assert rows == [(2, {"channel": "web", "text": "望京街道路灯不亮，请修"})]


@given(st.lists(st.tuples(CELLS.filter(bool), CELLS), min_size=1, max_size=5), st.integers(1, 50))
async def test_whatever_a_spreadsheet_writes_is_read_back(cells: list[tuple[str, str]], size: int) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([("text", "title", "channel"), *((text, title, "web") for text, title in cells)])
    rows = await read(file.getvalue(), size)
    assert [(body["text"], body.get("title", "")) for _, body in rows] == cells


async def test_a_row_with_more_cells_than_columns_is_told_and_the_others_are_read() -> None:
    (_, wrong), (number, fine) = await read("channel,text\nweb,路灯,不亮\nweb,井盖丢了\n")
    assert isinstance(wrong, Problem)
    assert "2 columns" in wrong.detail
    assert (number, fine["text"]) == (3, "井盖丢了")


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("channel,words\nweb,x\n", "column 2 is not known"),
        ("channel,title\nweb,x\n", "must have the column text"),
        ("channel,text,text\nweb,x,y\n", "must name each column once"),
        ('channel,text\nweb,"' + "x\n" * LONGEST_ROW, "quotation mark left open"),
        ("channel,text\rweb,x\r", "carriage return outside"),
        ("channel,text\nweb,two\rlines\n", "carriage return outside"),
    ],
)
async def test_a_file_that_cannot_be_read_says_why(file: str, why: str) -> None:
    with pytest.raises(Problem, match=why):
        await read(file, 1000)


async def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(Problem, match="not text"):
        await read("channel,text\nweb,路灯\n".encode() + b"web,\xff\xff\n", 1000)
