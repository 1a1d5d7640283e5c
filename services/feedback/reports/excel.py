"""A report as a workbook: a sheet for each table with numbers that are numbers, and one for what they mean."""

import io
import math
import re
from typing import TYPE_CHECKING

from libs.common.runtime.tables import plain
from services.feedback.reports.content import Report, Table, Value, breadth

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

FORMATS = {
    "count": "#,##0", "share": "0.0%", "hours": "#,##0.0", "points": "0.00", "number": "#,##0.00",
    "change": "+#,##0.0%;-#,##0.0%;0.0%", "difference": "+0.0;-0.0;0.0", "text": "@",
}  # fmt: skip
_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
_LONGEST_NAME = 31
_WIDEST, _BROAD = 48, 100
_FONT = "Calibri"
"""As in all cells of a new workbook; Chinese letters are of the font beside it."""


def excel(report: Report) -> bytes:
    """Return a report as an .xlsx file."""
    # Only the process that writes documents needs it.
    from openpyxl import Workbook  # noqa: PLC0415

    book = Workbook()
    book.properties.title, book.properties.creator = report.title, report.issuer
    summary = book.active
    assert summary is not None  # noqa: S101 a new workbook has a sheet
    _add_summary(summary, report)
    for table in (table for table in report.tables if table.rows):
        _add_table(book.create_sheet(sheet_name(table.title, book.sheetnames)), table)
    _add_definitions(book.create_sheet(sheet_name(report.words.definitions, book.sheetnames)), report)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def sheet_name(title: str, taken: list[str]) -> str:
    """A name that a sheet may have, and no other has; spreadsheets compare them without regard to case."""
    name = _FORBIDDEN.sub(" ", title).strip()[:_LONGEST_NAME] or "Sheet"
    others, number, unique = {other.lower() for other in taken}, 1, name
    while unique.lower() in others:
        number += 1
        unique = f"{name[: _LONGEST_NAME - 4]} {number}"
    return unique


def _add_summary(sheet: "Worksheet", report: Report) -> None:
    from openpyxl.styles import Font  # noqa: PLC0415

    sheet.title = sheet_name(report.words.summary, [])
    lines, heads = [report.title, *report.facts], []
    for section in report.sections:
        lines += ["", section.title, *section.text] if section.text else []
        heads += [len(lines) - len(section.text)] if section.text else []
    for line in lines:
        sheet.append([plain(line)])
    _style(sheet, [_BROAD], [])
    _print(sheet, report.title)
    sheet["A1"].font = Font(name=_FONT, bold=True, size=14)
    for row in heads:
        sheet.cell(row, 1).font = Font(name=_FONT, bold=True)
    for row, line in enumerate(lines, 1):
        # Not every program makes a row as high as its text.
        sheet.row_dimensions[row].height = (20 if row == 1 else 15) * max(1, math.ceil(_width(line) / _BROAD))


def _add_table(sheet: "Worksheet", table: Table) -> None:
    sheet.append([plain(column.name) for column in table.columns])
    for row in table.rows:
        sheet.append([plain(_number(value)) for value in row])
    widths = [
        min(_WIDEST, max(10, *(_width(str(cell)) for cell in (column.name, *(row[at] for row in table.shown()[:200])))))
        for at, column in enumerate(table.columns)
    ]
    _style(sheet, widths, [FORMATS[column.format] for column in table.columns])
    _print(sheet, table.title)
    _head(sheet, [column.format == "text" for column in table.columns])


def _number(value: Value) -> Value:
    # A spreadsheet has no number that is none.
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 NaN alone is not itself


def _width(text: str) -> float:
    return 2 + 2 * breadth(text)


def _style(sheet: "Worksheet", widths: list[float], formats: list[str]) -> None:
    from openpyxl.styles import Alignment  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    for at, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(at)].width = width
    for row in sheet.iter_rows(min_row=2 if formats else 1):
        for cell, form in zip(row, formats or ["@"], strict=False):
            cell.number_format = form
            if not formats:
                cell.alignment = Alignment(wrap_text=True, vertical="top")
            elif form == FORMATS["text"]:
                cell.alignment = Alignment(horizontal="left", indent=1)


def _print(sheet: "Worksheet", title: str) -> None:
    """Have a sheet printed as wide as a page, under its whole title, with the number of the page below."""
    from openpyxl.worksheet.properties import PageSetupProperties  # noqa: PLC0415

    for part, text in ((sheet.oddHeader, title.replace("&", "&&")), (sheet.oddFooter, "&P / &N")):
        assert part is not None  # noqa: S101 a new sheet has both
        part.center.text = text
    sheet.page_setup.paperSize, sheet.page_setup.orientation = "9", "landscape"
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToHeight = 0


def _head(sheet: "Worksheet", texts: list[bool]) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill  # noqa: PLC0415

    sheet.freeze_panes = "B2"
    sheet.print_title_rows = "1:1"
    sheet.auto_filter.ref = sheet.dimensions
    for cell, text in zip(sheet[1], texts, strict=True):
        cell.font, cell.fill = Font(name=_FONT, bold=True), PatternFill("solid", "E7F0F8")
        cell.alignment = Alignment(
            wrap_text=True, vertical="center", horizontal="left" if text else "right", indent=int(text)
        )


def _add_definitions(sheet: "Worksheet", report: Report) -> None:
    sheet.append([report.words.definition, report.words.meaning])
    for one in report.definitions:
        sheet.append([plain(one.name), plain(one.text)])
    _style(sheet, [30, 110], ["@", "@"])
    _print(sheet, report.words.definitions)
    _head(sheet, [True, True])
