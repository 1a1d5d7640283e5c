"""What a language model is asked of an appeal, and what of its answer counts.

The citizen's words travel as a JSON string inside one message, apart from what the model is told to do. Whatever they
make it say, only a question that was offered, words that stand in the appeal, and a summary of its facts come through.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from libs.common.city.catalogue import Question
from libs.common.contracts.classify import Filled, MachineMade
from libs.common.runtime.privacy import Redactor, unnumbered
from services.classify.assistant.faithful import copied, faithful
from services.classify.assistant.prompts import Prompt
from services.classify.domain import Appeal

LONGEST = 3000
"""Characters of an appeal that are sent; who writes more has said by then what it is about."""
NONE = "none"
"""The code that says: none of those offered."""
_PHRASES = 3
Reason = Literal[
    "spent", "resting", "unreachable", "timeout", "busy", "denied", "broken", "unwilling", "too_large", "illegal",
]  # fmt: skip
"""Nothing is left of the budget; the breaker is open; or what the endpoint did, or what it answered."""
_TEXT = {"type": "string"}


class NoAnswerError(Exception):
    """There is no answer, or none that counts, for this reason. Quotes nothing."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def asked(self) -> bool:
        """Whether there was a call."""
        return self.reason not in {"spent", "resting"}

    @property
    def ails(self) -> bool:
        """Whether the endpoint ails.

        What it will not take, or answers at length or in another form, may be the work of one appeal's words: else a
        citizen could turn the assistant off for all.
        """
        return self.reason in {"unreachable", "timeout", "busy", "denied", "broken"}

    @property
    def free(self) -> bool:
        """Whether the call is certain not to be billed."""
        return self.reason in {"unreachable", "busy", "denied", "unwilling"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One inquiry: the messages, the JSON schema of the answer, the words sent and the questions offered.

    The first question is what the appeal is taken to be so far. `key` is the same for the same inquiry.
    """

    model: str
    prompt: Prompt
    words: str
    offered: tuple[Question, ...]

    @property
    def messages(self) -> list[Mapping[str, str]]:
        """What is said to the model, as chat messages."""
        data = {"appeal": self.words, "questions": [_shown(question) for question in self.offered]}
        return [
            {"role": "system", "content": self.prompt.text},
            {"role": "user", "content": json.dumps(data, ensure_ascii=False)},
        ]

    @property
    def schema(self) -> Mapping[str, Any]:
        """What the answer must look like, in the part of JSON Schema that endpoints hold a model to."""
        codes = {"type": "string", "enum": [*(question.code for question in self.offered), NONE]}
        form = {"type": "array", "items": _record({"ask": _TEXT, "value": _TEXT})}
        stated = {"code": codes, "confidence": {"type": "number"}}
        return _record({**stated, "quote": _TEXT, "summary": _TEXT, "form": form})

    @property
    def key(self) -> str:
        """The inquiry as one short text: prompt, model, words and questions."""
        return hashlib.sha256(json.dumps([self.model, self.prompt.version, self.messages]).encode()).hexdigest()


class _Line(BaseModel):
    ask: str
    value: str


class _Said(BaseModel):
    code: str
    confidence: Annotated[float, Field(ge=0, le=1)]
    quote: str = ""
    summary: str = ""
    form: list[_Line] = []


def inquiry(appeal: Appeal, offered: Sequence[Question], model: str, prompt: Prompt) -> Asked:
    """Put an appeal to a model. Its address, place, reporter and number stay here, and its words go once more redacted.

    They were redacted as they came in. What a later rule finds goes too, and marks lose the numbers that tell which.
    """
    words = "\n".join(filter(None, (appeal.title, appeal.text, *appeal.added)))
    return Asked(model, prompt, unnumbered(Redactor().redact(unnumbered(words)))[:LONGEST], tuple(offered))


def heard(content: str, asked: Asked, sure: float) -> MachineMade:
    """Return what counts of an answer; its choice counts as sure from the confidence `sure` on.

    Raises:
        NoAnswerError: it is no JSON object of the form asked for, or names a question that was not offered.
    """
    said = _read(content)
    chosen = next((question for question in asked.offered if question.code == said.code), None)
    if chosen is None and said.code != NONE:
        raise NoAnswerError("illegal")
    return MachineMade(
        model=asked.model,
        prompt=asked.prompt.version,
        code=chosen.code if chosen else None,
        confidence=said.confidence,
        sure=chosen is not None and said.confidence >= sure,
        agrees=chosen is asked.offered[0],
        quote=copied(said.quote, asked.words),
        summary=faithful(said.summary, asked.words),
        fields=_form(said.form, chosen, asked.words) if chosen else (),
    )


def _read(content: str) -> _Said:
    """Read the JSON object in an answer, with whatever stands around it: thoughts, fences, courtesies."""
    answer = content.rpartition("</think>")[2]
    try:
        return _Said.model_validate_json(answer[answer.find("{") : answer.rfind("}") + 1])
    except ValidationError:
        # Without its cause: that would quote the answer, and with it the appeal.
        raise NoAnswerError("illegal") from None


def _form(lines: Sequence[_Line], chosen: Question, words: str) -> tuple[Filled, ...]:
    """Keep what answers a thing that is asked of this question, once, in the citizen's words."""
    found = {line.ask: value for line in reversed(lines) if (value := copied(line.value, words))}
    return tuple(Filled(ask=ask, value=found[ask]) for ask in chosen.ask if ask in found)


def _shown(question: Question) -> Mapping[str, object]:
    return {
        "code": question.code,
        "name": "／".join(question.category),
        "say": question.phrases[:_PHRASES],
        "not": question.out_of_scope,
        "ask": question.ask,
    }


def _record(properties: Mapping[str, object]) -> Mapping[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
    }  # fmt: skip
