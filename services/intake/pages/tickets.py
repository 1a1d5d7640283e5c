"""A citizen's own ticket: found by number and code, followed, added to, taken back."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Query
from markupsafe import Markup
from pydantic import TypeAdapter, ValidationError
from starlette.responses import HTMLResponse, Response

from libs.common.messaging.transaction import Tx
from libs.common.runtime.http import Note
from libs.common.runtime.problems import Problem
from services.intake import handlers
from services.intake.api.tickets import view
from services.intake.domain import Entry, File, Message, NotPossibleError
from services.intake.handlers import Here, Seen
from services.intake.pages.forms import Filled
from services.intake.pages.forms import Form as SentForm
from services.intake.pages.frame import CLIENT, Looking, Sending, Visitor, pages
from services.intake.pages.texts import around
from services.intake.pages.uploads import chunks, refused

Given = Annotated[str, Form()]
Code = Annotated[str, Form(max_length=100)]
WORDS: TypeAdapter[str] = TypeAdapter(Note)
SAID = ("added", "refused")
"""What a page may say of what was just done, by its address."""
ENDED = {"closed", "withdrawn"}

router = pages()


@router.get("/lookup")
async def lookup(visitor: Looking) -> HTMLResponse:
    """Ask for number and code."""
    return visitor.show("lookup.html", form=Filled())


@router.post("/lookup")
async def look_up(visitor: Sending, number: Given = "", code: Given = "") -> Response:
    """Lead to the ticket of a number and its code; on a mistake ask again, without saying which of them is wrong."""
    here = visitor.here
    given = {"number": number[:100], "code": code[:100]}
    for ticket_id in await handlers.numbered(here, number) if number.strip() else ():
        if here.engine.codes.matches(ticket_id, code):
            answer = visitor.lead(f"/intake/tickets/{ticket_id}")
            visitor.admit(answer, ticket_id)
            return answer
    wrong = "code" if number.strip() else "number"
    return visitor.show("lookup.html", 422, form=Filled(given, {wrong: visitor.say("wrong", wrong)}))


@router.get("/tickets/{ticket_id}")
async def ticket(
    visitor: Looking, ticket_id: UUID, code: Annotated[str, Query()] = "", said: Annotated[str, Query()] = ""
) -> Response:
    """Show a ticket to who may open it. A code in the address opens it as well, and is gone from there at once."""
    if not visitor.admitted(ticket_id, code):
        return _locked(visitor, ticket_id, _no_code(visitor, code))
    if code:
        answer: Response = visitor.lead(f"/intake/tickets/{ticket_id}")
    else:
        answer = await _ticket(visitor, ticket_id, Filled(), said=said if said in SAID else "")
    visitor.admit(answer, ticket_id)
    return answer


@router.post("/tickets/{ticket_id}")
async def open_again(visitor: Sending, ticket_id: UUID, code: Code = "") -> Response:
    """Open a ticket by its code, from the page that asks for it again."""
    if not visitor.admitted(ticket_id, code):
        return _locked(visitor, ticket_id, _no_code(visitor, code))
    return _back(visitor, ticket_id)


@router.get("/tickets/{ticket_id}/done")
async def done(visitor: Looking, ticket_id: UUID, call: Annotated[str, Query()] = "") -> HTMLResponse:
    """Show number and code, to be written down, and above all whom to `call` at once."""
    if not visitor.admitted(ticket_id):
        return _locked(visitor, ticket_id, {})
    seen = await handlers.look(visitor.here, ticket_id)
    engine = visitor.here.engine
    called = [emergency for emergency in engine.emergencies.numbers if emergency.number == call]
    # The form's own word, for a page that is looked at before screening has written its.
    at_once = engine.messages.emergency(called, visitor.language) if called else None
    answer = seen.ticket.answer if seen.ticket else at_once
    code = visitor.here.engine.codes.of(ticket_id)
    return visitor.show(
        "done.html", number=seen.number, code=f"{code[:5]} {code[5:]}", ticket_id=ticket_id, answer=answer,
        calls=[emergency.number for emergency in called],
    )  # fmt: skip


@router.post("/tickets/{ticket_id}/words")
async def add_words(visitor: Sending, ticket_id: UUID, text: Given = "", code: Code = "") -> Response:
    """Add words to a ticket."""
    return await _say(visitor, ticket_id, code, text, _ADDING)


@router.post("/tickets/{ticket_id}/files")
async def add_files(visitor: Sending, ticket_id: UUID, given: SentForm) -> Response:
    """Add files to a ticket. What was taken before one that is not stays."""
    here = visitor.here
    if not visitor.admitted(ticket_id):
        return _locked(visitor, ticket_id, {})
    if not given.files:
        return await _ticket(visitor, ticket_id, Filled({}, {"files": visitor.say("wrong", "no_files")}), 422)
    try:
        for file in given.files:
            await handlers.may_add_file(here, ticket_id)
            put = await handlers.put(here, chunks(file))
            async with here.database.begin() as tx:
                await handlers.add_file(tx, here, ticket_id, put, CLIENT)
    except NotPossibleError:
        return await _ticket(visitor, ticket_id, Filled(), 409, said="refused")
    except Problem as problem:
        return await _ticket(visitor, ticket_id, Filled({}, refused(visitor, problem)), problem.status)
    return _back(visitor, ticket_id, "added")


@router.get("/tickets/{ticket_id}/withdraw")
async def ask_to_withdraw(visitor: Looking, ticket_id: UUID) -> HTMLResponse:
    """Ask whether to take the appeal back, for it cannot be undone."""
    if not visitor.admitted(ticket_id):
        return _locked(visitor, ticket_id, {})
    return await _withdrawal(visitor, ticket_id, Filled())


@router.post("/tickets/{ticket_id}/withdraw")
async def withdraw(visitor: Sending, ticket_id: UUID, reason: Given = "", code: Code = "") -> Response:
    """Take the appeal back."""
    return await _say(visitor, ticket_id, code, reason, _WITHDRAWING)


@router.get("/tickets/{ticket_id}/ruling")
async def show_ruling(visitor: Looking, ticket_id: UUID) -> HTMLResponse:
    """Show a verdict on the appeal, and take what the citizen says against it."""
    if not visitor.admitted(ticket_id):
        return _locked(visitor, ticket_id, {})
    return await _ruling(visitor, ticket_id, Filled())


@router.post("/tickets/{ticket_id}/ruling")
async def appeal_ruling(visitor: Sending, ticket_id: UUID, text: Given = "", code: Code = "") -> Response:
    """Appeal against the verdict."""
    return await _say(visitor, ticket_id, code, text, _APPEALING)


@dataclass(frozen=True, slots=True)
class _Saying:
    """What a citizen says of a ticket: in which field, what is shown of one that is wrong, and what comes of it."""

    field: str
    wrong: str
    again: Callable[[Visitor, UUID, Filled], Awaitable[Response]]
    do: Callable[[Tx, Here, UUID, str], Awaitable[None]]
    said: str = "added"
    needed: bool = True


async def _say(visitor: Visitor, ticket_id: UUID, code: str, text: str, saying: _Saying) -> Response:
    """Take a citizen's words, or ask for them again."""
    given = {saying.field: text}
    if not visitor.admitted(ticket_id, code):
        return _locked(visitor, ticket_id, _no_code(visitor, code), given)
    try:
        words = WORDS.validate_python(text) if saying.needed or text.strip() else ""
    except ValidationError:
        return await saying.again(visitor, ticket_id, Filled(given, {saying.field: visitor.say("wrong", saying.wrong)}))
    try:
        async with visitor.here.database.begin() as tx:
            await saying.do(tx, visitor.here, ticket_id, words)
    except NotPossibleError:
        return await _ticket(visitor, ticket_id, Filled(given), 409, said="refused")
    return _back(visitor, ticket_id, saying.said)


