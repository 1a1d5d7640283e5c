"""emergencies.toml: the numbers for life in danger 110, 119, 120 and 122, and the words that call for each."""

import re
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any

import re2
from pydantic import BeforeValidator, ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from libs.common.city.problems import Problems, read_toml
from libs.common.city.settings import Name

_STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
_ANY_CASE = re2.Options()
_ANY_CASE.case_sensitive = False
_ANY_CASE.log_errors = False


def _plain(pattern: Any) -> Any:
    # A backslash ends a line inside a literal string of TOML for the eye only.
    return pattern.replace("\\\n", "") if isinstance(pattern, str) else pattern


def _compiled(pattern: Any) -> Any:
    try:
        return re.compile(_plain(pattern), re.IGNORECASE) if isinstance(pattern, str) else pattern
    except re.error as error:
        raise ValueError(f"should be a regular expression: {error}") from error


def _fast(pattern: Any) -> Any:
    try:
        return re2.compile(_plain(pattern), _ANY_CASE) if isinstance(pattern, str) else pattern
    except re2.error as error:
        raise ValueError(f"should be a regular expression of RE2: {error}") from error


Guard = Annotated[re.Pattern[str], BeforeValidator(_compiled)]
Words = Annotated[Any, BeforeValidator(_fast)]
"""Searched for while the sender of an appeal waits: RE2 never goes back over a text, whatever is in it."""


@dataclass(frozen=True, slots=True, config=_STRICT)
class Guards:
    """What takes the danger out of the words.

    `before` ends where they begin and `after` begins where they end, both in the clause. In the sentence, `over` puts
    them in the past unless `now` stands there too, and `unreal` makes them a drill, a film or a question. `leisure`,
    anywhere in the text, shows that there was time to write: then only what says now is now.
    """

    before: Guard
    after: Guard
    over: Guard
    now: Guard
    unreal: Guard
    leisure: Guard


@dataclass(frozen=True, slots=True, config=_STRICT)
class Emergency:
    """A number for life in danger, the words that call for it, and what in the sentence makes them something else.

    `said` are ways people call for help.
    """

    number: str
    name: Name
    words: Words
    unless: Guard
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Emergencies:
    """All of emergencies.toml; the most urgent number stands first. `words` are those of every number.

    `words.Match(text)` is None for nearly all appeals, and takes a few microseconds: a filter looks for the letters
    that a way to put it cannot do without, and tries those ways only. As one pattern they had more states than RE2
    keeps, and took a hundred times as long.
    """

    guards: Guards
    numbers: tuple[Emergency, ...]
    words: Any = field(init=False)

    def __post_init__(self) -> None:
        """Put all words together."""
        every = re2.Filter()
        for emergency in self.numbers:
            for way in ways(emergency.words.pattern):
                every.Add(way, _ANY_CASE)
        every.Compile()
        object.__setattr__(self, "words", every)


_PART = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|.", re.DOTALL)


def ways(pattern: str) -> list[str]:
    """Split a pattern at the bars that stand in no group."""
    ways, depth = [""], 0
    for part in _PART.findall(pattern):
        depth += (part == "(") - (part == ")")
        if part == "|" and depth == 0:
            ways.append("")
        else:
            ways[-1] += part
    return ways


_FILE = TypeAdapter(Emergencies)


def load_emergencies(path: Path, problems: Problems) -> Emergencies | None:
    """Read emergencies.toml; None when it cannot be used, with the reasons noted."""
    return read_toml(path, _FILE, problems)
