"""repeats.toml of a city pack: words that mean the same, whose matter a question is, and the weights of evidence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from libs.common.city.problems import read_whole_toml

_STRICT = ConfigDict(extra="forbid")
CONCEPTS = 192
"""As many as a sketch has bits for."""


def _split(words: Any) -> Any:
    return tuple(words.split()) if isinstance(words, str) else words


Words = Annotated[tuple[str, ...], BeforeValidator(_split)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Scopes:
    """Beginnings of question codes, by whose matter they are; of what no list names the words decide."""

    public: tuple[str, ...]
    building: tuple[str, ...]
    personal: tuple[str, ...]

    def of(self, code: str) -> str | None:
        """Return the scope of a question: the longest beginning decides. None if no list names it."""
        lists = {"public": self.public, "building": self.building, "personal": self.personal}
        found = [(len(start), scope) for scope, starts in lists.items() for start in starts if code.startswith(start)]
        return max(found, default=(0, None))[1]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Cues:
    """Words of who comes back to something said before, and of who speaks for many."""

    again: Words
    everyone: Words


@dataclass(frozen=True, slots=True, config=_STRICT)
class Weights:
    """Of two judgements that are multiplied: that it is the same matter, and that it is the same place."""

    matter: Mapping[str, float]
    place: Mapping[str, float]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Knowledge:
    """The whole file."""

    troubles: Mapping[str, Words]
    things: Mapping[str, Words]
    own: Mapping[str, Words]
    people: Mapping[str, Words]
    cues: Cues
    implied: Mapping[str, Words]
    scopes: Scopes
    weights: Weights

    @property
    def concepts(self) -> tuple[Words, ...]:
        """Return all groups of words in the order of their bits: troubles, things, own, people, cues."""
        named = (self.troubles, self.things, self.own, self.people)
        return (*(words for groups in named for words in groups.values()), self.cues.again, self.cues.everyone)

    @property
    def numbers(self) -> dict[str, int]:
        """Return the bit of each trouble and each thing."""
        return {name: bit for bit, name in enumerate((*self.troubles, *self.things))}

    @model_validator(mode="after")
    def _known(self) -> Self:
        named = {name for names in self.implied.values() for name in names} | (self.implied.keys() - {"along"})
        if strangers := sorted(named - self.numbers.keys()):
            raise ValueError(f"implied names {', '.join(strangers)}, which is no trouble and no thing")
        return self

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.concepts) > CONCEPTS:
            raise ValueError(f"has {len(self.concepts)} groups of words; a sketch has bits for {CONCEPTS}")
        return self


def load_knowledge(path: Path) -> Knowledge:
    """Read repeats.toml. Raises CityError with every problem found."""
    return read_whole_toml(path, TypeAdapter(Knowledge))
