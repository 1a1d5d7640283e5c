"""To reach a person without phoning: by writing, by sign-language video, or by being called back.

A browser has one session at a time, and a pass to it in a cookie that goes nowhere else; no address names the session.
"""

from contextlib import suppress
from typing import Annotated, get_args
from uuid import UUID

from fastapi import Form, Query
from pydantic import TypeAdapter, ValidationError
from starlette.responses import HTMLResponse, Response

from libs.common.contracts.vocabulary import AccessNeed
from libs.common.runtime.http import Note
from libs.common.runtime.problems import Problem
from services.intake import handlers
from services.intake.api.sessions import CallbackRequest, Needs, video
from services.intake.domain import NotPossibleError, SessionKind
from services.intake.handlers import Card, SpokenLine, Waited, Wish
from services.intake.pages.forms import Filled, Sent, wrong_fields
from services.intake.pages.forms import Form as SentForm
from services.intake.pages.frame import CLIENT, Looking, Sending, Visitor, pages

SESSION = "jiesu_session"
PATH = "/intake/person"
NOW = f"{PATH}/now"
FIELDS = ("phone", "name", "question")
SAID = ("lost", "left")
SHOWN = 50
"""Messages of one page."""
LATELY = 5
"""Messages in which danger is looked for."""
NEEDS: TypeAdapter[tuple[AccessNeed, ...]] = TypeAdapter(Needs)
WORDS: TypeAdapter[str] = TypeAdapter(Note)
Given = Annotated[str, Form()]
Before = Annotated[int, Query(ge=0, le=2**31 - 1)]

router = pages()


@router.get("/person")
async def choices(visitor: Looking, said: Annotated[str, Query()] = "") -> Response:
    """Show by which ways one can reach a person; who waits or speaks already is led there."""
    if await _live(visitor):
        return visitor.lead(NOW)
    return visitor.show(
        "person.html", said=said if said in SAID else "", once=_new(visitor), needs=get_args(AccessNeed),
        video=bool(visitor.here.engine.city.access.video_url),
    )  # fmt: skip


@router.post("/person")
async def ask(visitor: Sending, given: SentForm) -> Response:
    """Ask for somebody to write with, or for a sign-language video."""
    needs = _needs(given)
    if await _live(visitor):
        return visitor.lead(NOW)
    match given.fields.get("kind"):
        case "chat":
            return await _open(visitor, given, "chat", needs, Card())
        case "video":
            return await _open(visitor, given, "video", ("sign_language", *needs), Card())
    raise Problem(422, "kind: must be chat or video")


@router.get("/person/callback")
async def call_form(visitor: Looking) -> Response:
    """Ask whom to call, and about what."""
    held = await _live(visitor)
    if held and not _may_turn(held):
        return visitor.lead(NOW)
    return _call_form(visitor, Filled(), turning=held is not None)


@router.post("/person/callback")
async def call(visitor: Sending, given: SentForm) -> Response:
    """Ask to be called back; who waits for a chat or a video keeps the place."""
    held, needs = await _live(visitor), _needs(given)
    try:
        wanted = CallbackRequest.model_validate({k: v for k, v in given.fields.items() if k in FIELDS and v.strip()})
    except ValidationError as error:
        filled = Filled(given.fields, wrong_fields(visitor, error, FIELDS), needs)
        return _call_form(visitor, filled, 422, turning=held is not None)
    card = Card(**wanted.model_dump())
    if held is None:
        return await _open(visitor, given, "callback", needs, card)
    # A seat may have come in the meantime, or the form was sent twice.
    with suppress(NotPossibleError):
        async with visitor.here.database.begin() as tx:
            await handlers.call_back_instead(tx, visitor.here, held.session.session_id, card)
        visitor.here.engine.chats.ring(held.session.session_id)
    return await _went(visitor, held.session.session_id, card.question)


@router.get("/person/now")
async def now(visitor: Looking, before: Before = 0) -> Response:
    """Show how the session goes and what was said."""
    held = await _held(visitor)
    if held is None:
        return _lost(visitor)
    return await _now(visitor, held, Filled(), before=before)


@router.post("/person/now")
async def say(visitor: Sending, text: Given = "") -> Response:
    """Say something to the seat, who may be there yet or not."""
    held = await _held(visitor)
    if held is None:
        return _lost(visitor)
    try:
        words = WORDS.validate_python(text)
    except ValidationError:
        wrong = {"text": visitor.say("wrong", "said")}
        return await _now(visitor, held, Filled({"text": text}, wrong), 422)
    session_id = held.session.session_id
    try:
        async with visitor.here.database.begin() as tx:
            await handlers.say(tx, visitor.here, session_id, "citizen", None, words, heard=False)
    except NotPossibleError:
        held = await handlers.look_at(visitor.here, session_id, citizen=True)
        return await _now(visitor, held, Filled({"text": text}), 409)
    visitor.here.engine.chats.ring(session_id)
    return _admitted(visitor, visitor.lead(f"{NOW}#last"), session_id)


@router.get("/person/leave")
async def ask_to_leave(visitor: Looking) -> Response:
    """Ask whether to leave, for the place in the queue goes with it."""
    held = await _live(visitor)
    return visitor.show("person_leave.html", kind=held.session.kind) if held else visitor.lead(NOW)


