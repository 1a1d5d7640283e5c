"""What citizens read."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from libs.common.city.emergencies import Emergency
from libs.common.contracts.vocabulary import Status
from libs.common.runtime.messages import Texts
from services.intake.domain import Entry, News, Reason


@dataclass(frozen=True, slots=True)
class Messages(Texts):
    """The catalogue of intake."""

    def line(self, entry: Entry, language: str) -> str:
        """Return a timeline entry as a sentence."""
        return self.say(language, "event", entry.type, **entry.params)

    def shared(self, entry: Entry, language: str) -> str:
        """Return a line of the ticket that a repeat belongs to."""
        return self.say(language, "shared", line=self.line(entry, language))

    def status(self, status: Status, language: str) -> str:
        """Return a status as words."""
        return self.say(language, "status", status)

    def repeat(self, reasons: Sequence[Reason], language: str) -> str:
        """Return why two appeals are taken for one event, as in 同一小区（花家地）、同一问题、相隔2小时."""
        told = [self.say(language, "repeat", reason.code, **reason.params) for reason in reasons]
        return self.say(language, "repeat", "and").join(told)

    def emergency(self, called: Sequence[Emergency], language: str) -> str:
        """Return what to tell someone in an emergency, in Chinese and English too: whom to call first, and then."""
        calls = {known: self._calls(called, known) for known in self.known}
        return self.both(language, "emergency", "text", calls=calls)

    def _calls(self, called: Sequence[Emergency], language: str) -> str:
        calls = (self.say(language, "emergency", "call", number=e.number, name=asdict(e.name)) for e in called)
        return self.say(language, "emergency", "then").join(calls)

    def message(self, news: News, language: str, **links: str) -> str:
        """Return what to tell the reporter of a ticket."""
        return self.say(language, "message", news.kind, "text", number=news.ticket.number, **news.params, **links)

    def led(self, news: News, language: str, **links: str) -> str:
        """Return what to tell the reporter of a ticket of the one that it is linked to."""
        return self.say(language, "led", news.kind, number=news.ticket.number, **news.params, **links)

    def followed(self, news: News, language: str, **links: str) -> str:
        """Return what to tell someone who follows a ticket."""
        return self.say(language, "followed", news.kind, number=news.ticket.number, **news.params, **links)
