"""How people feel who appeal, and who they are: words of a city's language, as hotspots.toml of its pack lists them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass as checked

from libs.common.city.problems import read_whole_toml
from services.classify.cues import Words

_BEFORE = 3
"""Characters before a word in which a negation turns it."""
_CALM = 2.0
"""So much of a text is held to be neutral: one angry word alone is no fury."""


@checked(frozen=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class _Mood:
    words: tuple[str, ...]
    weight: float


@checked(frozen=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class _File:
    negations: Words
    vulnerable: Words
    safety: Words
    empty: str
    moods: tuple[_Mood, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words with their weights, what turns them, what tells of people to be protected or of danger near.

    `empty` are the characters that bind words and are part of none.
    """

    weights: Mapping[str, float]
    moods: re.Pattern[str]
    negations: re.Pattern[str]
    vulnerable: re.Pattern[str]
    safety: re.Pattern[str]
    empty: str

    def mood(self, text: str) -> float:
        """Return the mood of a text, from -1 (bitter) to 1 (glad); 0 if no word tells."""
        told = [self._weight(text, found) for found in self.moods.finditer(text)]
        return sum(told) / (sum(map(abs, told)) + _CALM) if told else 0.0

    def _weight(self, text: str, found: re.Match[str]) -> float:
        weight = self.weights[found[0]]
        turned = self.negations.search(text[max(0, found.start() - _BEFORE) : found.start()])
        return -weight / 2 if turned else weight


def load_lexicon(path: Path) -> Lexicon:
    """Read hotspots.toml. Raises CityError with every problem found."""
    file = read_whole_toml(path, TypeAdapter(_File))
    weights = {word: mood.weight for mood in file.moods for word in mood.words}
    # Of words that begin alike the longest is meant.
    every = "|".join(re.escape(word) for word in sorted(weights, key=len, reverse=True))
    return Lexicon(weights, re.compile(every), file.negations, file.vulnerable, file.safety, file.empty)
