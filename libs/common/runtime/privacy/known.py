"""What the reporter gave in fields and may have written into the words as well."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from libs.common.runtime.privacy.finding import GAP, NUMERAL, Span, digits_of, fold
from libs.common.runtime.privacy.tokens import home_number

_RUN = re.compile(rf"{NUMERAL}(?:{GAP}{NUMERAL}){{6,60}}")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_SHORTEST_WORD, _SHORTEST_NUMBER = 2, 7
# What people put into the name field who give no name.
_PLACEHOLDERS = """
匿名 市民 业主 居民 村民 住户 群众 用户 游客 网友 先生 女士 小姐 本人 保密 不详
未知 热心市民 物业 同上 没有 暂无 日期 姓名 电话
"""
NO_NAMES = frozenset(_PLACEHOLDERS.split())


@dataclass(frozen=True, slots=True)
class Known:
    """One such value: a telephone number, looked for however it is spaced, or words."""

    kind: str
    value: str

    @classmethod
    def of(cls, kind: str, value: str) -> Self:
        """Take a value as given; what is too short or a placeholder is never found."""
        if kind == "phone":
            return cls(kind, _without_area(home_number(value)))
        return cls(kind, fold(value).strip().translate(_LOWER))

    def spans(self, text: str) -> Iterator[Span]:
        """Find the value in folded text, from left to right."""
        if self.kind == "phone" and len(self.value) >= _SHORTEST_NUMBER:
            for run in _RUN.finditer(text):
                yield from _in_run(run, self.value)
        elif self.kind != "phone" and len(self.value) >= _SHORTEST_WORD and self.value not in NO_NAMES:
            yield from _as_words(text.translate(_LOWER), self.value)


def _without_area(number: str) -> str:
    """Cut the area code, for a landline may be given with it and written without."""
    if not number.startswith("0"):
        return number
    return number[3:] if number.startswith(("01", "02")) else number[4:]


def _in_run(run: re.Match[str], number: str) -> Iterator[Span]:
    places = [at for at in range(*run.span()) if digits_of(run.string[at])]
    digits = digits_of(run.group())
    at = digits.find(number)
    while at >= 0:
        yield places[at], places[at + len(number) - 1] + 1
        at = digits.find(number, at + len(number))


def _as_words(text: str, words: str) -> Iterator[Span]:
    at = text.find(words)
    while at >= 0:
        end = at + len(words)
        # An English name inside a longer word is another word.
        around = (text[at - 1 : at], text[end : end + 1]) if words[0] in _LETTERS else ()
        if not _LETTERS.intersection(around):
            yield at, end
        at = text.find(words, end)
