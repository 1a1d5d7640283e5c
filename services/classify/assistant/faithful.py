"""Whether what a machine wrote stands on the words it was given: copied parts to the letter, a summary in its facts."""

import re
import unicodedata

from libs.common.runtime.privacy import Redactor
from services.classify.digest import SUMMARY_LENGTH

LONGEST_COPY = 100
"""Characters of a part that is copied."""
_HIDDEN = re.compile("[⟦⟧〔〕]")
"""Brackets of what was redacted: a part with them holds no datum that anyone could read."""
_RUN = re.compile("[0-9a-z.]+|[零〇一二两三四五六七八九十百千万亿]+")
"""Numbers and Latin words: half of one is another."""
_OF_ANY_APPEAL = """
市民 居民 群众 业主 住户 诉求人 来电人 反映人 当事人 诉求 问题 情况 部门 相关 有关 方面 原因
反映 表示 称 说 认为 希望 请 请求 要求 咨询 询问 建议 投诉 举报 求助 表扬
尽快 及时 处理 解决 核实 协调 回复 答复 处置 整改 帮助
的 了 在 和 与 及 或 等 被 把 给 对 从 到 于 也 都 已 就 还 又 且 并 但 向 其 该 此 这 那
"""
_SAID_OF_ANY = frozenset(_OF_ANY_APPEAL.split())
"""Words that tell of any appeal, or join others, and claim nothing."""


def copied(part: str, words: str) -> str:
    """Return a part as it stands in the words, empty if it does not stand there, is too long, or is redacted."""
    part = part.strip()
    return part if len(part) <= LONGEST_COPY and not _HIDDEN.search(part) and part in words else ""


def faithful(summary: str, words: str) -> str:
    """Return a summary if it is one short line made of pieces of the words, and of such as tell of any appeal; else "".

    It may leave out and reorder. Names, things, deeds and denials must stand in the words, numbers in full. What that
    does not find is facts put together otherwise than they were: this is why a summary is marked as a machine's.
    """
    summary = " ".join(summary.split())
    if not summary or len(summary) > SUMMARY_LENGTH or _HIDDEN.search(summary) or not summary.isprintable():
        return ""
    if Redactor().redact(summary) != summary:
        return ""
    line, known = _folded(summary), _folded(words)
    whole = set(_RUN.findall(line)) <= set(_RUN.findall(known))
    return summary if whole and _pieced_together(line, known) else ""


def _pieced_together(line: str, words: str) -> bool:
    """Say whether a line can be cut into pieces of the words of two characters or more, and what claims nothing."""
    reached = {0}
    for start in range(len(line)):
        if start in reached:
            ends = range(start + 1, len(line) + 1)
            reached |= {end for end in ends if _claims_nothing(piece := line[start:end]) or _stands_in(words, piece)}
    return len(line) in reached


def _claims_nothing(piece: str) -> bool:
    return piece in _SAID_OF_ANY or not any(map(str.isalnum, piece))


def _stands_in(words: str, piece: str) -> bool:
    return len(piece) > 1 and piece in words


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()
