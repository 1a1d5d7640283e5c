"""Indices of districts: shrunk, with intervals, silent where there is too little; and figures from outside."""

from datetime import date

import pytest
from pydantic import TypeAdapter

from libs.common.city.indices import GENERAL, Indices, People
from libs.common.city.problems import Problems, read_whole_toml
from services.feedback.domain.coverage import read_coverage
from services.feedback.domain.indices import Counts, Coverage, Index, indices

RULES = read_whole_toml(GENERAL, TypeAdapter(Indices))
BIG, SMALL, SAFE = "110105", "110119", "安全性"
DAY = date(2020, 11, 1)
PEOPLE = {BIG: People(3_000_000, DAY, "census"), SMALL: People(300_000, DAY, "census")}
HEAD = "indicator,district,as_of,value,source\n"


def counted(district: str, appeals: int, answers: int, solved: float) -> Counts:
    return Counts("2026-03", district, SAFE, appeals, answers, solved)


def made(*counts: Counts, figures: tuple[Coverage, ...] = ()) -> dict[str, Index]:
    return {one.district: one for one in indices(counts, RULES, PEOPLE, figures) if one.tag == SAFE}


def test_a_district_where_more_is_solved_and_less_is_asked_for_than_people_would_have_it_stands_higher() -> None:
    found = made(counted(BIG, 5000, 3000, 2700), counted(SMALL, 2000, 1500, 700))
    big, small = found[BIG], found[SMALL]
    assert big.low is not None
    assert small.high is not None
    assert big.low > small.high
    assert (big.solved or 0) > (small.solved or 0)
    assert (small.volume or 0) < 50 < (big.volume or 0)
    assert big.coverage is None


def test_as_many_appeals_as_people_would_have_it_are_worth_half() -> None:
    found = made(counted(BIG, 1000, 500, 400), counted(SMALL, 100, 50, 40))
    assert found[BIG].volume == found[SMALL].volume == pytest.approx(50)
    assert (found[BIG].high or 0) - (found[BIG].low or 0) < (found[SMALL].high or 0) - (found[SMALL].low or 0)


def test_of_too_few_nothing_is_said_but_that_they_are_few() -> None:
    few = made(counted(BIG, 1000, 500, 400), counted(SMALL, RULES.least - 1, 5, 5))[SMALL]
    assert few.too_few
    assert (few.value, few.appeals, few.answers, few.solved, few.volume) == (None,) * 5


def test_a_count_that_would_come_out_by_subtraction_is_not_told_either() -> None:
    assert made(counted(BIG, 1000, 500, 400), counted(SMALL, 3, 1, 1))[BIG].appeals is None


def test_a_figure_from_outside_counts_by_its_target_and_its_source_is_told() -> None:
    figure = Coverage("fire_response", SMALL, DAY, 75.0, "fire brigade")
    with_figure = made(counted(SMALL, 100, 50, 40), figures=(figure,))[SMALL]
    assert with_figure.coverage == 50
    assert with_figure.figures == (figure,)


def test_a_district_of_which_nobody_counted_the_people_has_no_volume() -> None:
    found = made(counted("110101", 100, 50, 40), counted(BIG, 1000, 500, 400))["110101"]
    assert found.volume is None
    assert found.value is not None


def test_a_table_of_figures_is_read() -> None:
    problems = Problems()
    content = (HEAD + f"doctors,{BIG},2025-12-31,4.2,卫健委统计公报\n").encode()
    (figure,) = read_coverage(content, RULES.by_code, [BIG], date(2026, 3, 2), problems)
    assert figure == Coverage("doctors", BIG, date(2025, 12, 31), 4.2, "卫健委统计公报")
    assert problems.found == []


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (f"nurses,{BIG},2025-12-31,4.2,s", "indicator"), ("doctors,999999,2025-12-31,4.2,s", "district"),
        (f"doctors,{BIG},2027-12-31,4.2,s", "as_of"), (f"doctors,{BIG},31.12.2025,4.2,s", "as_of"),
        (f"doctors,{BIG},2025-12-31,many,s", "value"), (f"doctors,{BIG},2025-12-31,nan,s", "value"),
        (f"doctors,{BIG},2025-12-31,4.2,", "source"), (f"doctors,{BIG},2025-12-31,4.2", "row"),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_named_by_line_and_column_and_not_echoed(line: str, column: str) -> None:
    problems = Problems()
    read_coverage((HEAD + line + "\n").encode(), RULES.by_code, [BIG], date(2026, 3, 2), problems)
    (told,) = problems.found
    assert told.startswith(f"coverage.csv:2 {column}: ")
    assert not {"nurses", "999999", "many"} & set(told.split())
