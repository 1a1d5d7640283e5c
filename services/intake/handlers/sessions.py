"""Sessions: asking for a person, the queue, taking and ending; what is said is sealed by the session's own key."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from prometheus_client import Counter, Gauge, Histogram
from pydantic import BaseModel

from libs.common.contracts.vocabulary import AccessNeed
from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import DataKey
from libs.common.runtime.problems import Problem, wrong_field
from services.intake import store
from services.intake.domain import (
    Deed,
    NotPossibleError,
    Outcome,
    Session,
    SessionKind,
    Side,
    Spoken,
    Waits,
    ended,
    left,
    missed,
    offer_callback,
    released,
    span,
    taken,
    turned_callback,
    waits,
)
from services.intake.handlers.around import Here
from services.intake.handlers.audit import note
from services.intake.handlers.sealing import appeal_of

OVER = Counter("jiesu_intake_sessions_total", "Sessions with a person that ended", ["kind", "outcome"])
WAIT = Histogram(
    "jiesu_intake_session_wait_seconds", "Time until a seat took a session", ["kind"],
    buckets=(5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600),
)  # fmt: skip
WAITING = Gauge("jiesu_intake_sessions_waiting", "Sessions that wait for a seat", ["kind"])
MOST_SPOKEN = 2000
"""Messages of one session."""
FORGOTTEN_AT_ONCE = 200
NAP_SECONDS = 15.0
LOOK_SECONDS = 0.3
"""How long what is said in another process may take to be heard in this one."""
IDLE_SECONDS = 5.0
KINDS: tuple[SessionKind, ...] = ("chat", "video", "callback")


class Card(BaseModel):
    """What a citizen leaves for the seat: kept sealed."""

    name: str | None = None
    phone: str | None = None
    question: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a citizen asks for."""

    kind: SessionKind
    client: str
    needs: tuple[AccessNeed, ...]
    language: str
    card: Card
    ticket_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Waited:
    """A session as its citizen sees it: how many come before, and whether a call back is offered meanwhile."""

    session: Session
    ahead: int
    offer_callback: bool


async def open_session(tx: Tx, here: Here, wish: Wish) -> Waited:
    """Put a citizen into the queue. Raises Problem 409 for a video without a provider, 422 for a call without phone."""
    session_id = here.clock.new_id()
    await _check(tx, here, wish)
    key = here.engine.vault.new_key(session_id.bytes)
    session = Session(
        session_id=session_id, kind=wish.kind, asked_kind=wish.kind, state="waiting", client=wish.client,
        needs=wish.needs, language=wish.language, opened_at=tx.now, ticket_id=wish.ticket_id,
        card=_seal(key, session_id, wish.card.model_dump_json()),
        room=secrets.token_urlsafe(16) if wish.kind == "video" else None,
    )  # fmt: skip
    await store.open_session(tx, session, key.wrapped)
    return await waited(tx, here, session)


async def _check(tx: Tx, here: Here, wish: Wish) -> None:
    if wish.kind == "video" and not here.engine.city.access.video_url:
        raise Problem(409, "this city has no provider of video calls; ask for a chat or to be called back")
    if wish.kind == "callback" and not (wish.card.phone or await _phone_of(tx, here, wish.ticket_id)):
        raise wrong_field("phone", "is needed to be called back; or name a ticket whose reporter left one")


async def _phone_of(tx: Tx, here: Here, ticket_id: UUID | None) -> str | None:
    rows = await store.sealed(tx.connection, [ticket_id]) if ticket_id else []
    return appeal_of(here.engine, rows[0]).reporter.phone if rows and rows[0].appeal else None


async def waited(tx: Tx, here: Here, session: Session) -> Waited:
    """Return a session as its citizen sees it."""
    ahead = await store.ahead_of(tx.connection, session) if session.state == "waiting" else 0
    return Waited(session, ahead, offer_callback(session, ahead, here.engine.patience, tx.now))


async def look_at(here: Here, session_id: UUID) -> Waited:
    """Return a session as it stands. Raises Problem 404."""
    async with here.database.begin() as tx:
        session = await store.session_of(tx.connection, session_id)
        if session is None:
            raise Problem(404, "no such session")
        return await waited(tx, here, session)


async def session_queue(here: Here, kind: SessionKind | None, after: UUID | None, limit: int) -> list[Session]:
    """Return who waits, next first, behind one of them if it is given."""
    async with here.database.begin() as tx:
        behind = await store.session_of(tx.connection, after) if after else None
        return await store.session_queue(tx.connection, kind, behind, limit)


async def _change(tx: Tx, here: Here, session_id: UUID, seat: str | None, act: Callable[[Session], Session]) -> Session:
    """Do something to a held session; by a seat, only to one that is waiting or its own."""
    session = await store.hold_session(tx, session_id)
    if session is None:
        raise Problem(404, "no such session")
    if seat is not None and session.state == "taken" and session.taken_by != seat:
        raise Problem(403, "another seat took this session")
    changed = act(session)
    if changed == session:
        return session
    changed = replace(changed, version=session.version + 1)
    await store.save_session(tx, changed)
    if changed.over:
        OVER.labels(changed.kind, changed.outcome).inc()
    return changed


async def take_session(tx: Tx, here: Here, session_id: UUID, seat: str) -> tuple[Session, Card]:
    """Take a citizen out of the queue and open what they left; who did is kept. Raises NotPossibleError."""
    session = await _change(tx, here, session_id, seat, lambda s: taken(s, seat, tx.now))
    if session.first_taken_at == session.taken_at and session.taken_at:
        WAIT.labels(session.kind).observe((session.taken_at - session.opened_at).total_seconds())
    card = await _card(tx, here, session)
    await note(tx, here, Deed(seat, "contact", session.ticket_id, "callback", note=f"session {session_id}"))
    return session, card


