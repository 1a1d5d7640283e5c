"""Flags on appeals: a ground with evidence, a ruling, the citizen's appeal against it, and who may do which.

What a command does, and from where, is the table TRANSITIONS. A verdict bears on scoring only: nothing here knows of
orders, clocks or the status of a ticket.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal
from uuid import UUID

from libs.common.city.scope import Scope, Verdict
from services.intake.domain.tickets import NotPossibleError, Ticket

FlagState = Literal["open", "upheld", "dismissed", "appealed", "confirmed", "lifted"]
FlagCommand = Literal["flag", "uphold", "dismiss", "appeal", "confirm", "lift"]
Actor = Literal["citizen", "unit", "seat", "supervisor"]
BURST = "burst"
"""The ground of a flag on many appeals of one person. It is no verdict, and nobody is told."""
BY_RULE = "rule"
"""Who flags what is noticed without a person."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table: from which state, by which roles, to which state.

    The role unit stands for what it leads, and the citizen for their own.
    """

    source: FlagState | None
    roles: tuple[Actor, ...]
    to: FlagState


TRANSITIONS: Mapping[FlagCommand, Step] = MappingProxyType(
    {
        "flag": Step(None, ("unit", "seat", "supervisor"), "open"),
        "uphold": Step("open", ("supervisor",), "upheld"),
        "dismiss": Step("open", ("supervisor",), "dismissed"),
        "appeal": Step("upheld", ("citizen", "seat"), "appealed"),
        "confirm": Step("appealed", ("supervisor",), "confirmed"),
        "lift": Step("appealed", ("supervisor",), "lifted"),
    }
)
RULINGS: Mapping[tuple[FlagState, bool], FlagCommand] = MappingProxyType(
    {
        ("open", True): "uphold", ("open", False): "dismiss",
        ("appealed", True): "confirm", ("appealed", False): "lift",
    }
)  # fmt: skip
"""What a ruling that the ground holds, or that it does not, comes to."""
IN_FORCE: frozenset[FlagState] = frozenset({"upheld", "appealed", "confirmed"})
REJECTED: frozenset[FlagState] = frozenset({"dismissed", "lifted"})


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag on an appeal. `evidence`, `note`, `appeal` and `review_note` are redacted.

    A flag on a burst has no verdict; it names the `reporter`, by pseudonym, and how many appeals they sent, of which
    the ticket is the last.
    """

    flag_id: UUID
    ticket_id: UUID
    ground: str
    verdict: Verdict | None
    evidence: str
    by: str
    at: datetime
    state: FlagState = "open"
    reporter: str | None = None
    count: int | None = None
    ruled_by: str | None = None
    ruled_at: datetime | None = None
    note: str | None = None
    appeal: str | None = None
    appealed_at: datetime | None = None
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    review_note: str | None = None

    @property
    def in_force(self) -> bool:
        """Whether it is a verdict that stands now."""
        return self.verdict is not None and self.state in IN_FORCE

    @property
    def parties(self) -> set[str | None]:
        """Who had a hand in it, and so may not rule on it."""
        return {self.by, self.ruled_by}

    def appeal_until(self, within: timedelta) -> datetime | None:
        """Return until when the citizen may appeal; None if not, or not any more."""
        return self.ruled_at + within if self.state == "upheld" and self.verdict and self.ruled_at else None


def added(flag: Flag, others: Iterable[Flag]) -> Flag:
    """Return a new flag of a ticket that has these. Raises NotPossibleError unless it may be put.

    There is one verdict at a time, and what was rejected is not tried again.
    """
    for other in others:
        if other.in_force or (other.state == "open" and other.verdict):
            raise NotPossibleError(f"a flag of this ticket is {other.state} already")
        if other.state in REJECTED and other.ground == flag.ground:
            raise NotPossibleError("this ground was rejected for this ticket")
    return flag


def ruled(flag: Flag, upheld: bool, note: str, by: str, now: datetime) -> Flag:
    """Rule on a flag, or on the appeal against it: `upheld` says whether the ground holds.

    Raises NotPossibleError if nobody waits for a ruling.
    """
    command = RULINGS.get((flag.state, upheld))
    if command is None:
        raise NotPossibleError(f"the flag is {flag.state}; a ruling needs one that is open or appealed")
    to = TRANSITIONS[command].to
    if flag.state == "open":
        return replace(flag, state=to, ruled_by=by, ruled_at=now, note=note)
    return replace(flag, state=to, reviewed_by=by, reviewed_at=now, review_note=note)


def standing(flags: Iterable[Flag]) -> Flag | None:
    """Return the verdict on a ticket, if there is one."""
    return next((flag for flag in flags if flag.in_force), None)


def appealed(flags: Iterable[Flag], text: str, within: timedelta, now: datetime) -> Flag:
    """Return the verdict on a ticket as its reporter appeals it: once, within a time of the ruling.

    Raises NotPossibleError if there is none, or that is over.
    """
    flag = standing(flags)
    if flag is None:
        raise NotPossibleError("nothing was ruled on this ticket that could be appealed")
    until = flag.appeal_until(within)
    if until is None:
        raise NotPossibleError("the ruling was appealed already")
    if now >= until:
        raise NotPossibleError("the time to appeal the ruling is over")
    return replace(flag, state=TRANSITIONS["appeal"].to, appeal=text, appealed_at=now)


_SIGNS = re.compile(r"[\W_]+")


def noticed(ticket: Ticket, scope: Scope) -> str | None:
    """Return the code of the ground that an appeal meets by what it says alone: nothing, or that it is a test."""
    if ticket.attachments:
        return None
    words = _SIGNS.sub("", unicodedata.normalize("NFKC", f"{ticket.title or ''}{ticket.text}").casefold())
    wanted = "test" if words else "blank"
    grounds = (ground for ground in scope.grounds if ground.verdict == wanted)
    return next((ground.code for ground in grounds if not words or words in _plain(ground.alone)), None)


def _plain(alone: Iterable[str]) -> set[str]:
    return {_SIGNS.sub("", words.casefold()) for words in alone}
