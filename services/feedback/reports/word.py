"""A report as a Word document: styles that a reader can change, tables with heads that repeat, pictures with words."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from services.feedback.reports.content import Curve, Map, Report, Section, Table, breadth
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
BROAD, CURVE_CM, MAP_CM = 16.6, 16.4, 11.5
"""Of the page between its margins, and of pictures, in centimetres: two maps stand on one page."""
_NAME_AT_LEAST, _PADDING, _BOLD = 6.0, 1.2, 1.15
"""In Chinese letters: the first column may be as narrow, for its names take several lines; beside each text. And how
much broader a bold text is."""
_MARGIN = "60"
"""Beside the text of a cell, in twentieths of a point."""
_POINT_CM = 2.54 / 72


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
    _add_folded(document, report)
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
    # Without it a comma is drawn as in Taiwan, in the middle.
    for language in styles.element.xpath("w:docDefaults//w:lang"):
        language.set(_tag("w:eastAsia"), "zh-CN")
    styles["Normal"].font.size, styles["Title"].font.size = Pt(10.5), Pt(22)
    styles["Subtitle"].font.size, styles["Subtitle"].font.italic = Pt(10), False
    styles["Subtitle"].paragraph_format.space_after = Pt(2)
    for wide in styles["Subtitle"].element.xpath("w:rPr/w:spacing"):
        wide.getparent().remove(wide)
    styles["Caption"].font.size, styles["Caption"].font.bold = Pt(10.5), True
    styles["Caption"].paragraph_format.keep_with_next = True
    styles["Caption"].paragraph_format.space_before, styles["Caption"].paragraph_format.space_after = Pt(8), Pt(3)
    styles["Heading 1"].paragraph_format.space_after = Pt(6)
    styles["Title"].paragraph_format.alignment = 1
    styles["Header"].font.size = styles["Footer"].font.size = Pt(9)
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
    for shown, picture in _pictures(section, report, letters):
        _add_picture(document, shown, picture)
    for table in section.tables:
        if not table.annex and not table.folded:
            _add_table(document, table, report)


def _pictures(section: Section, report: Report, letters: Letters) -> Iterator[tuple[Curve | Map, bytes]]:
    note = report.words.no_font if letters.latin else ""
    drawings: list[tuple[Curve | Map, Any]] = [(curve, drawn_curve) for curve in section.curves]
    drawings += [(map_, drawn_map) for map_ in section.maps]
    for shown, drawn in drawings:
        yield shown, png(drawn(shown, letters.latin), letters, note)


def _add_picture(document: "Opened", shown: Curve | Map, picture: bytes) -> None:
    from docx.shared import Cm  # noqa: PLC0415

    document.add_paragraph(shown.title, "Caption")
    broad = Cm(MAP_CM if isinstance(shown, Map) else CURVE_CM)
    inline: Any = document.add_picture(io.BytesIO(picture), broad)._inline
    inline.docPr.set("descr", shown.about)
    inline.docPr.set("title", shown.title)


def _add_folded(document: "Opened", report: Report) -> None:
    """Add the figures of the curves behind all else: they are looked at one by one only."""
    folded = [table for table in report.tables if table.folded]
    if folded:
        document.add_heading(report.words.data, 1)
    for table in folded:
        _add_table(document, table, report)


def _add_table(document: "Opened", table: Table, report: Report) -> None:
    document.add_paragraph(table.title, "Caption")
    if not table.rows:
        document.add_paragraph(report.words.no_data)
        return
    grid = document.add_table(1, len(table.columns), "Table Grid")
    grid.autofit = False
    _set_margins(grid)
    widths = _widths(table)
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = width
    _fill(grid.rows[0], [column.name for column in table.columns], table, widths, head=True)
    for cells in table.shown():
        _fill(grid.add_row(), cells, table, widths)
    if table.note:
        _add_note(document, table.note)


def _widths(table: Table) -> list[int]:
    """Return how broad each column is: as its cells ask for, the first as room is left; all together as the page."""
    from docx.shared import Cm  # noqa: PLC0415

    shown = table.shown()
    asked = [
        max(_head_breadth(column.name), *(breadth(cells[at]) for cells in shown)) + _PADDING
        for at, column in enumerate(table.columns)
    ]
    room = BROAD / (_size(len(table.columns)) * _POINT_CM) - sum(asked[1:])
    asked[0] = min(asked[0], max(room, _NAME_AT_LEAST))
    return [Cm(BROAD * one / sum(asked)) for one in asked]


def _head_breadth(name: str) -> float:
    """How broad a head must be: as its longest word, or as half of it in Chinese, which may break anywhere."""
    return _BOLD * max(breadth(word) for word in name.split()) if name.isascii() else breadth(name) / 2


def _size(columns: int) -> float:
    """Of the letters of a table, in points."""
    return 9 if columns <= MOST_AT_FULL_SIZE else 7.5


def _set_margins(grid: Any) -> None:
    margins = _element("w:tblCellMar")
    for side in ("w:left", "w:right"):
        margin = _element(side)
        margin.set(_tag("w:w"), _MARGIN)
        margin.set(_tag("w:type"), "dxa")
        margins.append(margin)
    # Where the order of the schema has it: strict readers refuse a file otherwise.
    look = grid._tbl.tblPr.find(_tag("w:tblLook"))
    look.addprevious(margins)


def _add_note(document: "Opened", note: str) -> None:
    from docx.shared import Pt  # noqa: PLC0415

    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_before = Pt(3)
    paragraph.add_run(note).font.size = Pt(9)


def _fill(row: Any, texts: list[str], table: Table, widths: list[int], head: bool = False) -> None:
    from docx.shared import Pt  # noqa: PLC0415

    properties = row._tr.get_or_add_trPr()
    properties.append(_element("w:cantSplit"))
    if head:
        properties.append(_element("w:tblHeader"))
    # `row.cells` walks the whole table each time.
    for element, text, column, width in zip(row._tr.tc_lst, texts, table.columns, widths, strict=True):
        element.width = width
        paragraph = _cell(element, row).paragraphs[0]
        paragraph.alignment = 0 if column.format == "text" else 2
        paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(1.5)
        paragraph.paragraph_format.line_spacing = 1.0
        run = paragraph.add_run(text)
        run.font.size, run.bold = Pt(_size(len(texts))), head
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
