"""topics.toml: how the month's topics 每月一题 are found, and when an effect can be told.

A pack without the file has the one beside this module.
"""

from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import ConfigDict, Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from libs.common.city.problems import Problems, read_toml
from libs.common.city.settings import Name, Share, Span

FILE = "topics.toml"
GENERAL = Path(__file__).with_name(FILE)
_STRICT = ConfigDict(extra="forbid")
ComponentCode = Literal["volume", "growth", "spread", "unsolved", "repetition", "returns", "heat"]
Half = Literal["common", "hard"]
Positive = Annotated[float, Field(gt=0)]
_ROUNDING = 1e-6
Count = Annotated[int, Field(ge=1, le=1000)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Component:
    """A part of one half of the score. Its value runs from 0 to 1, which it reaches at `full`.

    `full` is a multiple (volume, growth), a share (spread: of streets; unsolved, repetition, returns: above the
    city's), or weeks (heat).
    """

    code: ComponentCode
    name: Name
    about: Name
    half: Half
    weight: Share
    full: Positive

    @model_validator(mode="after")
    def _beyond_one(self) -> Self:
        if self.code in {"volume", "growth"} and self.full <= 1:
            raise ValueError("full is a multiple here and should be above 1")
        return self


@dataclass(frozen=True, slots=True, config=_STRICT)
class EffectRules:
    """What an effect needs to be told: whole weeks, `peers` in the control group, `weekly` appeals of a series."""

    before: Annotated[int, Field(ge=4, le=52)] = 8
    after: Annotated[int, Field(ge=2, le=52)] = 4
    window: Annotated[int, Field(ge=4, le=104)] = 52
    peers: Annotated[int, Field(ge=1, le=50)] = 8
    weekly: Positive = 5.0


@dataclass(frozen=True, slots=True, config=_STRICT)
class Topics:
    """The whole of topics.toml. `trend` and `rest` are months, `fewest` appeals, `near` a share of a score.

    `least`: what is proposed has a score whose lower end reaches it, 0 to 100; at `most` so many are.
    """

    most: Count
    least: Annotated[float, Field(ge=0, le=100)]
    fewest: Count
    wait: Span
    rest: Annotated[int, Field(ge=0, le=60)]
    near: Share
    trend: Annotated[int, Field(ge=1, le=24)]
    components: tuple[Component, ...]
    effect: EffectRules

    @model_validator(mode="after")
    def _whole(self) -> Self:
        codes = [component.code for component in self.components]
        if sorted(codes) != sorted(get_args(ComponentCode)):
            raise ValueError(f"components should hold each of {', '.join(get_args(ComponentCode))} once")
        for half in get_args(Half):
            if abs(sum(one.weight for one in self.components if one.half == half) - 1) > _ROUNDING:
                raise ValueError(f"the weights of the components that are {half} should add up to 1")
        return self


_FILE = TypeAdapter(Topics)


def load_topics(folder: Path, problems: Problems) -> Topics | None:
    """Read the file of a pack; None when it cannot be used, with the reasons noted."""
    path = folder / FILE
    return read_toml(path if path.is_file() else GENERAL, _FILE, problems)
