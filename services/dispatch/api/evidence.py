"""Files of units on an order: what was there, and what was done."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from libs.common.contracts.vocabulary import FileKind
from libs.common.runtime.links import Disposition
from libs.common.runtime.media.formats import TAKEN
from libs.common.runtime.media.receiving import body_of
from libs.common.runtime.media.serving import served
from libs.common.runtime.problems import Problem
from services.dispatch import handlers
from services.dispatch.api.around import Context, Reader, Worker, possible
from services.dispatch.domain import OrderFile, Shows

router = APIRouter()
_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"requestBody": {"required": True, "description": TAKEN, "content": {"application/octet-stream": _BYTES}}}
_SERVED: dict[int | str, dict[str, Any]] = {
    code: {"description": what, "content": {"application/octet-stream": _BYTES}}
    for code, what in ((200, "The file"), (206, "The part of it that `Range` asks for"))
}


class EvidenceView(BaseModel):
    """A file as it is kept: cleaned, so `digest` (SHA-256 in hexadecimal digits) may be another than sent.

    `shows` is what was there before, or after the work. `size` is in bytes.
    """

    model_config = ConfigDict(from_attributes=True)
    file_id: UUID
    unit_code: str
    shows: Shows
    kind: FileKind
    media_type: str
    size: int
    digest: str
    at: datetime


class Evidence(BaseModel):
    """The files of an order that are this key's to see, oldest first."""

    items: list[EvidenceView]


@router.post("/orders/{ticket_id}/files", status_code=201, openapi_extra=_BODY)
async def add_evidence(
    request: Request, here: Context, who: Worker, ticket_id: UUID, shows: Annotated[Shows, Query()] = "other"
) -> EvidenceView:
    """Add a file to an order, for its lead or who helps with it. The body is the file and nothing else."""
    here.keys.admit(who)
    return _view(await possible(handlers.add_evidence(here, who, ticket_id, shows, body_of(request))))


@router.get("/orders/{ticket_id}/files")
async def list_evidence(here: Context, who: Reader, ticket_id: UUID) -> Evidence:
    """List the files of an order: all to who sees the whole, to a helper its own."""
    return Evidence(items=[_view(file) for file in await handlers.evidence_of(here, who, ticket_id)])


@router.get("/orders/{ticket_id}/files/{file_id}", response_class=Response, responses=_SERVED)
async def get_evidence(
    here: Context, who: Reader, ticket_id: UUID, file_id: UUID,
    disposition: Disposition = "attachment",
    range_: Annotated[str, Header(alias="range", max_length=100)] = "",
) -> Response:  # fmt: skip
    """Serve a file of an order. `Range` may ask for one part of it."""
    files = await handlers.evidence_of(here, who, ticket_id)
    file = next((file for file in files if file.file_id == file_id), None)
    if file is None:
        raise Problem(404, "the order has no such file, or it is not this key's to see")
    read = partial(handlers.read_evidence, here, file)
    return await served(file_id, file.kind, file.media_type, file.size, read, disposition, range_)


def _view(file: OrderFile) -> EvidenceView:
    return EvidenceView(
        file_id=file.file_id, unit_code=file.unit_code, shows=file.shows, kind=file.kind, media_type=file.media_type,
        size=file.size, digest=file.digest.hex(), at=file.at,
    )  # fmt: skip
