"""What is said in sessions: sealed by the session's own key, read by the two who speak, heard in every process."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem
from services.intake import store
from services.intake.domain import NotPossibleError, Session, Side, Spoken, emergencies_in
from services.intake.handlers.around import Here
from services.intake.handlers.sessions import key_of, seal

MOST_SPOKEN = 2000
"""Messages of one session."""
LOOK_SECONDS = 0.3
"""How long what is said in another process may take to be heard in this one."""
IDLE_SECONDS = 5.0


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
) -> tuple[Session, SpokenLine]:
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
    key = await key_of(tx, here, session_id)
    spoken = Spoken(session_id, session.version + 1, tx.now, by, heard, seal(key, session_id, text))
    await store.say(tx, spoken)
    seen_at = tx.now if by == "citizen" else session.seen_at
    await store.save_sessions(tx, [replace(session, version=spoken.seq, seen_at=seen_at)])
    return session, SpokenLine(spoken.seq, spoken.at, by, heard, text)


async def said(here: Here, session_id: UUID, after: int, limit: int = 100) -> list[SpokenLine]:
    """Return what was said behind a place, in order."""
    async with here.database.begin() as tx:
        spoken = await store.spoken_after(tx.connection, session_id, after, limit)
        if not spoken:
            return []
        key = await key_of(tx, here, session_id)
    context = session_id.bytes
    return [SpokenLine(one.seq, one.at, one.by, one.heard, key.open(one.words, context).decode()) for one in spoken]


def danger_in(here: Here, text: str, language: str) -> str | None:
    """Return whom to call at once if these words tell of danger: who waits in a queue must not wait for that."""
    called = emergencies_in(text, here.engine.emergencies)
    return here.engine.messages.emergency(called, language) if called else None


async def hear_sessions(here: Here) -> float:
    """Wake the open chats of this process to which something happened elsewhere; return when to look again."""
    chats = here.engine.chats
    if not (open_ := chats.open()):
        return IDLE_SECONDS
    for session_id, version in (await store.versions(here.database.pool, open_)).items():
        chats.came(session_id, version)
    return LOOK_SECONDS
