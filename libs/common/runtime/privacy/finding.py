"""How personal data is looked for: text is folded to one spelling, then rules claim parts of it in turn.

Folding keeps every character at its place, so what a rule finds in the folded text is cut from the original. Every
repeat in a rule's pattern is bounded: the cost of a search grows with the length of the text and no faster.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Span = tuple[int, int]
Judge = Callable[[re.Match[str]], Span | None]

_CHINESE = "零〇一二三四五六七八九幺⓪①②③④⑤⑥⑦⑧⑨壹贰叁肆伍陆柒捌玖"
_VALUES = "001234567891" + "0123456789" + "123456789"
# Chinese and circled numerals stay as they are when text is folded: 一 after a phone number is a word, not a digit.
NUMERAL = f"[0-9{_CHINESE}]"
GAP = r"[ .\-]{0,3}"
_TO_DIGIT = dict(zip(_CHINESE, _VALUES, strict=True)) | {digit: digit for digit in "0123456789"}


def _folding() -> dict[int, str]:
    table = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    for code in (*range(0x10000), *range(0x1D7CE, 0x1D800)):
        if (digit := unicodedata.decimal(chr(code), None)) is not None:
            table[code] = str(digit)
    table |= dict.fromkeys(map(ord, "‐‑‒–—―−─﹣－"), "-")
    table |= dict.fromkeys(map(ord, "·•・∙‧．"), ".")
    # Invisible characters and keycap parts are spaces too, or they would hide a number from the rules.
    table |= dict.fromkeys((*range(0x2000, 0x2010), 0x9, 0xA0, 0xAD, 0x202F, 0x2060, 0x20E3, 0x3000), " ")
    return table | dict.fromkeys((0xFE0E, 0xFE0F, 0xFEFF), " ")


_FOLDING = _folding()


def fold(text: str) -> str:
    """Spell full-width signs, digits of any script, dashes, dots and spaces in ASCII, character by character."""
    return text.translate(_FOLDING)


def digits_of(text: str) -> str:
    """Spell the numerals of a text as ASCII digits and drop all else."""
    return "".join(_TO_DIGIT.get(char, "") for char in text)


def named_or_all(found: re.Match[str]) -> Span | None:
    """Judge every match right: claim the group named "it", or all of it where the pattern has none."""
    return found.span("it" if "it" in found.re.groupindex else 0)


@dataclass(frozen=True, slots=True)
class Rule:
    """Where one kind of personal data is: a pattern on folded text and a judge of what it found.

    A rule without a kind claims what must stay readable, so that no later rule takes it for personal data.
    """

    kind: str | None
    pattern: re.Pattern[str]
    judge: Judge = named_or_all

    def spans(self, text: str) -> Iterator[Span]:
        """Find from left to right; a match judged wrong gives way to one that starts inside it."""
        at = 0
        while found := self.pattern.search(text, at):
            span = self.judge(found)
            at = found.start() + 1 if span is None else max(span[1], found.start() + 1)
            if span:
                yield span


def rule(kind: str | None, pattern: str, judge: Judge = named_or_all) -> Rule:
    """Compile a rule."""
    return Rule(kind, re.compile(pattern), judge)
