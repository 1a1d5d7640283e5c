"""What units read."""

from collections.abc import Iterable

from libs.common.contracts.dispatch import ReplyFault
from libs.common.runtime.messages import Texts


class Messages(Texts):
    """The catalogue of dispatch."""

    def hints(self, faults: Iterable[ReplyFault], language: str) -> list[str]:
        """Return what a unit is told of a reply that it is about to send."""
        return [self.say(language, "reply", fault) for fault in faults]

    def owed(self, units: Iterable[str], language: str) -> str:
        """Return what a lead is told that is done before its helpers are."""
        return self.say(language, "owed", units=self.say(language, "joined").join(units))
