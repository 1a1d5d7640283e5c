"""supervision.toml: what comes under supervision 督办, at which level, how soon it is answered, what may cost points.

A pack without the file has the one beside this module.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import ConfigDict, Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from libs.common.city.problems import Problems, read_toml
from libs.common.city.settings import Name, Share, Span
from libs.common.contracts.classify import Risk
from libs.common.contracts.sla import SupervisionGround

FILE = "supervision.toml"
GENERAL = Path(__file__).with_name(FILE)
LEVELS = 3
_STRICT = ConfigDict(extra="forbid")
Level = Annotated[int, Field(ge=1, le=LEVELS)]
Fault = Literal["level", "unanswered", "refused", "missed"]
"""What may cost a unit points: a case reached a level, its answer did not come or was refused, a duty was missed."""


@dataclass(frozen=True, slots=True, config=_STRICT)
class Ground:
    """A ground of supervision and the level it calls for. Overdue work has its levels by time instead.

    `round`, `returns`, `risk`: from which life of the ticket, which return, which grade of a hot event on it stands.
    `by_itself`: it is over when what it stands on is; any other ground only the owner of the case puts an end to.
    """

    code: SupervisionGround
    name: Name
    level: Level = 1
    by_itself: bool = False
    round: Annotated[int, Field(ge=2)] | None = None
    returns: Annotated[int, Field(ge=1)] | None = None
    risk: Risk | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Deduction:
    """How many points are proposed to take off a unit for a fault, once a case; `level` is which one it reached."""

    fault: Fault
    points: Annotated[float, Field(gt=0, le=100)]
    level: Level | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Supervision:
    """The whole of supervision.toml.

    `overdue` are the shares of a clock's time at which overdue work comes to level 1, 2, 3; `answer` how long the unit
    has to answer at each, and `judging` how long the owner has to judge that, or to end what waits for nobody else.
    `prior` is the share of orders that are late, where no history says better.
    """

    overdue: tuple[Annotated[float, Field(gt=0)], ...]
    answer: tuple[Span, ...]
    grounds: tuple[Ground, ...]
    deductions: tuple[Deduction, ...] = ()
    judging: tuple[Span, ...] = (timedelta(days=3), timedelta(days=2), timedelta(days=1))
    prior: Annotated[Share, Field(gt=0, lt=1)] = 0.1

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if any(len(values) != LEVELS for values in (self.overdue, self.answer, self.judging)):
            raise ValueError("overdue, answer and judging should have a value for each of the three levels")
        if list(self.overdue) != sorted(set(self.overdue)):
            raise ValueError("overdue should rise, such as 1.0, 1.5, 2.0")
        codes = [ground.code for ground in self.grounds]
        if sorted(codes) != sorted(get_args(SupervisionGround)):
            raise ValueError(f"grounds should hold each of {', '.join(get_args(SupervisionGround))} once")
        if not self.ground("overdue").by_itself:
            raise ValueError("overdue should be by_itself: only the work ends it, and no owner may")
        return self

    def ground(self, code: SupervisionGround) -> Ground:
        """Return a ground by its code."""
        return next(ground for ground in self.grounds if ground.code == code)


_FILE = TypeAdapter(Supervision)


def load_supervision(folder: Path, problems: Problems) -> Supervision | None:
    """Read the file of a pack; None when it cannot be used, with the reasons noted."""
    path = folder / FILE
    return read_toml(path if path.is_file() else GENERAL, _FILE, problems)
