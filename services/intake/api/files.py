"""Files over HTTP: uploaded before or after the appeal, listed with links that work for ten minutes, and served."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from libs.common.contracts.vocabulary import FileKind
from libs.common.runtime.links import Disposition
from libs.common.runtime.media.formats import TAKEN
from libs.common.runtime.media.receiving import body_of
from libs.common.runtime.media.serving import served
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import authenticate
from services.intake import handlers
from services.intake.api.around import Code, Context, Sender, admit, allowed, possible
from services.intake.domain import File
from services.intake.handlers import Here

router = APIRouter()
CITIZEN = "citizen"
"""Who brought a file that came with a query code."""
_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"requestBody": {"required": True, "description": TAKEN, "content": {"application/octet-stream": _BYTES}}}


class FileView(BaseModel):
    """A file as it is kept: a picture is drawn anew and a recording packed anew, so `digest` may be another than sent.

    `size` is in bytes, `digest` is their SHA-256 in hexadecimal digits.
    """

    file_id: UUID
    kind: FileKind
    media_type: str
    size: int
    digest: str


class ListedFile(FileView):
    """A file of a ticket. `url` saves it, `view_url` shows it if a browser can; they work until `expires_at`."""

    added_at: datetime
    url: str
    view_url: str | None
    expires_at: datetime


class Files(BaseModel):
    """All files of a ticket, oldest first."""

    items: list[ListedFile]


@router.post("/files", status_code=201, openapi_extra=_BODY)
async def upload(request: Request, here: Context, sender: Sender) -> FileView:
    """Keep a file for an appeal that names it in `attachments` within 24 h. The body is the file and nothing else."""
    here.keys.admit(sender)
    return FileView(**_view(await handlers.upload(here, sender.name, body_of(request))))


@router.post("/tickets/{ticket_id}/files", status_code=201, openapi_extra=_BODY)
async def add(request: Request, here: Context, ticket_id: UUID, code: Code = None) -> FileView:
    """Add a file to an appeal that is still open. The same bytes again give the same file."""
    await admit(request, here, ticket_id, code)
    client = CITIZEN if code is not None else authenticate(request).name
    await possible(handlers.may_add_file(here, ticket_id))
    given = await handlers.put(here, body_of(request))
    async with here.database.begin() as tx:
        file = await possible(handlers.add_file(tx, here, ticket_id, given, client))
    return FileView(**_view(file))


@router.get("/tickets/{ticket_id}/files")
async def list_files(request: Request, here: Context, ticket_id: UUID, code: Code = None) -> Files:
    """List a ticket's files for its citizen, its sender, the seats, and the units that lead or co-handle it."""
    citizen = allowed(request, here, await handlers.look(here, ticket_id), ticket_id, code)
    reader = None if citizen else authenticate(request)
    async with here.database.begin() as tx:
        files = await handlers.show_files(tx, here, ticket_id, reader)
    return Files(items=[_listed(here, file) for file in files])


def _listed(here: Here, file: File) -> ListedFile:
    links, now = here.engine.file_links, here.clock.now()
    return ListedFile(
        **_view(file),
        added_at=file.added_at,
        url=links.url(file.file_id, "attachment", now),
        view_url=links.url(file.file_id, "inline", now) if file.kind != "document" else None,
        expires_at=(now + links.SPAN).replace(microsecond=0),
    )


def _view(file: File) -> dict[str, Any]:
    return {**file.attachment.model_dump(), "digest": file.digest.hex()}


_SERVED: dict[int | str, dict[str, Any]] = {
    code: {"description": what, "content": {"application/octet-stream": _BYTES}}
    for code, what in ((200, "The file"), (206, "The part of it that `Range` asks for"))
}


@router.get("/files/{file_id}", response_class=Response, responses=_SERVED)
async def get_file(
    here: Context,
    file_id: UUID,
    expires: int,
    signature: Annotated[str, Query(max_length=40)],
    disposition: Disposition = "attachment",
    range_: Annotated[str, Header(alias="range", max_length=100)] = "",
) -> Response:
    """Serve a file to who has a link to it. `Range` may ask for one part of it."""
    if not here.engine.file_links.opens(file_id, disposition, expires, signature, here.clock.now()):
        raise Problem(403, "the link is not right, or its time is over; list the ticket's files for a new one")
    opened = await handlers.open_file(here, file_id)
    file = opened.file
    return await served(
        file_id, file.kind, file.media_type, file.size, partial(handlers.read_file, here, opened), disposition, range_
    )