async def _card(tx: Tx, here: Here, session: Session) -> Card:
    key = await _key(tx, here, session.session_id)
    card = Card.model_validate_json(key.open(session.card, session.session_id.bytes))
    if card.phone is None and session.kind == "callback":
        return card.model_copy(update={"phone": await _phone_of(tx, here, session.ticket_id)})
    return card


async def release_session(tx: Tx, here: Here, session_id: UUID, seat: str) -> Session:
    """Put a citizen back into the queue. Raises NotPossibleError."""
    return await _change(tx, here, session_id, seat, released)


async def miss_session(tx: Tx, here: Here, session_id: UUID, seat: str) -> Session:
    """Note that nobody took the call. Raises NotPossibleError."""
    return await _change(tx, here, session_id, seat, lambda s: missed(s, tx.now))


async def close_session(
    tx: Tx, here: Here, session_id: UUID, seat: str, outcome: Outcome, ticket_id: UUID | None
) -> Session:
    """End a session. Raises NotPossibleError."""
    return await _change(tx, here, session_id, seat, lambda s: ended(s, outcome, ticket_id, tx.now))


async def leave_session(tx: Tx, here: Here, session_id: UUID) -> Session:
    """Let the citizen go. Raises NotPossibleError."""
    return await _change(tx, here, session_id, None, lambda s: left(s, tx.now))


async def call_back_instead(tx: Tx, here: Here, session_id: UUID, card: Card) -> Session:
    """Turn waiting into a call back with what the citizen leaves for it. Raises NotPossibleError."""
    key = await _key(tx, here, session_id)
    sealed = _seal(key, session_id, card.model_dump_json())
    return await _change(tx, here, session_id, None, lambda s: turned_callback(s, sealed))


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """One message, opened for who takes part."""

    seq: int
    at: datetime
    by: Side
    heard: bool
    text: str


async def say(
    tx: Tx, here: Here, session_id: UUID, by: Side, seat: str | None, text: str, *, heard: bool
) -> SpokenLine:
    """Add a message to a chat or a video. Raises NotPossibleError once it is over or full."""
    session = await store.hold_session(tx, session_id)
    if session is None:
        raise Problem(404, "no such session")
    if session.over or session.kind == "callback":
        raise NotPossibleError("nobody reads here: the session is over, or a call")
    if seat is not None and session.taken_by != seat:
        raise Problem(403, "only the seat that took this session may speak in it")
    if session.version >= MOST_SPOKEN:
        raise NotPossibleError(f"a session has at most {MOST_SPOKEN} messages; begin another")
    key = await _key(tx, here, session_id)
    spoken = Spoken(session_id, session.version + 1, tx.now, by, heard, _seal(key, session_id, text))
    await store.say(tx, spoken)
    await store.save_session(tx, replace(session, version=spoken.seq))
    return SpokenLine(spoken.seq, spoken.at, by, heard, text)


async def said(here: Here, session_id: UUID, after: int, limit: int = 100) -> list[SpokenLine]:
    """Return what was said behind a place, in order."""
    async with here.database.begin() as tx:
        spoken = await store.spoken_after(tx.connection, session_id, after, limit)
        if not spoken:
            return []
        key = await _key(tx, here, session_id)
    context = session_id.bytes
    return [SpokenLine(one.seq, one.at, one.by, one.heard, key.open(one.words, context).decode()) for one in spoken]


async def _key(tx: Tx, here: Here, session_id: UUID) -> DataKey:
    wrapped = await store.key_of_session(tx.connection, session_id)
    if wrapped is None:
        raise Problem(404, "no such session")
    return here.engine.vault.key(wrapped, session_id.bytes)


def _seal(key: DataKey, session_id: UUID, text: str) -> bytes:
    return key.seal(text.encode(), session_id.bytes)


async def session_quality(here: Here, period: str) -> Mapping[str, Waits]:
    """Return how those fared who asked in a period, by kind and by need. Raises ValueError for no period."""
    since, until = span(period, here.engine.timezone)
    asked = await store.sessions_between(here.database.pool, since, until)
    groups: dict[str, Sequence[Session]] = {kind: [s for s in asked if s.asked_kind == kind] for kind in KINDS}
    groups |= {need: [s for s in asked if need in s.needs] for need in sorted({n for s in asked for n in s.needs})}
    return {name: waits(group) for name, group in groups.items()}


async def watch_sessions(here: Here) -> float:
    """Count who waits and forget what is old; return the seconds until the next time."""
    waiting = await store.waiting_by_kind(here.database.pool)
    for kind in KINDS:
        WAITING.labels(kind).set(waiting.get(kind, 0))
    async with here.database.begin() as tx:
        gone = await store.forget_sessions(tx, tx.now - here.engine.city.retention.chats, FORGOTTEN_AT_ONCE)
    return 0.0 if gone == FORGOTTEN_AT_ONCE else NAP_SECONDS


async def hear_sessions(here: Here) -> float:
    """Wake the open chats of this process to which something happened elsewhere; return when to look again."""
    chats = here.engine.chats
    if not (open_ := chats.open()):
        return IDLE_SECONDS
    for session_id, version in (await store.versions(here.database.pool, open_)).items():
        chats.came(session_id, version)
    return LOOK_SECONDS
