"""extracts.toml: for which purposes units may ask for extracts of the record, and how far these are masked.

A pack without the file has the one beside this module.
"""

from pathlib import Path
from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from libs.common.city.problems import Problems, read_toml
from libs.common.city.settings import Name, Span

FILE = "extracts.toml"
GENERAL = Path(__file__).with_name(FILE)
_STRICT = ConfigDict(extra="forbid")
K = Annotated[int, Field(ge=2, le=1000)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Sensitive:
    """Level-1 categories of which a class must be of `k` people, more than of others."""

    k: K
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Purpose:
    """What an extract may be asked for."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]
    name: Name


@dataclass(frozen=True, slots=True, config=_STRICT)
class Extracts:
    """The whole of extracts.toml. A month can be told of `settled` after its end."""

    k: K
    longest_days: Annotated[int, Field(ge=1, le=3650)]
    most_months: Annotated[int, Field(ge=1, le=60)]
    settled: Span
    sensitive: Sensitive
    purposes: tuple[Purpose, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        codes = [one.code for one in self.purposes]
        if not codes or len(set(codes)) < len(codes):
            raise ValueError("purposes should hold at least one, and none of them twice")
        if self.sensitive.k < self.k:
            raise ValueError("the k of what is sensitive should be no less than that of the rest")
        return self

    def k_of(self, category: str) -> int:
        """Return how many people a class of a level-1 category must be of."""
        return self.sensitive.k if not category or category in self.sensitive.categories else self.k


_FILE = TypeAdapter(Extracts)


def load_extracts(folder: Path, problems: Problems) -> Extracts | None:
    """Read the file of a pack; None when it cannot be used, with the reasons noted."""
    path = folder / FILE
    return read_toml(path if path.is_file() else GENERAL, _FILE, problems)
