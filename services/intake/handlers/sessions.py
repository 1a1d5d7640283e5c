"""Sessions: asking for a person, the queue, taking and ending. What is left for the seat is sealed by their own key."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from uuid import UUID

from prometheus_client import Counter, Histogram
from pydantic import BaseModel, TypeAdapter

from libs.common.contracts.vocabulary import AccessNeed
from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import DataKey
from libs.common.runtime.problems import Problem, wrong_field
from services.intake import store
from services.intake.domain import (
    Deed,
    Outcome,
    Session,
    SessionKind,
    ended,
    left,
    missed,
    offer_callback,
    released,
    taken,
    turned_callback,
)
from services.intake.handlers.around import Here
from services.intake.handlers.audit import note
from services.intake.handlers.sealing import appeal_of

OVER = Counter("jiesu_intake_sessions_total", "Sessions with a person that ended", ["kind", "outcome"])
WAIT = Histogram(
    "jiesu_intake_session_wait_seconds", "Time until a seat took a session", ["kind"],
    buckets=(5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600),
)  # fmt: skip
SEEN_EVERY = timedelta(minutes=1)
"""Not every look of a citizen costs a write."""
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


WISH = TypeAdapter(Wish)


@dataclass(frozen=True, slots=True)
class Waited:
    """A session as its citizen sees it: how many come before, and whether a call back is offered meanwhile."""

    session: Session
    ahead: int
    offer_callback: bool


async def open_session(
    tx: Tx, here: Here, wish: Wish, session_id: UUID | None = None, key: str | None = None
) -> Waited:
    """Put a citizen into the queue. Raises Problem 409 for a video without a provider, 422 for a call without phone.

    Who chose the id before, or a key, and sends the same again finds the session of the first time. Raises Problem 422
    for a key that was used for another wish.
    """
    session_id = session_id or here.clock.new_id()
    if key and (first := await _first_asked(tx, here, wish, session_id, key)) != session_id:
        return await waited(tx, here, await _held(tx, first))
    await _check(tx, here, wish)
    own = here.engine.vault.new_key(session_id.bytes)
    session = Session(
        session_id=session_id, kind=wish.kind, asked_kind=wish.kind, state="waiting", client=wish.client,
        needs=wish.needs, language=wish.language, opened_at=tx.now, seen_at=tx.now, ticket_id=wish.ticket_id,
        card=seal(own, session_id, wish.card.model_dump_json()), person=_person(here, wish.card),
        room=secrets.token_urlsafe(16) if wish.kind == "video" else None,
    )  # fmt: skip
    if not await store.open_session(tx, session, own.wrapped):
        session = await _held(tx, session_id)
    return await waited(tx, here, session)


async def _first_asked(tx: Tx, here: Here, wish: Wish, session_id: UUID, key: str) -> UUID:
    """Return which session a client's key stands for: this one, if the key is new."""
    # Keyed, for of a mere phone a plain hash tells everything.
    stands_for = partial(here.engine.pseudonyms.of, "session")
    scope = stands_for(f"{wish.client}\0{key}").encode()
    content = stands_for(WISH.dump_json(wish).decode()).encode()
    first, asked = (await store.claim(tx, [(scope, session_id, content)]))[scope]
    if asked != content:
        raise wrong_field("Idempotency-Key", "was used for another wish; send a new key with a new wish")
    return first


async def _check(tx: Tx, here: Here, wish: Wish) -> None:
    if wish.kind == "video" and not here.engine.city.access.video_url:
        raise Problem(409, "this city has no provider of video calls; ask for a chat or to be called back")
    if wish.kind == "callback" and not (wish.card.phone or await _phone_of(tx, here, wish.ticket_id)):
        raise wrong_field("phone", "is needed to be called back; or name a ticket whose reporter left one")


def _person(here: Here, card: Card) -> str | None:
    return here.engine.pseudonyms.of("phone", card.phone) if card.phone else None


async def _phone_of(tx: Tx, here: Here, ticket_id: UUID | None) -> str | None:
    rows = await store.sealed(tx.connection, [ticket_id]) if ticket_id else []
    return appeal_of(here.engine, rows[0]).reporter.phone if rows and not rows[0].erased else None


async def waited(tx: Tx, here: Here, session: Session) -> Waited:
    """Return a session as its citizen sees it."""
    ahead = await store.ahead_of(tx.connection, session, tx.now) if session.state == "waiting" else 0
    return Waited(session, ahead, offer_callback(session, ahead, here.engine.patience, tx.now))


async def look_at(here: Here, session_id: UUID, *, citizen: bool) -> Waited:
    """Return a session as it stands; if its citizen looks, that is kept. Raises Problem 404."""
    async with here.database.begin() as tx:
        session = await store.session_of(tx.connection, session_id)
        if session is None:
            raise Problem(404, "no such session")
        if citizen and not session.over and tx.now - session.seen_at >= SEEN_EVERY:
            await store.seen(tx.connection, session_id, tx.now)
        return await waited(tx, here, session)


