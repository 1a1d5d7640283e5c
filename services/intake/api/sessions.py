"""Asking for a person: the queue for citizens, the desk for seats."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AfterValidator, BaseModel, Field, model_validator

from libs.common.contracts.vocabulary import AccessNeed
from libs.common.runtime.http import Body, Line, Note
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal, authenticate, require_everywhere
from services.intake import handlers
from services.intake.api.around import Context, IdempotencyKey, InLanguage, Sender, allowed, possible
from services.intake.appeal import Language, Phone
from services.intake.domain import Session, SessionKind, Side
from services.intake.handlers import Card, Here, Waited, Wish

router = APIRouter()
Desk = Annotated[Principal, Depends(require_everywhere("seat", "supervisor"))]
Pass = Annotated[str | None, Query(alias="pass", max_length=80, description="What opening the session gave")]


def _once_each(needs: tuple[AccessNeed, ...]) -> tuple[AccessNeed, ...]:
    return tuple(dict.fromkeys(needs))


Needs = Annotated[tuple[AccessNeed, ...], AfterValidator(_once_each)]


class SessionRequest(Body):
    """What a citizen asks for. `code` is the query code of `ticket_id`, if the sender is not that ticket's."""

    kind: SessionKind
    needs: Needs = ()
    language: Language = "zh"
    ticket_id: UUID | None = None
    code: Line | None = None
    name: Line | None = None
    phone: Phone | None = None
    question: Note | None = None


class CallbackRequest(Body):
    """What to leave so as to be called back. What was left before stays where nothing is said of it."""

    phone: Phone
    name: Line | None = None
    question: Note | None = None


class SessionView(BaseModel):
    """A session without what is personal."""

    session_id: UUID
    kind: SessionKind
    state: Literal["waiting", "taken", "ended", "gone"]
    needs: tuple[AccessNeed, ...]
    language: str
    opened_at: datetime
    taken_at: datetime | None
    ticket_id: UUID | None
    tries: int
    outcome: str | None


class WaitedView(SessionView):
    """A session as its citizen sees it. `video_url` leads to the call while it lasts."""

    ahead: int
    offer_callback: bool
    video_url: str | None


class OpenedView(WaitedView):
    """A new session. `pass` lets the citizen read and speak in it. `emergency` says whom to call first, if anyone."""

    pass_: str = Field(serialization_alias="pass")
    emergency: str | None


class TakenView(SessionView):
    """What the seat who took a session sees: for a call back whom to call, for a video where."""

    name: str | None
    phone: str | None
    question: str | None
    video_url: str | None


class Queue(BaseModel):
    """Who waits, next first. `next` is the session to list on after, null at the end."""

    items: list[SessionView]
    next: UUID | None


class EndCommand(Body):
    """What came of a session."""

    outcome: Literal["helped", "ticket"]
    ticket_id: UUID | None = None

    @model_validator(mode="after")
    def _which_ticket(self) -> Self:
        if self.outcome == "ticket" and self.ticket_id is None:
            raise ValueError("a ticket that came of it is named by ticket_id")
        return self


@router.post("/sessions", status_code=201)
async def open_session(
    request: Request, here: Context, sender: Sender, wish: SessionRequest, idempotency_key: IdempotencyKey = None
) -> OpenedView:
    """Ask for a person. The pass is for the citizen's own device.

    Sent again under its `Idempotency-Key` it is one session, shown as it stands now, with a pass of its own.
    """
    here.keys.admit(sender)
    if wish.ticket_id:
        allowed(request, here, await handlers.look(here, wish.ticket_id), wish.ticket_id, wish.code)
    card = Card(name=wish.name, phone=wish.phone, question=wish.question)
    asked = Wish(wish.kind, sender.name, wish.needs, wish.language, card, wish.ticket_id)
    async with here.database.begin() as tx:
        opened = await handlers.open_session(tx, here, asked, key=idempotency_key)
    token = here.engine.passes.of(opened.session.session_id, here.clock.now())
    danger = handlers.danger_in(here, wish.question or "", wish.language)
    return OpenedView(**_waited(here, opened, None).model_dump(), pass_=token, emergency=danger)


