"""scoring.toml: when a period is published, who is compared with whom, what is set apart, what may cost points.

A pack without the file has the one beside this module.
"""

from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from libs.common.city.problems import Problems, read_toml
from libs.common.city.settings import Name, Share, Span
from libs.common.contracts.vocabulary import Urgency

FILE = "scoring.toml"
GENERAL = Path(__file__).with_name(FILE)
_STRICT = ConfigDict(extra="forbid")
Fault = Literal["passed_on", "false_closing"]
Points = Annotated[float, Field(gt=0, le=100)]
Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Apart:
    """Which orders are set apart: of these classes, returned so often, or that so many others have too."""

    urgency: tuple[Urgency, ...]
    returns: Count
    support: Count


@dataclass(frozen=True, slots=True, config=_STRICT)
class Ground:
    """A ground on which a unit may appeal against a ticket that was counted."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]
    name: Name


@dataclass(frozen=True, slots=True, config=_STRICT)
class Penalty:
    """How many points are proposed for a fault that was ruled on at least `times` in a period."""

    fault: Fault
    name: Name
    times: Count
    each: Points
    at_most: Points

    def points(self, times: int) -> float:
        """Return the points for so many; 0 if they are too few."""
        return min(self.at_most, round(self.each * times, 2)) if times >= self.times else 0.0


@dataclass(frozen=True, slots=True, config=_STRICT)
class Scoring:
    """The whole of scoring.toml. `margin` is in shares: a fair score differs if it does by more, beyond chance."""

    grace: Span
    appeal_within: Span
    ranking: bool
    peers: Annotated[int, Field(ge=3)]
    least: Count
    strength: Annotated[float, Field(gt=0)]
    margin: Share
    apart: Apart
    grounds: tuple[Ground, ...]
    penalties: tuple[Penalty, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if sorted(one.fault for one in self.penalties) != sorted(get_args(Fault)):
            raise ValueError(f"penalties should hold each of {', '.join(get_args(Fault))} once")
        codes = [ground.code for ground in self.grounds]
        if not codes or len(set(codes)) < len(codes):
            raise ValueError("grounds should hold at least one, and none of them twice")
        return self


_FILE = TypeAdapter(Scoring)


def load_scoring(folder: Path, problems: Problems) -> Scoring | None:
    """Read the file of a pack; None when it cannot be used, with the reasons noted."""
    path = folder / FILE
    return read_toml(path if path.is_file() else GENERAL, _FILE, problems)
