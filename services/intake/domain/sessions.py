"""Sessions 会话: a citizen asks for a person, by chat, by video, or to be called back; who waits, who comes next.

What a command may do, from where and by whom, is the table TRANSITIONS.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal
from uuid import UUID

from libs.common.contracts.vocabulary import AccessNeed
from services.intake.domain.tickets import NotPossibleError

SessionKind = Literal["chat", "video", "callback"]
SessionState = Literal["waiting", "taken", "ended", "gone"]
SessionCommand = Literal["take", "release", "end", "missed", "leave", "ask_callback"]
Outcome = Literal["helped", "ticket", "unreachable", "left"]
Side = Literal["citizen", "seat"]
TRIES = 3
"""After so many calls that nobody took, a call back ends; as the callbacks of feedback do."""
AGAIN_AFTER = timedelta(minutes=15)
"""Who did not take the call is shown to seats again after this, still before all who came later."""
UNSEEN = timedelta(minutes=30)
"""Who asked for a chat or a video and has not looked for so long has gone, and holds up nobody."""


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table: from which states, by which side, to which state."""

    sources: tuple[SessionState, ...]
    by: Side
    to: SessionState


TRANSITIONS: Mapping[SessionCommand, Move] = MappingProxyType(
    {
        "take": Move(("waiting",), "seat", "taken"),
        "release": Move(("taken",), "seat", "waiting"),
        "end": Move(("taken",), "seat", "ended"),
        "missed": Move(("taken",), "seat", "waiting"),
        "leave": Move(("waiting", "taken"), "citizen", "gone"),
        "ask_callback": Move(("waiting",), "citizen", "waiting"),
    }
)


@dataclass(frozen=True, slots=True)
class Patience:
    """From when on a citizen who waits is offered a call back: so many ahead, or so long waited."""

    longest_queue: int
    longest_wait: timedelta


@dataclass(frozen=True, slots=True)
class Session:
    """One wish for a person. `card` is sealed: name, phone and question. `room` opens the video.

    `person` is the pseudonym of the phone, by which its owner can have what is kept.
    `seen_at` is when its citizen last looked, to the minute. `tries` counts calls that nobody took, and `call_after` is
    when to call again. `version` grows with every change and message.
    """

    session_id: UUID
    kind: SessionKind
    asked_kind: SessionKind
    state: SessionState
    client: str
    needs: tuple[AccessNeed, ...]
    language: str
    opened_at: datetime
    seen_at: datetime
    card: bytes
    person: str | None = None
    ticket_id: UUID | None = None
    room: str | None = None
    taken_at: datetime | None = None
    taken_by: str | None = None
    first_taken_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    tries: int = 0
    call_after: datetime | None = None
    version: int = 0

    @property
    def over(self) -> bool:
        """Whether nobody waits or speaks any more."""
        return self.state in {"ended", "gone"}


@dataclass(frozen=True, slots=True)
class Spoken:
    """One message of a chat: typed, or heard by a machine (`heard`). `words` is sealed. `seq` is its place in it."""

    session_id: UUID
    seq: int
    at: datetime
    by: Side
    heard: bool
    words: bytes


def taken(session: Session, seat: str, now: datetime) -> Session:
    """Let a seat take who waits; the same seat again changes nothing."""
    if session.state == "taken" and session.taken_by == seat:
        return session
    moved = _move(session, "take")
    return replace(moved, taken_at=now, taken_by=seat, first_taken_at=session.first_taken_at or now)


def released(session: Session) -> Session:
    """Put someone back into the queue, at the place their coming gave them."""
    return replace(_move(session, "release"), taken_at=None, taken_by=None)


def ended(session: Session, outcome: Outcome, ticket_id: UUID | None, now: datetime) -> Session:
    """End a session that was taken. A ticket that came of it is named."""
    return _over(replace(_move(session, "end"), ticket_id=ticket_id or session.ticket_id), outcome, now)


def missed(session: Session, now: datetime) -> Session:
    """Note a call that nobody took: it is tried again after a while, and after `TRIES` it is over."""
    if session.kind != "callback":
        raise NotPossibleError("only a call back can be missed")
    tried = replace(_move(session, "missed"), taken_at=None, taken_by=None, tries=session.tries + 1)
    if tried.tries >= TRIES:
        return _over(replace(tried, state="ended"), "unreachable", now)
    return replace(tried, call_after=now + AGAIN_AFTER)


def left(session: Session, now: datetime) -> Session:
    """Let the citizen go."""
    return session if session.over else _over(_move(session, "leave"), "left", now)


def turned_callback(session: Session, card: bytes, person: str | None) -> Session:
    """Turn waiting for a chat or a video into waiting for a call: the place in the queue stays."""
    if session.kind == "callback":
        raise NotPossibleError("a call back was asked for already")
    return replace(_move(session, "ask_callback"), kind="callback", card=card, person=person, room=None)


def offer_callback(session: Session, ahead: int, patience: Patience, now: datetime) -> bool:
    """Say whether who waits for a chat or a video should be offered a call instead, because all seats are busy."""
    if session.state != "waiting" or session.kind == "callback":
        return False
    return ahead >= patience.longest_queue or now - session.opened_at >= patience.longest_wait


def _move(session: Session, command: SessionCommand) -> Session:
    way = TRANSITIONS[command]
    if session.state not in way.sources:
        raise NotPossibleError(f"the session is {session.state}; to {command} it must be {' or '.join(way.sources)}")
    return replace(session, state=way.to)


def _over(session: Session, outcome: Outcome, now: datetime) -> Session:
    return replace(session, outcome=outcome, ended_at=now, room=None)
