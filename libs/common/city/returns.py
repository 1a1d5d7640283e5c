"""returns.toml: on which grounds a unit may return an order 退单, how soon, and how soon it is ruled on.

A pack without the file has the one beside this module.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self, get_args

from pydantic import ConfigDict, Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from libs.common.city.problems import Problems, read_toml
from libs.common.city.settings import Name, Span
from libs.common.contracts.dispatch import ReturnGround
from libs.common.contracts.vocabulary import Urgency

FILE = "returns.toml"
GENERAL = Path(__file__).with_name(FILE)
_STRICT = ConfigDict(extra="forbid")
ByClass = Mapping[Urgency, Span]
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Ground:
    """A ground of returns, and what proves it: a note of at least `note` characters, and so many `files`.

    `on_the_spot`: it shows only there, so a unit that spoke with the citizen may still give it. `centre`: if it is
    right, no other unit has the work, so the order goes to the centre. `within` is its own time, if it has one.
    """

    code: ReturnGround
    name: Name
    evidence: Name
    note: Count = 0
    files: Count = 0
    on_the_spot: bool = False
    centre: bool = False
    within: ByClass | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Proposals:
    """From how many rulings alike, within which time, a change of the rules of routing is proposed."""

    rulings: Annotated[int, Field(ge=2)] = 3
    within: Span = timedelta(days=30)


@dataclass(frozen=True, slots=True, config=_STRICT)
class Returns:
    """The whole of returns.toml: by class of urgency, `within` from the hand-over, `ruling` and `look` from the asking.

    Source of the duty: 首接负责 of 接诉即办. A return is quick or is not made, for the citizen's clock runs on.
    """

    within: ByClass
    ruling: ByClass
    look: ByClass
    grounds: tuple[Ground, ...]
    proposals: Proposals = Proposals()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        every = [self.within, self.ruling, self.look, *(g.within for g in self.grounds if g.within)]
        if any(set(spans) != set(get_args(Urgency)) for spans in every):
            raise ValueError(f"within, ruling and look should hold each of {', '.join(get_args(Urgency))}")
        codes = [ground.code for ground in self.grounds]
        if len(codes) != len(set(codes)):
            raise ValueError("a ground should stand here once")
        return self

    def ground(self, code: str) -> Ground | None:
        """Return a ground by its code, None if this city does not take it."""
        return next((ground for ground in self.grounds if ground.code == code), None)


_FILE = TypeAdapter(Returns)


def load_returns(folder: Path, problems: Problems) -> Returns | None:
    """Read the file of a pack; None when it cannot be used, with the reasons noted."""
    path = folder / FILE
    return read_toml(path if path.is_file() else GENERAL, _FILE, problems)
