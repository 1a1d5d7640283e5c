"""Names of places, buildings and lines in the words of an appeal."""

import pytest

from libs.common.city.gazetteer import Gazetteer
from libs.common.city.pack import load_city
from libs.common.runtime.privacy.finding import fold
from services.intake.repeats.endings import BUILDING, DOOR, EXIT, FACILITY, GATE, YARD
from services.intake.repeats.places import number, spot_of
from tests.support.stages import CITY

GAZETTEER = Gazetteer(load_city(CITY))


def named(text: str, address: str = "") -> set[str]:
    """Return the names found, with what tells neighbours apart."""
    whole = f"{fold(address)}\n{fold(text)}".lower()
    return {f"{n.name}{n.wing}{n.zone}" for n in spot_of(whole, len(address), GAZETTEER).names}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("我家住朝阳区望京街道花家地西里三区，没暖气", {"花家地西里3区"}),
        ("望京花家地西里3区停暖", {"花家地西里3区"}),
        ("我们幸福里小区没水了", {"幸福里"}),
        ("鸿博佳园门禁坏了", {"鸿博家园"}),
        ("和平里七区停气", {"和平里7区"}),
        ("宏福园暖气不热", {"宏福园"}),
        ("铁医路小区停水", {"铁医路"}),
        ("安富街与裕民大街路口有个坑", {"安富街", "裕民大街"}),
        ("建国门外大街和东三环路口", {"建国门外大街", "东三环"}),
        ("通惠河北路路灯不亮", {"通惠河北路"}),
        ("中关村南大街12号院门口", {"中关村南大街"}),
        ("于辛庄村东边的路全是坑", {"于辛庄村"}),
        ("地铁6号线青年路站扶梯坏了", {"地铁6号线", "青年路"}),
        ("等了半小时运通114路都不来", {"公交运通114路"}),
        ("楼下老胡烤鱼的油烟", {"老胡烤鱼"}),
        ("亚新洗浴中心冒黑烟，请督促厂方", {"亚新洗浴"}),
        ("The lift at 万科星园 building 5 is out of order", {"万科星园"}),
        ("走在马路上没有路灯，小区里物业公司不管，公交站也坏了", set()),
        ("孩子今年要上小学，在公园里摔了", set()),
        ("暖气不热", set()),
    ],
)
def test_names_are_found_without_what_stands_around_them(text: str, names: set[str]) -> None:
    assert named(text) == names


def test_an_address_without_a_known_ending_is_a_name_all_the_same() -> None:
    assert named("空地没苫盖", "大兴区亦庄镇小羊坊") == {"小羊坊"}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("三号楼电梯坏了", {(BUILDING, "3")}),
        ("3栋、十二号楼", {(BUILDING, "3"), (BUILDING, "12")}),
        ("6号楼2号电梯，三单元的电梯", {(BUILDING, "6"), (FACILITY, "2"), (FACILITY, "3")}),
        ("安德路甲61号院2号楼", {(YARD, "甲61"), (BUILDING, "2")}),
        ("苏州街33号", {(DOOR, "33")}),
        ("朝阳公园南门", {(GATE, "南")}),
        ("石榴庄地铁站B口", {(EXIT, "b")}),
        ("芳星园三区18楼", {(BUILDING, "18")}),
        ("我住18楼，等地铁13号线", set()),
    ],
)
def test_buildings_yards_and_gates_are_told_from_other_numbers(text: str, numbers: set[tuple[int, str]]) -> None:
    whole = f"\n{fold(text).lower()}"
    assert set(spot_of(whole, 0, GAZETTEER).numbers) == numbers


@pytest.mark.parametrize(
    ("text", "value"), [("3", "3"), ("007", "7"), ("十", "10"), ("十二", "12"), ("二十", "20"), ("三百零一", "301")]
)
def test_numbers_in_words_are_numbers_in_digits(text: str, value: str) -> None:
    assert number(text) == value


def test_what_names_a_place_says_nothing_of_the_matter() -> None:
    text = "\n花家地西里垃圾没人清运"
    assert "花家地" not in spot_of(text, 0, GAZETTEER).rest
    assert "垃圾没人清运" in spot_of(text, 0, GAZETTEER).rest
