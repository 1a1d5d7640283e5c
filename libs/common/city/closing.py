"""closing.toml: by which signs it is doubted that a matter was done which a unit says is done 虚假办结.

A pack without the file has the one beside this module.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import ConfigDict, Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from libs.common.city.problems import Problems, read_toml
from libs.common.city.settings import Span
from libs.common.contracts.dispatch import ReplyFault

FILE = "closing.toml"
GENERAL = Path(__file__).with_name(FILE)
_STRICT = ConfigDict(extra="forbid")
SignKind = Literal[
    "unsolved", "denied_contact", "no_contact", "boilerplate", "no_evidence", "too_quick", "linked_again", "again",
]  # fmt: skip
Weight = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Reply:
    """Which faults of a reply make it one that says nothing."""

    faults: tuple[ReplyFault, ...]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Seen:
    """Words of the catalogue's evidence by which there is something to be seen of a matter."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Quick:
    """Too quick is below this share of what such matters take, where at least so many rounds tell."""

    share: Annotated[float, Field(gt=0, lt=0.5)]
    least: Annotated[int, Field(ge=10)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Again:
    """Within which time the same matter is the same again, and how rarely so much of it would come by chance."""

    within: Span
    chance: Annotated[float, Field(gt=0, le=0.01)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Closing:
    """The whole of closing.toml. A sign of weight 0 is not looked for."""

    rule_from: Annotated[float, Field(gt=0, le=1)]
    weights: Mapping[SignKind, Weight]
    reply: Reply
    seen: Seen
    quick: Quick
    again: Again

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if set(self.weights) != set(get_args(SignKind)):
            raise ValueError(f"weights should hold each of {', '.join(get_args(SignKind))}")
        return self


_FILE = TypeAdapter(Closing)


def load_closing(folder: Path, problems: Problems) -> Closing | None:
    """Read the file of a pack; None when it cannot be used, with the reasons noted."""
    path = folder / FILE
    return read_toml(path if path.is_file() else GENERAL, _FILE, problems)
