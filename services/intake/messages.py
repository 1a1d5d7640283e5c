"""What citizens read."""

from dataclasses import dataclass

from libs.common.contracts.vocabulary import Status
from libs.common.runtime.messages import Texts
from services.intake.domain import Emergency, Entry


@dataclass(frozen=True, slots=True)
class Messages(Texts):
    """The catalogue of intake."""

    def line(self, entry: Entry, language: str) -> str:
        """Return a timeline entry as a sentence."""
        return self.say(language, "event", entry.type, **entry.params)

    def status(self, status: Status, language: str) -> str:
        """Return a status as words."""
        return self.say(language, "status", status)

    def emergency(self, emergency: Emergency, language: str) -> str:
        """Return what to tell someone in an emergency."""
        name = emergency.name_en if language.startswith("en") else emergency.name_zh
        return self.say(language, "emergency", number=emergency.number, name=name)
