"""Why an order has its lead, in the city's language, and why a rule did not apply, in the reader's."""

from collections.abc import Mapping
from typing import Any

from libs.common.city.rules import PARENT
from libs.common.runtime.messages import Texts
from services.dispatch.domain import Obstacle

Names = Mapping[str, Mapping[str, str]]
"""What units are called, by their codes, in Chinese (zh) and English (en)."""


class Telling(Texts):
    """The sentences of messages.toml beside this file."""

    def obstacle(self, language: str, obstacle: Obstacle, names: Names) -> str:
        """Return what speaks against a rule, in a sentence."""
        none, joined = self.say(language, "words", "none"), self.say(language, "words", "joined")
        wanted, found = (
            joined.join(self._called(language, word, names) for word in words) or none
            for words in (obstacle.wanted, obstacle.found)
        )
        return self.say(language, "obstacle", obstacle.condition, wanted=wanted, found=found)

    def _called(self, language: str, word: str, names: Names) -> str:
        """Return what a word of a closed list, a unit or a district is called; anything else is said as it is."""
        if word.startswith(PARENT):
            return self.say(language, "words", "above", unit=self._called(language, word.removeprefix(PARENT), names))
        label: Any = self.texts["label"].get(word) or names.get(word) or names.get(f"d-{word}") or word
        return str(self.read(label, language))


TELLING = Telling.load()
