"""To appeal by form."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.responses import HTMLResponse, Response

from libs.common.contracts.vocabulary import AccessNeed, Kind
from libs.common.runtime.problems import Problem
from services.intake import handlers
from services.intake.appeal import Appeal
from services.intake.domain import File
from services.intake.handlers import Accepted
from services.intake.pages.forms import Filled, Form, Sent, wrong_fields
from services.intake.pages.frame import CLIENT, Looking, Sending, Visitor, pages
from services.intake.pages.uploads import chunks, refused

FIELDS = ("text", "address", "phone", "name", "email", "confidential", "anonymous", "access_needs", "kind", "language")
"""In the order of the form."""
MORE = {"email", "confidential", "anonymous", "access_needs", "kind"}
"""What most leave alone: it stays folded until it is used."""
BUSY = (429, 503)

router = pages()


@router.get("/appeal")
async def form(visitor: Looking) -> HTMLResponse:
    """Show the empty form."""
    return _form(visitor, Filled())


@router.post("/appeal/files")
async def submit(visitor: Sending, given: Form) -> Response:
    """Receive what the form sent and lead to where its number stands; on a mistake show it again as it was given.

    Files may come along, so the path ends as those do whose bodies may be long.
    """
    try:
        appeal = Appeal.model_validate(_appeal(given))
    except ValidationError as error:
        return _form(visitor, _filled(given, wrong_fields(visitor, error, FIELDS)), 422)
    try:
        files = await _keep(visitor, given.files)
    except Problem as problem:
        return _form(visitor, _filled(given, refused(visitor, problem)), problem.status)
    try:
        appeal = appeal.model_copy(update={"attachments": tuple(file.file_id for file in files)})
        accepted = await _accept(visitor, appeal, _once(given.fields.get("once"), files))
    except Problem as problem:
        if problem.status not in BUSY:
            raise
        return _form(visitor, _filled(given, busy=True), problem.status, problem.headers)
    call = handlers.call_now(visitor.here.engine, appeal)
    answer = visitor.lead(f"/intake/tickets/{accepted.ticket_id}/done" + (f"?call={call.number}" if call else ""))
    visitor.admit(answer, accepted.ticket_id)
    return answer


async def _keep(visitor: Visitor, files: Sequence[UploadFile]) -> list[File]:
    return [await handlers.upload(visitor.here, CLIENT, chunks(file)) for file in files]


def _once(once: str | None, files: Sequence[File]) -> str | None:
    """Return the key under which a form is received once, however often it is sent: with the same files."""
    if not once:
        return None
    return hashlib.sha256(b"\0".join([once.encode(), *(file.digest for file in files)])).hexdigest()


async def _accept(visitor: Visitor, appeal: Appeal, once: str | None) -> Accepted:
    """Receive an appeal; the same form sent twice, by a second tap, is one."""
    try:
        return await handlers.accept(visitor.here, CLIENT, appeal, once)
    except Problem as problem:
        if problem.status != 422 or not once:
            raise
    # The form was changed and sent again, from the page before: that is another appeal.
    return await handlers.accept(visitor.here, CLIENT, appeal)


def _appeal(sent: Sent) -> dict[str, Any]:
    """Return a form as the body of an appeal: what was left empty is left out."""
    filled = {key: value for key, value in sent.fields.items() if value.strip()}
    reporter: dict[str, Any] = {key: filled[key] for key in ("name", "phone", "email") if key in filled}
    rest: dict[str, Any] = {key: filled[key] for key in ("text", "address", "kind", "language") if key in filled}
    return {
        "channel": "web",
        "reporter": reporter | {name: name in filled for name in ("anonymous", "confidential")},
        "access_needs": sent.ticked.get("access_needs", ()),
        **rest,
    }


def _filled(sent: Sent, wrong: Mapping[str, str] | None = None, *, busy: bool = False) -> Filled:
    return Filled(sent.fields, wrong or {}, sent.ticked.get("access_needs", ()), busy, bool(sent.files))


def _form(
    visitor: Visitor, filled: Filled, status: int = 200, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    used = any(filled.given.get(name) for name in MORE) or bool(filled.chosen or MORE & filled.wrong.keys())
    return visitor.show(
        "appeal.html", status, headers, form=filled, kinds=get_args(Kind), needs=get_args(AccessNeed), more=used,
        once=filled.given.get("once") or visitor.here.clock.new_id().hex, back="/intake/appeal",
    )  # fmt: skip
