"""cues.toml of a city pack: the words that tell of danger and of the kind of an appeal."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from libs.common.city.problems import read_whole_toml
from libs.common.contracts.vocabulary import Kind
from services.classify.kinds import Cue, Kinds
from services.classify.urgency import Alarm, Danger, Guards


def _compiled(pattern: Any) -> Any:
    try:
        # A backslash ends a line inside a literal string of TOML for the eye only.
        return re.compile(pattern.replace("\\\n", "")) if isinstance(pattern, str) else pattern
    except re.error as error:
        raise ValueError(f"should be a regular expression: {error}") from error


Words = Annotated[re.Pattern[str], BeforeValidator(_compiled)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class _Heard:
    words: Words
    unless: Words | None = None


@dataclass(frozen=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class _Guards:
    before: Words
    after: Words
    over: Words
    now: Words


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class _File:
    guards: _Guards
    dangers: tuple[_Heard, ...]
    kinds: dict[Kind, _Heard]


@dataclass(frozen=True, config=ConfigDict(arbitrary_types_allowed=True))
class Cues:
    """What classify listens for beside the question."""

    alarm: Alarm
    kinds: Kinds


def load_cues(path: Path) -> Cues:
    """Read cues.toml. Raises CityError with every problem found."""
    file = read_whole_toml(path, TypeAdapter(_File))
    guards = file.guards
    return Cues(
        Alarm(
            tuple(Danger(heard.words, heard.unless) for heard in file.dangers),
            Guards(guards.before, guards.after, guards.over, guards.now),
        ),
        Kinds({kind: Cue(heard.words, heard.unless) for kind, heard in file.kinds.items()}),
    )
