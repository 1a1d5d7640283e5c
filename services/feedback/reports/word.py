"""A report as a Word document: styles that a reader can change, tables with heads that repeat, pictures with words."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from services.feedback.reports.content import Curve, Map, Report, Section, Table
from services.feedback.reports.drawing import drawn_curve, drawn_map
from services.feedback.reports.fonts import Letters
from services.feedback.reports.pictures import png

if TYPE_CHECKING:
    from docx.document import Document as Opened

LATIN, BODY, HEADS = "Arial", "宋体", "黑体"
"""Fonts that Word has in China; what lacks one takes another."""
_STYLES = ("Normal", "Title", "Subtitle", "Heading 1", "Caption", "List Bullet", "Header", "Footer")
_HEADS = frozenset({"Title", "Heading 1", "Caption"})
_HEAD_FILL = "E7F0F8"
MOST_AT_FULL_SIZE = 8
"""Columns; the letters of a wider table are smaller."""


def word(report: Report, letters: Letters | None = None) -> bytes:
    """Return a report as a .docx file."""
    # Only the process that writes documents needs it.
    from docx import Document  # noqa: PLC0415

    document, letters = Document(), letters or Letters()
    _set_up(document, report)
    document.add_heading(report.title, 0)
    for fact in report.facts:
        document.add_paragraph(fact, "Subtitle")
    for section in report.sections:
        _add_section(document, section, report, letters)
    _add_definitions(document, report)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _set_up(document: "Opened", report: Report) -> None:
    from docx.shared import Cm, Pt, RGBColor  # noqa: PLC0415

    for name in _STYLES:
        style: Any = document.styles[name]
        style.font.name = LATIN
        style.font.color.rgb = RGBColor(0x17, 0x21, 0x2B)
        style.element.get_or_add_rPr().get_or_add_rFonts().set(_tag("w:eastAsia"), HEADS if name in _HEADS else BODY)
        for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            style.element.rPr.rFonts.attrib.pop(_tag(theme), None)
    styles: Any = document.styles
    styles["Normal"].font.size, styles["Title"].font.size = Pt(10.5), Pt(22)
    styles["Subtitle"].font.size, styles["Subtitle"].font.italic = Pt(10), False
    styles["Subtitle"].paragraph_format.space_after = Pt(2)
    styles["Caption"].font.size, styles["Caption"].font.bold = Pt(10.5), True
    styles["Caption"].paragraph_format.keep_with_next = True
    part = document.sections[0]
    part.page_width, part.page_height = Cm(21), Cm(29.7)
    part.left_margin = part.right_margin = Cm(2.2)
    part.top_margin = part.bottom_margin = Cm(2.2)
    properties = document.core_properties
    properties.title, properties.author = report.title, report.issuer
    properties.language = "zh-CN" if report.language == "zh" else "en-GB"
    part.header.paragraphs[0].text = f"{report.issuer}\t\t{report.title}"
    _add_page_number(part.footer.paragraphs[0], report.words.page)


def _add_page_number(paragraph: Any, words: str) -> None:
    before, _, after = words.partition("#")
    paragraph.alignment = 1
    paragraph.add_run(before)
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        run = paragraph.add_run()._r
        field = _element("w:fldChar" if kind else "w:instrText")
        if kind:
            field.set(_tag("w:fldCharType"), kind)
        field.text = text
        run.append(field)
    paragraph.add_run(after)


def _add_section(document: "Opened", section: Section, report: Report, letters: Letters) -> None:
    document.add_heading(section.title, 1)
    for paragraph in section.text:
        document.add_paragraph(paragraph)
    for title, about, picture in _pictures(section, report, letters):
        _add_picture(document, title, about, picture)
    for table in section.tables:
        if not table.annex:
            _add_table(document, table, report)


def _pictures(section: Section, report: Report, letters: Letters) -> Iterator[tuple[str, str, bytes]]:
    note = report.words.no_font if letters.latin else ""
    drawings: list[tuple[Curve | Map, Any]] = [(curve, drawn_curve) for curve in section.curves]
    drawings += [(map_, drawn_map) for map_ in section.maps]
    for shown, drawn in drawings:
        yield shown.title, shown.about, png(drawn(shown, letters.latin), letters, note)


def _add_picture(document: "Opened", title: str, about: str, picture: bytes) -> None:
    from docx.shared import Cm  # noqa: PLC0415

    document.add_paragraph(title, "Caption")
    inline: Any = document.add_picture(io.BytesIO(picture), Cm(16.4))._inline
    inline.docPr.set("descr", about)
    inline.docPr.set("title", title)


def _add_table(document: "Opened", table: Table, report: Report) -> None:
    document.add_paragraph(table.title, "Caption")
    if not table.rows:
        document.add_paragraph(report.words.no_data)
        return
    grid = document.add_table(1, len(table.columns), "Table Grid")
    _fill(grid.rows[0], [column.name for column in table.columns], table, head=True)
    for cells in table.shown():
        _fill(grid.add_row(), cells, table)
    if table.note:
        document.add_paragraph(table.note)
    else:
        document.add_paragraph()


def _fill(row: Any, texts: list[str], table: Table, head: bool = False) -> None:
    from docx.shared import Pt  # noqa: PLC0415

    properties = row._tr.get_or_add_trPr()
    properties.append(_element("w:cantSplit"))
    if head:
        properties.append(_element("w:tblHeader"))
    # `row.cells` walks the whole table each time.
    for element, text, column in zip(row._tr.tc_lst, texts, table.columns, strict=True):
        paragraph = _cell(element, row).paragraphs[0]
        paragraph.alignment = 0 if column.format == "text" else 2
        paragraph.paragraph_format.space_after = Pt(0)
        run = paragraph.add_run(text)
        run.font.size, run.bold = Pt(9 if len(texts) <= MOST_AT_FULL_SIZE else 7.5), head
        if head:
            shade = _element("w:shd")
            for name, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", _HEAD_FILL)):
                shade.set(_tag(name), value)
            element.get_or_add_tcPr().append(shade)


def _cell(element: Any, row: Any) -> Any:
    from docx.table import _Cell  # noqa: PLC0415

    return _Cell(element, row)


def _add_definitions(document: "Opened", report: Report) -> None:
    if report.definitions:
        document.add_heading(report.words.definitions, 1)
    for one in report.definitions:
        paragraph = document.add_paragraph("", "List Bullet")
        paragraph.add_run(one.name).bold = True
        paragraph.add_run(f"  {one.text}")


def _element(name: str) -> Any:
    from docx.oxml import OxmlElement  # noqa: PLC0415

    return OxmlElement(name)


def _tag(name: str) -> str:
    from docx.oxml.ns import qn  # noqa: PLC0415

    return qn(name)
