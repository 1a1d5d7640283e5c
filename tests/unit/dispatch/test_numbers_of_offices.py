"""Which numbers in what units write are an office's."""

import pytest

from services.dispatch.domain import is_office

LISTED = frozenset({"96069", "88087733", "12345"})


@pytest.mark.parametrize(
    ("before", "number"),
    [
        ("有事请拨打", "96069"), ("有事请拨打", "010-88087733"), ("请拨打", "８８０８７７３３"),
        ("", "(010) 8808 7733"),
        ("有疑问请拨打咨询电话：", "010-62345678"), ("我街道值班室", "62345678"),
        ("已修复。社区居委会电话是", "6234 5678"),
        ("联系电话（", "010-62345678"), ("城管科 ", "010 62345678"),
    ],
)  # fmt: skip
def test_what_the_city_lists_and_fixed_lines_given_as_an_office_s_are(before: str, number: str) -> None:
    assert is_office(number, before, LISTED)


@pytest.mark.parametrize(
    ("before", "number"),
    [
        ("已致电", "62345678"), ("您的联系电话", "62345678"), ("诉求人联系电话", "010-62345678"),
        ("咨询电话", "13812345678"), ("⟦name-1⟧办公电话", "62345678"), ("市民来电号码", "62345678"),
        ("", "1381234596069"),
        ("咨询电话", "一三八一二三四五六七八"), ("咨询电话：我处。另有", "62345678"),
    ],
)  # fmt: skip
def test_mobiles_citizens_lines_and_what_nobody_gives_as_an_office_s_are_not(before: str, number: str) -> None:
    assert not is_office(number, before, LISTED)
