"""Life in danger, in the words of an appeal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Emergency:
    """A number for life in danger and the words that call for it."""

    number: str
    name_zh: str
    name_en: str
    words: tuple[str, ...]


_NOT_NOW = (
    "去年", "前年", "上个月", "上周", "之前", "以前", "曾经", "曾", "当年", "那次", "历史上",
    "没有", "没", "未", "别", "不会", "并未", "防止", "预防", "避免", "以免", "怕", "担心", "容易", "可能", "如果",
    "万一", "要是", "假如", "会不会", "是否", "演练", "演习", "宣传", "培训", "咨询",
)  # fmt: skip
"""Words right before an emergency's that put it in the past, deny it, or only fear it."""
REACH = 8
"""How many characters back such a word still bears on it."""


def emergency_in(text: str, emergencies: tuple[Emergency, ...]) -> Emergency | None:
    """Return the emergency that the words say is happening now, the earliest mentioned; None if there is none."""
    found = [
        (at, emergency)
        for emergency in emergencies
        for word in emergency.words
        for at in _places(text, word)
        if not any(guard in text[max(0, at - REACH) : at] for guard in _NOT_NOW)
    ]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _places(text: str, word: str) -> list[int]:
    places, at = [], text.find(word)
    while at >= 0:
        places.append(at)
        at = text.find(word, at + 1)
    return places
