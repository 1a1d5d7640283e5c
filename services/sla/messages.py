"""What handling units are told."""

from dataclasses import dataclass
from datetime import datetime

from libs.common.contracts.sla import ClockBreached, ClockWarned
from libs.common.runtime.messages import Texts


@dataclass(frozen=True, slots=True)
class Messages(Texts):
    """The catalogue of sla."""

    def reminder(self, event: ClockWarned | ClockBreached, number: str, due: datetime, language: str) -> str:
        """Return what to tell the lead of a reminder or a light; `due` in the city's own time."""
        told = {"number": number, "clock": self.say(language, "clock", event.clock), "due": f"{due:%Y-%m-%d %H:%M}"}
        if isinstance(event, ClockWarned):
            return self.say(language, "warned", **told, grade=event.grade)
        return self.say(language, "breached", event.light, **told)
