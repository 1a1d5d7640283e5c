"""How many people and how much money an appeal speaks of."""

import re
from collections.abc import Iterable
from typing import Literal

from libs.common.contracts.classify import Amount
from services.classify.facts.numbers import NUMBER, span

_PERSONS = (
    "业主|居民|工人|农民工|学生|同学|孩子|小孩|老人|家长|员工|职工|乘客|租户|村民|商户|市民|老百姓|群众|住户|病人|"
    "患者|人"
)
# A number begins with one of these; so nothing is tried at any other character.
_FIRST = r"(?=[\d零〇一二两俩仨三四五六七八九十百千几数大约将近差好])"
_AMOUNT = re.compile(
    rf"{_FIRST}(?<![第\d.点:：])(?:(?P<from>{NUMBER})[到至~-])?(?P<number>{NUMBER})(?:"
    r"(?:个|名|位|口|号)?(?:户|家)(?!公司|店|超市|企业|医院|银行|饭店|单位|物业|机构|中介|工厂|餐|门|长|里|人)"
    r"(?P<household>)(?:业主|居民|人家|住户|人)?|"
    rf"(?:个|名|位|口|号)?多?(?:{_PERSONS})(?!次|均|行|民币|工费|家里)(?P<person>)|"
    r"(?:元|块钱?|圆|人民币)(?!地|砖|石|玻璃|广告|牌)(?P<yuan>)(?:钱|人民币)?)"
)
_PAID = re.compile(
    r"(?=[花交付转骗欠赔收罚退扣缴垫补借损押工房定学会要])"
    r"(?:花|交|付|转|骗|欠|赔|收|罚|退|扣|缴|垫|补|借|损失|押金|工资|房租|定金|学费|会费|押了|要价)"
    r"(?:了|去|走|给|我|他|们|钱|是|要|的|共|一共|总共|都|对方|我们|人家){0,4}"
    rf"(?:(?P<from>{NUMBER})[到至~-])?(?P<number>{NUMBER})(?=$|[，。！？,.!?；;、\s的吧呢了]|还|不|没|到|就|给)"
)
_FEWEST_YUAN = 100
"""A sum without its unit is one only if it is this much: 交了三次 has none."""
_ONE = frozenset({"一", "1", "俩", "仨"})
Unit = Literal["person", "household", "yuan"]


def amounts(text: str) -> tuple[tuple[Amount, ...], tuple[Amount, ...]]:
    """Return the people and households of a text, and its sums of money, each in order and once."""
    found = [_amount(match) for match in _AMOUNT.finditer(text)]
    bare = [_of(match, "yuan") for match in _PAID.finditer(text)]
    known = [one for one in found if one]
    money = [one for one in known if one.unit == "yuan"]
    money += [one for one in bare if one and one.least >= _FEWEST_YUAN]
    return _once(one for one in known if one.unit != "yuan"), _once(money)


def _amount(match: re.Match[str]) -> Amount | None:
    if match["yuan"] is not None:
        return _of(match, "yuan")
    if match["number"] in _ONE:
        return None
    return _of(match, "household" if match["household"] is not None else "person")


def _of(match: re.Match[str], unit: Unit) -> Amount | None:
    bounds = span(match["number"])
    if bounds is None:
        return None
    least, most = bounds
    if match["from"] and (begin := _before(match["from"], match["number"])):
        least = min(begin, least)
    return Amount(words=match[0], least=least, most=most, unit=unit)


def _before(first: str, second: str) -> float | None:
    """Return where a range begins: 三到五万 begins at thirty thousand."""
    scale = re.search("[万亿千百]$", second)
    begin = span(first + scale[0] if scale and first[-1] not in "万亿千百" else first)
    return begin[0] if begin else None


def _once(found: Iterable[Amount]) -> tuple[Amount, ...]:
    return tuple({(one.least, one.most, one.unit): one for one in found}.values())
