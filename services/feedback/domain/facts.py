"""What feedback remembers of a ticket from the other stages, cut down to what asking and judging need."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.contracts.dispatch import ReplyFault, ReplyWords
from libs.common.contracts.vocabulary import AccessNeed, Channel, Kind, ReporterType, UnitRef, Urgency

Method = Literal["callback", "link"]
BY_LINK: frozenset[Channel] = frozenset({"web", "app", "wechat", "sms", "open311"})
"""Channels on which the citizen sees a link; on every other one a seat phones."""
NO_CALL: frozenset[AccessNeed] = frozenset({"sign_language", "text_only"})
"""Who needs one of these is asked in writing, whatever the channel."""


@dataclass(frozen=True, slots=True)
class Appeal:
    """Who asked and how. Every event that carries a receipt brings it. `reporter` is a pseudonym."""

    number: str
    channel: Channel
    reporter_type: ReporterType = "person"
    kind: Kind | None = None
    access_needs: tuple[AccessNeed, ...] = ()
    received_at: datetime | None = None
    reporter: str | None = None
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class Classified:
    """What the appeal is about and where: a question's code, its tag of the seven haves or five natures, six digits."""

    category: tuple[str, str, str]
    urgency: Urgency
    kind: Kind
    appeal: Appeal
    code: str = ""
    tag: str | None = None
    elderly: bool = False
    district: str | None = None
    street: str | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """The ticket that this one repeats, and when it was received itself."""

    parent: UUID
    appeal: Appeal
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What a seat, or the rule for emergencies, answered at once.

    `final`: an emergency's number, or a transfer outward; no unit of the city could do more.
    """

    answer: str
    appeal: Appeal
    final: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """The unit's word that it is done, and how it came to that. `returns` counts over all rounds."""

    round: int
    unit: UnitRef
    reply: str
    contacted: bool
    at: datetime | None = None
    dispatched_at: datetime | None = None
    accepted_at: datetime | None = None
    contacted_at: datetime | None = None
    reply_faults: tuple[ReplyFault, ...] = ()
    evidence: int = 0
    returns: int = 0
    reply_words: ReplyWords | None = None


@dataclass(frozen=True, slots=True)
class OnTime:
    """Whether the clock of a round was met before its limit, and by whom it was to be, as far as anybody led."""

    round: int
    in_time: bool
    unit: UnitRef | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a ticket. `contacted` is the last round in which the unit spoke with the citizen.

    A link or an answer is void when intake receives the ticket once more. `excluded`: it was ruled to enter no rate.
    `support`: so many others have the same trouble. `erased`: its personal data was deleted, and the pseudonym goes.
    `wordless`: its words were as well, and those that come later are not kept either.
    """

    received: Appeal | None = None
    classified: Classified | None = None
    linked: Linked | None = None
    answered: Answered | None = None
    withdrawn: bool = False
    excluded: bool = False
    contacted: int | None = None
    resolved: Resolved | None = None
    response: OnTime | None = None
    completion: OnTime | None = None
    support: int = 0
    erased: bool = False
    wordless: bool = False

    @property
    def kept(self) -> "Facts":
        """What of it may be kept."""
        if not (self.erased or self.wordless):
            return self
        linked, answered, classified, resolved = self.linked, self.answered, self.classified, self.resolved
        bare = replace(
            self,
            received=_nobodys(self.received) if self.received else None,
            linked=replace(linked, appeal=_nobodys(linked.appeal)) if linked else None,
            answered=replace(answered, appeal=_nobodys(answered.appeal)) if answered else None,
            classified=replace(classified, appeal=_nobodys(classified.appeal)) if classified else None,
        )
        if not self.wordless:
            return bare
        return replace(
            bare,
            answered=replace(bare.answered, answer="") if bare.answered else None,
            resolved=replace(resolved, reply="") if resolved else None,
        )

    @property
    def appeal(self) -> Appeal | None:
        """The appeal, from whichever event brought it."""
        bearers = (self.linked, self.answered, self.classified)
        return self.received or next((bearer.appeal for bearer in bearers if bearer), None)

    @property
    def reporter(self) -> str | None:
        """Whose appeal it is, by pseudonym; None where that is not known, or not to be known any more."""
        appeal = self.appeal
        return appeal.reporter if appeal else None

    @property
    def needs(self) -> tuple[AccessNeed, ...]:
        """What to mind with whoever is asked; a matter of the elderly is one of somebody elderly."""
        appeal = self.appeal
        said = appeal.access_needs if appeal else ()
        old = self.classified is not None and self.classified.elderly
        return ("elderly", *said) if old and "elderly" not in said else said

    @property
    def method(self) -> Method:
        """How to ask: by callback unless it is known that a link is seen, or that a call is not heard."""
        appeal = self.appeal
        in_writing = appeal and (appeal.channel in BY_LINK or not NO_CALL.isdisjoint(appeal.access_needs))
        return "link" if in_writing else "callback"

    @property
    def by_sensor(self) -> bool:
        """Whether nobody can be asked, because a device reported."""
        return self.appeal is not None and self.appeal.reporter_type == "sensor"


def _nobodys(appeal: Appeal) -> Appeal:
    return replace(appeal, reporter=None)
