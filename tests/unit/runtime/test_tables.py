"""Tables that spreadsheets read, and compute nothing of."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from libs.common.runtime.tables import csv_lines

CELLS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2)))
def test_whatever_is_in_a_cell_is_read_back_and_begins_no_formula(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(csv_lines(rows), newline="")))
    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [c.removeprefix("'") for c in r] for r in rows
    ]
    assert not any(cell[:1] in tuple("=+-@\t\r＝＋－＠") for row in read for cell in row if cell)


def test_lines_end_as_rfc_4180_has_it_and_numbers_stay_numbers() -> None:
    assert csv_lines([("a", -1, None), ("-1", 'x"y', "u,v")]) == 'a,-1,\r\n\'-1,"x""y","u,v"\r\n'
