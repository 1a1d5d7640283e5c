"""Which of the things a seat must ask about a question the words answer already.

An ask that wants a place, a time, a sum, a number of people or a name is answered by any such fact. Any other is
answered where the words speak of the same thing: 阀门关了没有 by 阀门已经关了. This says that something was said of it,
not that it was enough; so the seat sees both lists.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from libs.common.contracts.classify import Details

_WANTS = {
    "place": re.compile(r"在?哪(?!家|个单位)|位置|地址|地点|路段|什么地方|哪个(?:小区|楼|路口|站)|几号楼|门牌"),
    "times": re.compile(r"什么时候|何时|几点|多久|多长时间|哪天|日期|时段|几天|哪年|何年|什么时间|时间"),
    "money": re.compile(r"多少钱|金额|花了多少|收了多少|数额|价格|几块"),
    "people": re.compile(r"多少人|多少户|几户|几个人|几人|人数|户数|多少居民"),
    "organisations": re.compile(r"哪家|(?:公司|单位|商家|店铺|机构|企业|物业|学校|医院)(?:名称?|全称|叫什么)|店名"),
}
_EMPTY = frozenset(
    {"有没有", "是否", "什么", "多少", "怎么", "如何", "哪里", "哪个", "情况", "需要", "可以", "已经", "现在", "时候"}
    | {"是不是", "能否", "能不能", "问题", "具体", "大概", "请问"}
)
"""Words of an ask that do not say what it is about."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a seat must learn, and whether the words speak of it already."""

    ask: str
    said: bool


def asked_of(
    asks: Sequence[str], text: str, facts: Details, located: bool, cut: Callable[[str], Sequence[str]]
) -> tuple[Asked, ...]:
    """Say of everything that a seat must ask whether a text answers it. `located` says that its place is known."""
    return tuple(Asked(ask, _said(ask, text, facts, located, cut)) for ask in asks)


def _said(ask: str, text: str, facts: Details, located: bool, cut: Callable[[str], Sequence[str]]) -> bool:
    known = {
        "place": located, "times": bool(facts.times), "money": bool(facts.money), "people": bool(facts.people),
        "organisations": bool(facts.organisations),
    }  # fmt: skip
    wanted = [fact for fact, words in _WANTS.items() if words.search(ask)]
    if wanted:
        return any(known[fact] for fact in wanted)
    return any(word in text for word in cut(ask) if len(word) > 1 and word not in _EMPTY)