async def session_queue(
    here: Here, kind: SessionKind | None, language: str | None, after: UUID | None, limit: int
) -> list[Session]:
    """Return who waits, next first, behind one of them if it is given. Raises Problem 422 if that is no session."""
    async with here.database.begin() as tx:
        behind = await store.session_of(tx.connection, after) if after else None
        if after and behind is None:
            raise wrong_field("after", "must be the `next` of a page of this list")
        return await store.session_queue(tx.connection, kind, language, behind, limit, tx.now)


async def _held(tx: Tx, session_id: UUID, seat: str | None = None) -> Session:
    """Hold a session; for a seat only one that is waiting or its own. Raises Problem 404 or 403."""
    session = await store.hold_session(tx, session_id)
    if session is None:
        raise Problem(404, "no such session")
    if seat is not None and session.state == "taken" and session.taken_by != seat:
        raise Problem(403, "another seat took this session")
    return session


async def _change(tx: Tx, session_id: UUID, seat: str | None, act: Callable[[Session], Session]) -> Session:
    """Do something to a session."""
    session = await _held(tx, session_id, seat)
    return await _keep(tx, session, act(session))


async def _keep(tx: Tx, session: Session, changed: Session) -> Session:
    if changed == session:
        return session
    changed = replace(changed, version=session.version + 1)
    await store.save_sessions(tx, [changed])
    if changed.over:
        count_over(changed)
    return changed


def count_over(session: Session) -> None:
    """Count a session that ended just now."""
    OVER.labels(session.kind, session.outcome).inc()


async def take_session(tx: Tx, here: Here, session_id: UUID, seat: str) -> tuple[Session, Card]:
    """Take a citizen out of the queue and open what they left; who did is kept. Raises NotPossibleError."""
    before = await _held(tx, session_id, seat)
    session = await _keep(tx, before, taken(before, seat, tx.now))
    if before.first_taken_at is None:
        WAIT.labels(session.kind).observe((tx.now - session.opened_at).total_seconds())
    card = await card_of(tx, here, session)
    if card.phone is None and session.kind == "callback":
        card = card.model_copy(update={"phone": await _phone_of(tx, here, session.ticket_id)})
    await note(tx, here, Deed(seat, "contact", session.ticket_id, "callback", note=f"session {session_id}"))
    return session, card


async def card_of(tx: Tx, here: Here, session: Session) -> Card:
    """Open what a citizen left for the seat."""
    key = await key_of(tx, here, session.session_id)
    return Card.model_validate_json(key.open(session.card, session.session_id.bytes))


async def release_session(tx: Tx, session_id: UUID, seat: str | None) -> Session:
    """Put a citizen back into the queue; without a seat, whoever took them. Raises NotPossibleError."""
    return await _change(tx, session_id, seat, released)


async def miss_session(tx: Tx, session_id: UUID, seat: str) -> Session:
    """Note that nobody took the call. Raises NotPossibleError."""
    return await _change(tx, session_id, seat, lambda s: missed(s, tx.now))


async def close_session(tx: Tx, session_id: UUID, seat: str, outcome: Outcome, ticket_id: UUID | None) -> Session:
    """End a session. Raises NotPossibleError, and Problem 422 if there is no such ticket."""
    if ticket_id and not await store.numbers(tx, [ticket_id]):
        raise wrong_field("ticket_id", "must be a ticket that was received")
    return await _change(tx, session_id, seat, lambda s: ended(s, outcome, ticket_id, tx.now))


async def leave_session(tx: Tx, session_id: UUID) -> Session:
    """Let the citizen go. Raises NotPossibleError."""
    return await _change(tx, session_id, None, lambda s: left(s, tx.now))


async def call_back_instead(tx: Tx, here: Here, session_id: UUID, card: Card) -> Session:
    """Turn waiting into a call back with what the citizen leaves for it. Raises NotPossibleError."""
    session = await _held(tx, session_id)
    key = await key_of(tx, here, session_id)
    # What was left when they came stays, where nothing new is said of it.
    known = await card_of(tx, here, session)
    card = known.model_copy(update=card.model_dump(exclude_none=True))
    sealed = seal(key, session_id, card.model_dump_json())
    return await _keep(tx, session, turned_callback(session, sealed, _person(here, card)))


async def key_of(tx: Tx, here: Here, session_id: UUID) -> DataKey:
    """Return a session's key. Raises Problem 404 once it was erased."""
    wrapped = await store.key_of_session(tx.connection, session_id)
    if wrapped is None:
        raise Problem(404, "no such session")
    return here.engine.vault.key(wrapped, session_id.bytes)


def seal(key: DataKey, session_id: UUID, text: str) -> bytes:
    """Seal what belongs to a session."""
    return key.seal(text.encode(), session_id.bytes)