def _back(visitor: Visitor, ticket_id: UUID, said: str = "") -> Response:
    answer = visitor.lead(f"/intake/tickets/{ticket_id}" + (f"?said={said}" if said else ""))
    visitor.admit(answer, ticket_id)
    return answer


def _no_code(visitor: Visitor, code: str) -> dict[str, str]:
    return {"code": visitor.say("wrong", "code")} if code else {}


def _locked(
    visitor: Visitor, ticket_id: UUID, wrong: Mapping[str, str], given: Mapping[str, str] | None = None
) -> HTMLResponse:
    """Ask for the code of one ticket; what the citizen just wrote goes along with it."""
    path = f"/intake/tickets/{ticket_id}"
    action = visitor.request.url.path if given else path
    return visitor.show("locked.html", 403, form=Filled(given or {}, wrong), action=action, back=path)


async def _withdrawal(visitor: Visitor, ticket_id: UUID, form: Filled) -> HTMLResponse:
    seen = await handlers.look(visitor.here, ticket_id)
    linked = bool(seen.ticket and seen.ticket.parent)
    return visitor.show(
        "withdraw.html", 422 if form.wrong else 200, form=form, number=seen.number, linked=linked, ticket_id=ticket_id
    )


async def _ruling(visitor: Visitor, ticket_id: UUID, form: Filled) -> HTMLResponse:
    here = visitor.here
    shown = view(here, ticket_id, await handlers.look(here, ticket_id), visitor.language, ask=False)
    if shown.ruling is None:
        return await _ticket(visitor, ticket_id, Filled(), 404, said="no_ruling")
    until = shown.ruling.appeal_until
    return visitor.show(
        "ruling.html", 422 if form.wrong else 200, form=form, ruling=shown.ruling, number=shown.number,
        until=visitor.local(until) if until and here.clock.now() < until else None, ticket_id=ticket_id,
    )  # fmt: skip


