"""callbacks.toml: how reporters are asked how it went 回访: at which hours, how often, in which words.

A pack without the file has the one beside this module.
"""

from collections.abc import Iterable, Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from libs.common.city.problems import Problems, read_toml
from libs.common.city.settings import Name, Span
from libs.common.contracts.vocabulary import AccessNeed, Kind

FILE = "callbacks.toml"
GENERAL = Path(__file__).with_name(FILE)
_STRICT = ConfigDict(extra="forbid")
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]
Asked = Literal["contacted", "solved", "explained", "satisfied"]
"""What a question is for: did the unit contact you, is it solved, was the policy explained clearly, 1 to 5."""


@dataclass(frozen=True, slots=True, config=_STRICT)
class PartOfDay:
    """Hours in which people are phoned, by the city's clocks; not the elderly where `elderly` is false."""

    code: Code
    begins: time
    ends: time
    elderly: bool = True


@dataclass(frozen=True, slots=True, config=_STRICT)
class Question:
    """One question of the script, for these kinds of appeal."""

    code: Asked
    kinds: tuple[Kind, ...]
    text: Name


@dataclass(frozen=True, slots=True, config=_STRICT)
class Script:
    """What a seat says: who calls and why, the questions in their order, and what to say to each answer."""

    introduce: Name
    questions: tuple[Question, ...]
    partly: Name
    no: Name
    refused: Name
    end: Name

    @model_validator(mode="after")
    def _asks_everyone(self) -> Self:
        for kind in get_args(Kind):
            asked = [question.code for question in self.questions if kind in question.kinds]
            if not {"solved", "satisfied"} <= set(asked) or len(asked) != len(set(asked)):
                raise ValueError(f"{kind} should be asked solved and satisfied, and nothing twice")
        return self

    def questions_for(self, kind: Kind) -> tuple[Question, ...]:
        """Return what the reporter of an appeal of this kind is asked, in order."""
        return tuple(question for question in self.questions if kind in question.kinds)


@dataclass(frozen=True, slots=True, config=_STRICT)
class Reason:
    """Why it went well or badly. `denies_contact`: by it the citizen says that the unit never spoke with them."""

    code: Code
    name: Name
    good: bool = False
    denies_contact: bool = False


@dataclass(frozen=True, slots=True, config=_STRICT)
class Callbacks:
    """The whole of callbacks.toml.

    `tries` calls that nobody took end a question, and `calls` of any kind. `hold` is how long a seat has a reporter to
    itself, `busy_again` how soon a busy line is tried again. `needs` say what to mind with whom.
    """

    tries: Annotated[int, Field(ge=1, le=20)]
    calls: Annotated[int, Field(ge=1, le=50)]
    hold: Span
    busy_again: Span
    parts: Annotated[tuple[PartOfDay, ...], Field(min_length=1)]
    script: Script
    needs: Mapping[AccessNeed, Name]
    reasons: tuple[Reason, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        edges = [edge for part in self.parts for edge in (part.begins, part.ends)]
        if edges != sorted(edges) or any(part.begins >= part.ends for part in self.parts):
            raise ValueError("parts should follow each other within one day")
        if not any(part.elderly for part in self.parts):
            raise ValueError("the elderly should be phoned in at least one part of the day")
        for codes in ([part.code for part in self.parts], [reason.code for reason in self.reasons]):
            if len(codes) != len(set(codes)):
                raise ValueError("a part or a reason should stand here once")
        if self.calls < self.tries:
            raise ValueError("calls should be no fewer than tries")
        return self

    def reasons_for(self, *, good: bool) -> tuple[Reason, ...]:
        """Return what may be ticked beside a good answer, or beside another."""
        return tuple(reason for reason in self.reasons if reason.good is good)

    def fitting(self, codes: Iterable[str], *, good: bool) -> tuple[str, ...]:
        """Return those of some ticked reasons that go with the answer, each once, in the order of the list."""
        ticked = set(codes)
        return tuple(reason.code for reason in self.reasons_for(good=good) if reason.code in ticked)


_FILE = TypeAdapter(Callbacks)


def load_callbacks(folder: Path, problems: Problems) -> Callbacks | None:
    """Read the file of a pack; None when it cannot be used, with the reasons noted."""
    path = folder / FILE
    return read_toml(path if path.is_file() else GENERAL, _FILE, problems)
