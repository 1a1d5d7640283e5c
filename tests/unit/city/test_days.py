"""The days China works and rests, in years that are named and in years that are not yet."""

from datetime import date

import pytest

from libs.common.city.days import kind_of_day


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 3, 2), "work"), (date(2026, 3, 7), "rest"), (date(2026, 10, 1), "holiday"),
        (date(2026, 2, 14), "work"),  # a Saturday made up for
        (date(2031, 10, 1), "holiday"), (date(2031, 3, 1), "rest"), (date(2031, 3, 3), "work"),
    ],
)  # fmt: skip
def test_a_day_is_of_its_kind_in_any_year(day: date, kind: str) -> None:
    assert kind_of_day(day) == kind
