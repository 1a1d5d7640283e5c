"""Writes a document: `python -m services.feedback.reports docx`. The report is standard input, the file the output."""

import sys

from services.feedback.reports.apart import REPORT
from services.feedback.reports.excel import excel
from services.feedback.reports.word import word

if __name__ == "__main__":
    report = REPORT.validate_json(sys.stdin.buffer.read())
    sys.stdout.buffer.write(word(report) if sys.argv[1] == "docx" else excel(report))
