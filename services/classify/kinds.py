"""Which kind of appeal the words tell of, where they do: the cues of one city's language, as its pack lists them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from libs.common.contracts.vocabulary import Kind


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that tell of a kind, unless others stand beside them."""

    words: re.Pattern[str]
    unless: re.Pattern[str] | None = None

    def hears(self, text: str) -> bool:
        """Say whether the text tells of it."""
        return bool(self.words.search(text)) and not (self.unless and self.unless.search(text))


@dataclass(frozen=True, slots=True)
class Kinds:
    """The cues of each kind, the surest kind first."""

    cues: Mapping[Kind, Cue]

    def of(self, text: str) -> Kind | None:
        """Return the first kind that the text tells of; None leaves it to the question."""
        return next((kind for kind, cue in self.cues.items() if cue.hears(text)), None)
