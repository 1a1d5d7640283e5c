"""A month told in classes: as finely as enough people share it, with what happened in coarse steps."""

from datetime import timedelta

import pytest

from services.feedback.domain.extracts import FIELDS, months
from services.feedback.domain.periods import period_of
from services.feedback.domain.releases import Cell, Class, Course, Spot, Told, cells, public, within
from tests.support.stages import NOON

HERE = Class("2026-03-02", "110105", "s-110105026", "供水排水", "自来水供应", "突然停水", "phone")


def told(people: int, told_by: Class = HERE, **more: str) -> list[Told]:
    return [Told(f"{told_by} {number}", told_by, Course(**more), 1) for number in range(people)]


def test_what_enough_people_share_is_told_by_day_street_and_question() -> None:
    (cell,) = cells("2026-03", told(5), 5)
    assert (cell.day, cell.street, cell.category3, cell.channel) == ("2026-03-02", "s-110105026", "突然停水", "phone")
    assert (cell.appeals, cell.supporters) == (5, 5)


def test_what_few_share_is_told_no_finer_than_more_of_them_do() -> None:
    other = Class("2026-03-09", "110105", "s-110105001", "供水排水", "自来水供应", "突然停水", "web")
    (cell,) = cells("2026-03", told(3) + told(2, other), 5)
    assert (cell.day, cell.district, cell.street, cell.category3, cell.appeals) == ("", "110105", "", "突然停水", 5)
    assert cells("2026-03", told(4), 5) == []


def test_what_happened_is_told_within_the_class() -> None:
    split = [Told(str(n), HERE, Course(ended="solved" if n else "unsolved")) for n in range(5)]
    assert sorted((cell.ended, cell.appeals) for cell in cells("2026-03", split, 5)) == [("solved", 4), ("unsolved", 1)]


def test_times_are_told_as_within_so_many_hours() -> None:
    spans = (0, 1, 2, 24, 25, 361)
    assert [within(NOON, NOON + timedelta(hours=hours)) for hours in spans] == ["1", "1", "4", "24", "72", "later"]
    assert within(NOON, None) == within(None, NOON) == ""


def test_every_field_of_an_extract_is_told_by_a_release() -> None:
    assert set(FIELDS) < set(Cell.__slots__)


def test_only_matters_of_public_space_are_on_the_map() -> None:
    lamp, wage = ("市政设施", "道路照明", "路灯不亮"), ("劳动社保", "劳动报酬", "拖欠工资")
    spots = [Spot("110105", "", category, appeals, 0, 0) for category, appeals in ((wage, 90), (lamp, 6), (lamp, 7))]
    assert [spot.people for spot in public(spots, {lamp: "street lights"})] == [7, 6]


def test_months_run_from_the_first_to_the_last_that_is_settled() -> None:
    settled = period_of("2026-03")
    assert months("2025-12", "2026-02", settled, 12) == ("2025-12", "2026-01", "2026-02")
    for first, last, most in (("2026-03", "2026-04", 12), ("2026-03", "2026-02", 12), ("2025-01", "2026-01", 12)):
        with pytest.raises(ValueError, match="must"):
            months(first, last, settled, most)
