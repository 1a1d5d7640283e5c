"""Reports as documents: opened again by a library, they hold what the report holds."""

import io

import pytest
from docx import Document
from openpyxl import load_workbook
from PIL import Image

from services.feedback.reports.apart import NotWrittenError, written
from services.feedback.reports.content import (
    Column,
    Curve,
    Definition,
    Map,
    Report,
    Section,
    Series,
    Table,
    Tile,
    Words,
    bounds_of,
    clean,
    shown,
)
from services.feedback.reports.drawing import drawn_curve, drawn_map, texts
from services.feedback.reports.excel import FORMATS, excel, sheet_name
from services.feedback.reports.fonts import Letters, chinese_font
from services.feedback.reports.pictures import png
from services.feedback.reports.svg import svg
from services.feedback.reports.word import word

NOWHERE = ("/nowhere",)
WORDS = Words("目录", "指标说明", "指标", "含义", "摘要", "数据", "：", "无数据。", "第 # 页", "No Chinese font.")
TABLE = Table(
    "district", "各区受理/评价",
    (Column("区"), Column("本期", "count"), Column("解决率", "share"), Column("变化", "change")),
    (("朝阳区", 12345, 0.953, 0.1), ("=1+1", None, None, None), ("@东城区", 0, 1.0, -0.0001)), "注",
)  # fmt: skip
CURVE = Curve(
    "每日受理量", "Received", "折线图", ("11-01", "11-02", "11-03"), (Series("本期", "now", (1.0, None, 3.0)),), "d"
)
TILES = (Tile("朝阳", "Chaoyang", 1, 0, 12345.0), Tile("<门头沟>", "Mentougou", 0, 1, None))
MAP = Map("各区受理量", "Received", "地图", "count", TILES, bounds_of([12345.0]), "district")
ANNEX = Table("all", "各区受理/评价", (Column("全部"),), (("一",),), annex=True)
REPORT = Report(
    "zh", "接诉即办月报", "市民热线服务中心", ("期间：2026-11",),
    (Section("受理", ("共12,345件。",), (TABLE, ANNEX), (CURVE,), (MAP,)),), (Definition("解决率", "=已解决"),), WORDS,
)  # fmt: skip


def test_a_word_document_has_headings_styles_tables_with_repeating_heads_and_pictures_with_words() -> None:
    document = Document(io.BytesIO(word(REPORT)))
    styled = [(p.style.name if p.style else "", p.text) for p in document.paragraphs if p.text]
    assert styled[:4] == [
        ("Title", "接诉即办月报"), ("Subtitle", "期间：2026-11"), ("Heading 1", "受理"), ("Normal", "共12,345件。")
    ]  # fmt: skip
    (table,) = document.tables
    assert [cell.text for cell in table.rows[1].cells] == ["朝阳区", "12,345", "95.3%", "+10.0%"]
    assert table.rows[0]._tr.xpath("./w:trPr/w:tblHeader")
    assert [shape._inline.docPr.get("descr") for shape in document.inline_shapes] == ["折线图", "地图"]
    section = document.sections[0]
    assert "接诉即办月报" in section.header.paragraphs[0].text
    assert section.footer.paragraphs[0]._p.xpath(".//w:instrText")[0].text == "PAGE"
    assert document.core_properties.title == "接诉即办月报"


def test_a_workbook_has_a_sheet_for_each_table_with_numbers_that_are_numbers_and_no_formula() -> None:
    book = load_workbook(io.BytesIO(excel(REPORT)))
    assert book.sheetnames == ["摘要", "各区受理 评价", "各区受理 评价 2", "指标说明"]
    sheet = book["各区受理 评价"]
    assert [cell.value for cell in sheet[2]] == ["朝阳区", 12345, 0.953, 0.1]
    assert [cell.number_format for cell in sheet[2]] == ["@", "#,##0", "0.0%", FORMATS["change"]]
    assert (sheet.freeze_panes, sheet.print_title_rows) == ("B2", "$1:$1")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
    assert book["指标说明"]["B2"].value == "'=已解决"


async def test_documents_are_written_by_a_process_of_their_own() -> None:
    file = await written(REPORT, "xlsx")
    assert load_workbook(io.BytesIO(file)).sheetnames[0] == "摘要"


async def test_a_document_that_cannot_be_written_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.feedback.reports.apart.PATIENCE_SECONDS", 0.0)
    with pytest.raises(NotWrittenError, match="not written within"):
        await written(REPORT, "docx")


def test_names_of_sheets_are_such_as_a_spreadsheet_takes() -> None:
    assert sheet_name("a/b:c*d?e[f]g'h", []) == "a b c d e f g h"
    assert sheet_name("", []) == "Sheet"
    long = sheet_name("长" * 40, [])
    assert len(long) == 31
    assert sheet_name("长" * 40, [long, long[:27] + " 2"]) == long[:27] + " 3"


def test_where_no_chinese_font_is_a_picture_is_in_latin_letters_and_says_so() -> None:
    assert chinese_font(NOWHERE) is None
    letters = Letters(NOWHERE)
    assert letters.latin
    assert all(text.isascii() or text in "–≥" or "≥" in text for text in texts(drawn_map(MAP, latin=True)))
    assert all(text.isascii() for text in texts(drawn_curve(CURVE, latin=True)))
    with_note, without = (Image.open(io.BytesIO(png(drawn_map(MAP, True), letters, note))) for note in ("Note", ""))
    assert with_note.height > without.height
    assert word(REPORT, letters)


def test_a_drawing_on_a_page_has_a_title_and_a_description_and_its_texts_are_escaped() -> None:
    drawn = str(svg(drawn_map(MAP), "m1", MAP.title, MAP.about))
    assert '<title id="m1-t">各区受理量</title><desc id="m1-d">地图</desc>' in drawn
    assert "&lt;门头沟&gt;" in drawn
    assert "12,345" in drawn


def test_values_are_shown_as_their_columns_say() -> None:
    assert [shown(0.12345, form) for form in ("share", "change", "points", "hours")] == [
        "12.3%",
        "+12.3%",
        "0.12",
        "0.1",
    ]
    assert [shown(-0.0001, "change"), shown(-0.01, "difference"), shown(None, "count")] == ["0.0%", "0.0", "–"]
    assert clean("a\x00b\x0bc\ud800") == "abc"
