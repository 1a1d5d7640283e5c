"""Whom words call by name: in which questions a name decides, what only sounds like one, and mistakes in the file."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.named import COLUMNS, Called, Named
from libs.common.city.pack import City, load_city
from libs.common.city.problems import CityError
from tests.unit.city.conftest import write_table


@pytest.mark.parametrize(
    ("code", "words", "unit"),
    [
        ("heating-01-01", "金房收了钱不供暖", "co-heating-jinfang"),
        ("heating-01-01", "交了押金房东不给修暖气", None),
        ("heating-03-01", "北京能不能早点供暖", None),
        ("transit-02-01", "14号线的扶梯停了", "co-metro-mtr"),
        ("transit-02-01", "十四号线的扶梯停了", "co-metro-mtr"),
        ("transit-02-01", "4号线的扶梯停了", "co-metro-mtr"),
        ("transit-02-01", "24号线的扶梯停了", None),
        ("transit-02-01", "大兴线和4号线都停了", "co-metro-mtr"),
        ("transit-02-01", "10号线换14号线的扶梯停了", None),
        ("transit-02-01", "大兴机场线的扶梯停了", "co-metro-bmoa"),
        ("transit-04-01", "西郊线刷卡机坏了", "co-tram"),
        ("telecom-01-01", "移动的宽带断了", "co-mobile"),
        ("telecom-01-01", "沙发移动到门口 网就断了", None),
        ("telecom-02-01", "移动联通电信都没有信号", None),
        ("telecom-04-01", "中通不送上门", "co-courier-zto"),
        ("telecom-04-01", "派送途中通知我自取", None),
        ("telecom-04-01", "京东大峡谷门口不送快递", None),
        ("telecom-05-04", "楼顶要建基站", "co-tower"),
        ("env-05-01", "楼顶基站辐射大不大", None),
        ("power-05-02", "星星充电的余额退不了", "co-charging-star"),
        ("power-05-01", "星星充电的桩着火了", None),
        ("traffic-07-01", "顺丰的车把我撞了", None),
        ("labour-01-01", "在滴滴干活不给结钱", None),
    ],
)
def test_a_name_decides_in_the_questions_that_the_file_gives_it(
    beijing: City, code: str, words: str, unit: str | None
) -> None:
    assert beijing.named.called(code, words) == Called(unit, None)


@pytest.mark.parametrize(
    ("code", "words", "unit"),
    [
        ("green-03-03", "陶然亭公园湖边的椅子坏了", "dept-parks"),
        ("green-03-03", "景山前街的椅子坏了", None),
        ("green-03-03", "石景山游乐园的椅子坏了", None),
        ("green-03-03", "颐和园里的椅子坏了", "dept-parks"),
        ("sanit-02-12", "颐和园路上全是烟头", None),
        ("facil-03-01", "经开区路灯不亮", "dept-bda"),
        ("sanit-02-12", "天坛东里全是烟头", None),
        ("sanit-02-12", "香山公园东门附近全是烟头", None),
        ("sanit-02-12", "天坛医院门口全是烟头", None),
        ("sanit-02-12", "北京南站北广场全是烟头", "dept-station-areas"),
        ("sanit-02-12", "北京站东街全是烟头", None),
        ("safety-02-01", "在北京西站被人打了", None),
        ("culture-02-01", "天安门广场预约不上", "dept-tiananmen"),
        ("transit-02-01", "天安门东站的扶梯停了", None),
        ("transit-04-14", "大兴国际机场少了一件行李", "co-airport-daxing"),
        ("corp-02-04", "亦庄经开区的补贴没到账", "dept-bda"),
    ],
)
def test_what_happens_at_a_venue_is_its_units_and_what_is_beside_it_or_called_after_it_is_not(
    beijing: City, code: str, words: str, unit: str | None
) -> None:
    assert beijing.named.called(code, words) == Called(None, unit)


def test_every_name_is_found_and_every_word_that_only_holds_one_is_not(beijing: City) -> None:
    for name, sign in beijing.named.signs.items():
        for code in beijing.catalogue.by_code if sign.kind == "none" else sign.codes:
            called = beijing.named.called(code, f"，{name}，")
            assert called == (Called() if sign.kind == "none" else Called(**{sign.kind: sign.unit})), (name, code)


@given(words=st.text(st.sampled_from("金房京能天坛公园路附近4十号线移动通知中顺丰ＡT1 ，\x00")))
def test_no_words_are_too_odd(beijing: City, words: str) -> None:
    for code in ("heating-01-01", "transit-02-01", "sanit-02-12", "no-such-code"):
        found = beijing.named.called(code, words)
        assert {found.unit, found.venue} <= {None, *beijing.units}


def test_a_city_without_names_calls_nobody(small_pack: Path) -> None:
    assert Named({}).called("water-01-01", "自来水") == Called()
    assert load_city(small_pack).named.signs == {}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("unit,co-magic,魔法水,water,", "2 unit: 'co-magic' should be a code in units.csv"),
        ("unit,co-water,水厂,fire,", "2 codes: 'fire' should be a code in the catalogue, or begin some"),
        ("unit,co-water,水厂,water,co-gas", "2 instead: 'co-gas' should be a code in units.csv, or street or district"),
        ("unit,co-water,水厂,water-01-02,dept-water", "2 codes: should name a question whose owner is one of"),
        ("unit,co-water,水,water,", "2 names: '水' should have at least 2 characters"),
        ("unit,co-water,,water,", "2 names: is empty and must be filled"),
        ("firm,co-water,水厂,water,", "2 kind: 'firm' should be one of unit, venue, none"),
        ("unit,co-water,水厂,water,\nunit,dept-water,水厂,water,", "3 names: '水厂' stands for co-water already"),
    ],
)
def test_a_mistake_in_a_name_is_told_by_its_line(small_pack: Path, row: str, said: str) -> None:
    write_table(small_pack / "named.csv", COLUMNS, row)
    with pytest.raises(CityError, match=re.escape(f"named.csv:{said}")):
        load_city(small_pack)


def test_a_name_may_stand_in_for_the_street(small_pack: Path) -> None:
    write_table(small_pack / "named.csv", COLUMNS, "unit,co-water,老水厂,water,street")
    named = load_city(small_pack).named
    assert named.called("water-01-02", "老水厂的水黄").unit == "co-water"
    assert named.called("water-01-01", "老水厂停水").unit is None