@router.get("/sessions")
async def list_sessions(
    here: Context,
    _: Desk,
    kind: SessionKind | None = None,
    language: InLanguage = None,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Queue:
    """List who waits: those with access needs first, then by when they came."""
    waiting = await handlers.session_queue(here, kind, language, after, limit)
    full = len(waiting) == limit
    return Queue(items=[_view(session) for session in waiting], next=waiting[-1].session_id if full else None)


@router.get("/sessions/{session_id}")
async def get_session(request: Request, here: Context, session_id: UUID, pass_: Pass = None) -> WaitedView:
    """Show a session to its citizen, and to seats; where the video is, to the citizen and the seat that took it."""
    _, seat = side(request, here, session_id, pass_)
    return _waited(here, await handlers.look_at(here, session_id, citizen=seat is None), seat)


@router.post("/sessions/{session_id}/take")
async def take(here: Context, seat: Desk, session_id: UUID) -> TakenView:
    """Take who waits. Opening what they left is kept in the audit log."""
    async with here.database.begin() as tx:
        session, card = await possible(handlers.take_session(tx, here, session_id, seat.name))
    here.engine.chats.ring(session_id)
    return TakenView(**_view(session).model_dump(), **card.model_dump(), video_url=video(here, session))


@router.post("/sessions/{session_id}/release")
async def release(here: Context, seat: Desk, session_id: UUID) -> SessionView:
    """Put a citizen back into the queue, at the place their coming gave them: who took them, or a supervisor."""
    holder = None if seat.may("supervisor") else seat.name
    async with here.database.begin() as tx:
        session = await possible(handlers.release_session(tx, session_id, holder))
    return _changed(here, session)


@router.post("/sessions/{session_id}/missed")
async def missed(here: Context, seat: Desk, session_id: UUID) -> SessionView:
    """Note that nobody took the call. It comes back into the queue after a while; after the third it is over."""
    async with here.database.begin() as tx:
        session = await possible(handlers.miss_session(tx, session_id, seat.name))
    return _changed(here, session)


@router.post("/sessions/{session_id}/end")
async def end(here: Context, seat: Desk, session_id: UUID, command: EndCommand) -> SessionView:
    """End a session, with the ticket that came of it if one did."""
    async with here.database.begin() as tx:
        session = await possible(handlers.close_session(tx, session_id, seat.name, command.outcome, command.ticket_id))
    return _changed(here, session)


@router.post("/sessions/{session_id}/leave")
async def leave(request: Request, here: Context, session_id: UUID, pass_: Pass = None) -> SessionView:
    """Let the citizen go."""
    _citizen(request, here, session_id, pass_)
    async with here.database.begin() as tx:
        session = await possible(handlers.leave_session(tx, session_id))
    return _changed(here, session)


@router.post("/sessions/{session_id}/callback")
async def call_back(
    request: Request, here: Context, session_id: UUID, wanted: CallbackRequest, pass_: Pass = None
) -> SessionView:
    """Be called back instead of waiting on for a chat or a video; the place in the queue stays."""
    _citizen(request, here, session_id, pass_)
    card = Card(name=wanted.name, phone=wanted.phone, question=wanted.question)
    async with here.database.begin() as tx:
        session = await possible(handlers.call_back_instead(tx, here, session_id, card))
    return _changed(here, session)


def side(request: Request, here: Here, session_id: UUID, given: str | None) -> tuple[Side, str | None]:
    """Return on which side of a session the sender is, and which seat. Raises Problem 401 or 403."""
    if given is not None:
        _citizen(request, here, session_id, given)
        return "citizen", None
    seat = authenticate(request)
    if not seat.may("seat", "supervisor"):
        raise Problem(403, "this needs the citizen's pass, or the role seat or supervisor")
    return "seat", seat.name


def _citizen(request: Request, here: Here, session_id: UUID, given: str | None) -> None:
    if given is None:
        authenticate(request)
        raise Problem(403, "only the citizen may do this: send the pass that opening the session gave")
    if not here.engine.passes.opens(given, session_id, here.clock.now()):
        raise Problem(403, "pass: is not this session's, or its time is over")


def _changed(here: Here, session: Session) -> SessionView:
    here.engine.chats.ring(session.session_id)
    return _view(session)


def _view(session: Session) -> SessionView:
    return SessionView(
        session_id=session.session_id,
        kind=session.kind,
        state=session.state,
        needs=session.needs,
        language=session.language,
        opened_at=session.opened_at,
        taken_at=session.taken_at,
        ticket_id=session.ticket_id,
        tries=session.tries,
        outcome=session.outcome,
    )


def _waited(here: Here, waited: Waited, seat: str | None) -> WaitedView:
    """Return a session as its citizen sees it, or a seat."""
    session = waited.session
    return WaitedView(
        **_view(session).model_dump(),
        ahead=waited.ahead,
        offer_callback=waited.offer_callback,
        video_url=video(here, session) if seat in {None, session.taken_by} else None,
    )


def video(here: Here, session: Session) -> str | None:
    """Return where a video is held, while it lasts."""
    url = here.engine.city.access.video_url
    return url.replace("{room}", session.room) if session.room and url else None
