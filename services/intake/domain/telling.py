"""What citizens are told of their appeals without asking: which kinds of message, by which ways, and when."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Literal, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.common.city.nights import Night
from libs.common.city.settings import MessageKind
from services.intake.domain.tickets import Ticket, Way

KINDS: tuple[MessageKind, ...] = get_args(MessageKind)
AWAITED: frozenset[MessageKind] = frozenset({"received", "linked", "answered", "transferred"})
"""What somebody waits for who has just written: told at night too, an emergency's number among it."""
AGAIN: frozenset[MessageKind] = frozenset({"linked", "answered", "transferred", "screened"})
"""What no round numbers, and may happen to a ticket more than once."""
MOST_AGAIN = 20
FOLLOWED: frozenset[MessageKind] = frozenset({"dispatched", "resolved", "closed"})
"""What neighbours who follow a ticket are told of it."""
LED: frozenset[MessageKind] = frozenset({"dispatched", "resolved", "answered", "transferred"})
"""What reporters are told of the ticket that theirs is linked to. Theirs is asked about and closed by itself."""

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_ABROAD = re.compile(r"\+(?!86)[1-9][0-9]{6,14}")
# No comma or semicolon, behind which a mail would go to a second address.
_MAIL = re.compile(r"[^\s@,;:<>()\"\\\[\]]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?\.[A-Za-z]{2,24}")


@dataclass(frozen=True, slots=True)
class Telling:
    """How a city tells: the kinds it has switched off, and the hours of night, when only what is awaited is told."""

    off: frozenset[MessageKind]
    quiet_from: time
    quiet_until: time
    timezone: ZoneInfo
    gateways: frozenset[Way]
    """The ways there is a gateway for."""

    def due(self, kind: MessageKind, now: datetime) -> datetime:
        """Return when to tell the reporter something that happens now: at once, or when the quiet hours are over."""
        return now if kind in AWAITED else self.by_day(now)

    def by_day(self, now: datetime) -> datetime:
        """Return when to tell what nobody sits and waits for: now, or when the quiet hours are over."""
        return Night(self.quiet_from, self.quiet_until, self.timezone).over(now)


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened to a ticket, to be told; `params` fill the text.

    What has no `round` is told under the next number that is free.
    """

    ticket: Ticket
    kind: MessageKind
    round: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def concerns_others(self) -> bool:
        """Whether people wait for it beside the ticket's reporter."""
        return self.kind in LED | FOLLOWED and self.ticket.support > 0 and self.ticket.parent is None


@dataclass(frozen=True, slots=True)
class Hearer:
    """One who waits with the reporter of a ticket, and a piece of its news that they have not heard.

    `id` is a ticket `linked` to it, or a neighbour who follows it, and `at` when they came.
    """

    ticket_id: UUID
    kind: MessageKind
    round: int
    params: Mapping[str, str]
    id: UUID
    at: datetime
    linked: bool


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a ticket's reporter: about what, in which round, and what became of it. Where it went is sealed.

    `failed` did not arrive, and `error` says why: `no_gateway` where the platform has none for the ways the reporter
    gave. `unknown` may have arrived. `waiting` is tried at `next_at`; when there is no next try, it ended at
    `ended_at`. `no_address`: the contact was erased.
    """

    kind: MessageKind
    round: int
    state: Literal["waiting", "sending", "sent", "failed", "unknown", "no_address"]
    attempts: int
    error: str | None
    at: datetime
    next_at: datetime | None
    ended_at: datetime | None


def message_key(whose: UUID, kind: MessageKind, round_: int, of: UUID | None = None) -> str:
    """Return under which key a ticket's reporter is told something of a round, and only once.

    So is what happened to another ticket, `of`, told to a follower or a reporter that it leads.
    """
    return f"{whose}/{kind}/{of}/{round_}" if of else f"{whose}/{kind}/{round_}"


def message_keys(ticket_id: UUID, round_: int) -> list[str]:
    """Return all keys under which a ticket's reporter may have been told something of it up to a round."""
    return [
        message_key(ticket_id, kind, number)
        for kind in KINDS
        for number in range(1, (MOST_AGAIN if kind in AGAIN else round_) + 1)
    ]


def addresses(phone: str | None, home: str, email: str | None) -> dict[Way, str]:
    """Return where somebody can be written to: a mobile phone, as E.164, and a mail address.

    `home` is the phone as dialled inside the country. A landline takes no short messages.
    """
    found: dict[Way, str] = {}
    if _MOBILE.fullmatch(home):
        found["sms"] = f"+86{home}"
    elif phone and _ABROAD.fullmatch(abroad := "+" + re.sub(r"\D", "", phone)) and phone.strip().startswith("+"):
        found["sms"] = abroad
    if email and _MAIL.fullmatch(email):
        found["mail"] = email
    return found


def reachable(ways: Collection[Way], gateways: Collection[Way]) -> bool:
    """Say whether a message has a way that leads out of the house."""
    return not set(ways).isdisjoint(gateways)