@router.post("/person/leave")
async def leave(visitor: Sending) -> Response:
    """Leave, and let the browser forget the session."""
    if held := await _live(visitor):
        with suppress(NotPossibleError):
            async with visitor.here.database.begin() as tx:
                await handlers.leave_session(tx, held.session.session_id)
        visitor.here.engine.chats.ring(held.session.session_id)
    answer = visitor.lead(f"{PATH}?said=left")
    answer.delete_cookie(SESSION, PATH, secure=visitor.secure, httponly=True, samesite="lax")
    return answer


def _needs(given: Sent) -> tuple[AccessNeed, ...]:
    try:
        return NEEDS.validate_python(given.ticked.get("access_needs", ()))
    except ValidationError as error:
        raise Problem(422, "access_needs: must be among those listed") from error


def _new(visitor: Visitor) -> str:
    """Return a pass to a session that there is not yet: who sends a form with it twice opens one session."""
    return _pass(visitor, visitor.here.clock.new_id())


def _pass(visitor: Visitor, session_id: UUID) -> str:
    return f"{session_id.hex}.{visitor.here.engine.passes.of(session_id, visitor.here.clock.now())}"


def _opened_by(visitor: Visitor, given: str) -> UUID | None:
    """Return the session that a pass opens, None if it is none of ours or its time is over."""
    name, _, signed = given.partition(".")
    try:
        session_id = UUID(name)
    except ValueError:
        return None
    return session_id if visitor.here.engine.passes.opens(signed, session_id, visitor.here.clock.now()) else None


async def _held(visitor: Visitor) -> Waited | None:
    """Return the session this browser has a pass to."""
    session_id = _opened_by(visitor, visitor.request.cookies.get(SESSION, ""))
    if session_id is None:
        return None
    try:
        return await handlers.look_at(visitor.here, session_id, citizen=True)
    except Problem:
        return None  # it was erased


async def _live(visitor: Visitor) -> Waited | None:
    """Return it if it is not over."""
    held = await _held(visitor)
    return held if held and not held.session.over else None


def _may_turn(held: Waited) -> bool:
    """Say whether who waits may ask for a call instead."""
    return held.session.state == "waiting" and held.session.kind != "callback"


def _lost(visitor: Visitor) -> Response:
    return visitor.lead(f"{PATH}?said=lost")


def _admitted(visitor: Visitor, answer: Response, session_id: UUID) -> Response:
    """Give the browser a pass to a session, as to a ticket."""
    seconds = int(visitor.here.engine.passes.SPAN.total_seconds())
    answer.set_cookie(
        SESSION, _pass(visitor, session_id), seconds, path=PATH, secure=visitor.secure, httponly=True, samesite="lax"
    )
    return answer


async def _open(
    visitor: Visitor, given: Sent, kind: SessionKind, needs: tuple[AccessNeed, ...], card: Card
) -> Response:
    """Put the citizen into the queue and lead to where they wait."""
    session_id = _opened_by(visitor, given.fields.get("once", "")) or visitor.here.clock.new_id()
    wish = Wish(kind, CLIENT, tuple(dict.fromkeys(needs)), visitor.language, card)
    async with visitor.here.database.begin() as tx:
        opened = await handlers.open_session(tx, visitor.here, wish, session_id)
        if opened.session.over:  # the form is an old one, from before that session
            opened = await handlers.open_session(tx, visitor.here, wish)
    return await _went(visitor, opened.session.session_id, card.question)


async def _went(visitor: Visitor, session_id: UUID, question: str | None) -> Response:
    """Lead to where the citizen waits; whom to call at once in danger stands there at once."""
    danger = handlers.danger_in(visitor.here, question or "", visitor.language)
    if danger is None:
        return _admitted(visitor, visitor.lead(NOW), session_id)
    held = await handlers.look_at(visitor.here, session_id, citizen=True)
    return _admitted(visitor, await _now(visitor, held, Filled(), danger=danger), session_id)


def _call_form(visitor: Visitor, form: Filled, status: int = 200, *, turning: bool) -> HTMLResponse:
    once = form.given.get("once") or _new(visitor)
    return visitor.show(
        "person_callback.html", status, form=form, once=once, turning=turning, needs=get_args(AccessNeed)
    )


async def _now(
    visitor: Visitor, held: Waited, form: Filled, status: int = 200, before: int = 0, danger: str | None = None
) -> Response:
    here, session = visitor.here, held.session
    end = before or session.version + 1
    behind = max(0, end - 1 - SHOWN)
    lines = [one for one in await handlers.said(here, session.session_id, behind, SHOWN) if one.seq < end]
    answer = visitor.show(
        "person_now.html", status, form=form, session=session, ahead=held.ahead, offer=held.offer_callback,
        turns=_may_turn(held), video=video(here, session), lines=[_line(visitor, one) for one in lines],
        earlier=lines[0].seq if lines and behind else 0, latest=not before,
        danger=danger or (None if session.over else _danger(visitor, lines)),
        now=visitor.local(here.clock.now()), at=int(here.clock.now().timestamp()), back=NOW,
    )  # fmt: skip
    return answer if session.over else _admitted(visitor, answer, session.session_id)


def _line(visitor: Visitor, line: SpokenLine) -> dict[str, object]:
    return {"by": line.by, "heard": line.heard, "text": line.text, "at": visitor.local(line.at)}


def _danger(visitor: Visitor, lines: list[SpokenLine]) -> str | None:
    own = (line.text for line in reversed(lines[-LATELY:]) if line.by == "citizen")
    found = (handlers.danger_in(visitor.here, text, visitor.language) for text in own)
    return next((danger for danger in found if danger), None)