async def _unheard(visitor: Visitor, ticket_id: UUID, form: Filled) -> HTMLResponse:
    return await _ticket(visitor, ticket_id, form, 422)


_ADDING = _Saying("text", "words", _unheard, handlers.supplement)
_APPEALING = _Saying("text", "words", _ruling, handlers.appeal_ruling)
_WITHDRAWING = _Saying("reason", "reason", _withdrawal, handlers.withdraw, said="", needed=False)


async def _ticket(visitor: Visitor, ticket_id: UUID, form: Filled, status: int = 200, said: str = "") -> HTMLResponse:
    here = visitor.here
    seen = await handlers.look(here, ticket_id)
    shown = view(here, ticket_id, seen, visitor.language, ask=True)
    return visitor.show(
        "ticket.html", status, view=shown, lead=seen.lead, form=form, said=said, ended=shown.status in ENDED,
        lead_now=here.engine.messages.status(seen.lead.status, visitor.language) if seen.lead else None,
        timeline=_timeline(visitor, seen),
        due=visitor.local(shown.due_at) if shown.due_at else None,
        support=seen.ticket.support if seen.ticket else 0,
        messages=[_message(visitor, message) for message in await handlers.messages(here, ticket_id, seen.facts.round)],
        files=[_file(visitor, file) for file in await _files(visitor, ticket_id)],
        now=visitor.local(here.clock.now()), back=f"/intake/tickets/{ticket_id}",
    )  # fmt: skip


def _timeline(visitor: Visitor, seen: Seen) -> list[dict[str, Any]]:
    """Return how a ticket went, newest first, and with a repeat how the ticket goes that it belongs to."""
    texts, language = visitor.here.engine.messages, visitor.language
    own = [(entry.at, _text(visitor, entry)) for entry in seen.timeline]
    shared = [
        (entry.at, around(texts, language, ("shared",), {"line": _text(visitor, entry)}))
        for entry in (seen.lead.lines if seen.lead else ())
    ]
    lines = sorted([*own, *shared], key=lambda line: line[0])
    return [{"at": visitor.local(at), "text": text} for at, text in reversed(lines)]


def _text(visitor: Visitor, entry: Entry) -> Markup:
    return around(visitor.here.engine.messages, visitor.language, ("event", entry.type), dict(entry.params))


async def _files(visitor: Visitor, ticket_id: UUID) -> list[File]:
    async with visitor.here.database.begin() as tx:
        return await handlers.show_files(tx, visitor.here, ticket_id, None)


def _file(visitor: Visitor, file: File) -> dict[str, str]:
    links, size = visitor.here.engine.file_links, f"{max(1, round(file.size / 1024)):,} KB"
    name = visitor.say("ticket", "file", kind=visitor.say("file", file.kind), size=size)
    return {"url": links.url(file.file_id, "attachment", visitor.here.clock.now()), "name": name}


def _message(visitor: Visitor, message: Message) -> dict[str, str]:
    about = visitor.here.engine.messages.say(visitor.language, "message", message.kind, "name")
    return {"at": visitor.local(message.at), "about": about, "state": visitor.say("state", message.state)}
