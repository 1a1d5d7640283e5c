"""What a citizen said in a talk with a seat, as one text.

The citizen's words decide. A seat's question counts only through the answer: what the citizen says yes to was said;
what the citizen denies, or does not answer, was not.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Speaker = Literal["seat", "citizen"]
_LINE = re.compile(
    r"^\s*(?:(?P<seat>坐席|座席|话务员|接线员|客服|工作人员|热线|12345|A)|"
    r"(?P<citizen>市民|来电人|群众|诉求人|用户|客户|B))\s*[：:]\s*(?P<text>.*)$",
    re.IGNORECASE,
)
_YES = re.compile(
    r"^[嗯啊哎唉呃，,、\s]*(?:对|是|是的|有|有的|没错|可不是|嗯|就是|好像是|应该是|差不多|当然)"
    r"(?:[对的啊呀呢嘛了，,。！!、\s]|是|就是)*"
)
_NO = re.compile(
    r"^[嗯啊哎唉呃，,、\s]*(?:没有|没|不是|不|不对|不用|没有没有|并没有)(?:[的啊呀呢嘛了，,。！!、\s]|没有|不是)*"
)
_ENDS = tuple("，,。！!、的啊呀了呢")
_ASKS = re.compile(
    r"您是说|您的意思是|是不是|有没有|是否|请问|您好|那|所以|就是说|您(?:是|家|那边|说的?是?|这边)?|咱们?|也就是|现在"
)
_TAIL = re.compile(r"(?:对吗|是吗|对吧|是吧|对不对|是不是|有没有|没有|吗|么|吧|呢)?[？?。，,！!\s]*$")
_QUESTION = re.compile(r"吗|么[？?]?$|吧[？?]?$|是不是|有没有|是否|[？?]\s*$|没有[？?]?$")
_OPEN = re.compile(r"什么|哪|谁|怎么|多少|几|多久|为何")


@dataclass(frozen=True, slots=True)
class Said:
    """What one of the two said in a turn."""

    speaker: Speaker
    text: str


def turns(text: str) -> list[Said]:
    """Read the lines of a written talk; a line without a speaker goes on with the one before. Empty if it is none."""
    said: list[Said] = []
    if not _LINE.match(text.partition("\n")[0]):
        return said
    for line in text.splitlines():
        begins = _LINE.match(line)
        if begins:
            said.append(Said("seat" if begins["seat"] else "citizen", begins["text"].strip()))
        elif said and line.strip():
            said[-1] = Said(said[-1].speaker, f"{said[-1].text}，{line.strip()}")
    return said if {one.speaker for one in said} == {"seat", "citizen"} else []


def told(talk: Sequence[Said]) -> str:
    """Return what the citizen said, with the questions that were answered by yes as statements."""
    return "。".join(part for part in _parts(talk) if part)


def _parts(talk: Sequence[Said]) -> Iterable[str]:
    asked = ""
    for one in talk:
        if one.speaker == "seat":
            asked = one.text
            continue
        yield from _answer(asked, one.text)
        asked = ""


def _answer(question: str, answer: str) -> Iterable[str]:
    """Yield the statement that an answer makes of a question, and what was said besides."""
    statement = _statement(question)
    yes, no = _YES.match(answer), _NO.match(answer)
    answered = no or yes
    if not statement or answered is None:
        yield answer.strip("。 ")
        return
    rest = answer[answered.end() :].strip("。，, ")
    # 不知道 and 没水 begin like a no, 对面 like a yes: then the rest would make no sense by itself.
    if rest and not answer[: answered.end()].rstrip().endswith(_ENDS):
        yield answer.strip("。 ")
        return
    if not no:
        yield statement
    if rest:
        yield rest


def _statement(question: str) -> str:
    """Return the last question of a seat as a statement; empty if it cannot be answered by yes or no."""
    last = re.split(r"[。！!；;\n]", question.rstrip("。！!？? \n"))[-1]
    clause = re.split(r"[，,？?]", last)[-1] if _QUESTION.search(re.split(r"[，,？?]", last)[-1]) else last
    if not _QUESTION.search(clause + question[-1:]) or _OPEN.search(clause):
        return ""
    return _TAIL.sub("", _ASKS.sub("", clause))
