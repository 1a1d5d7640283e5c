"""HTTP of complaints about articles: raised by who works with them, listed, settled by the owner."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, StringConstraints

from libs.common.contracts.classify import DisputeReason
from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Body, Cursor, Line, Page, Redacted, page
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal, require
from services.classify import handlers, store
from services.classify.api.around import Anyone, Context, commanding
from services.classify.api.knowledge import ArticleId, Limit, Owner
from services.classify.domain import Complaint
from services.classify.handlers import Here

router = APIRouter()
User = Annotated[Principal, Depends(require("seat", "unit", "supervisor"))]
Settler = Annotated[Principal, Depends(require("unit", "analyst", "supervisor"))]
VersionIn = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}$")]


class ComplaintCommand(Body):
    """What is wrong with a version of an article, or with one of its passages; and on which ticket that was noticed."""

    version: VersionIn
    passage: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,5}\.[0-9]{1,5}$")] | None = None
    ticket_id: UUID | None = None
    reason: DisputeReason
    note: Redacted | None = None


class ResolutionCommand(Body):
    """How a complaint was settled: a note, the newer version that puts it right, or both."""

    note: Redacted | None = None
    version: VersionIn | None = None


class ComplaintView(BaseModel):
    """A complaint. `by` is `review` where a citizen's review raised it."""

    complaint_id: UUID
    article_id: str
    version: str
    passage: str | None
    owner: UnitRef
    ticket_id: UUID | None
    reason: DisputeReason
    note: str | None
    by: str
    opened_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None
    resolved_version: str | None


@router.get("/knowledge/complaints")
async def list_complaints(
    here: Context,
    _: Anyone,
    cursor: Cursor,
    owner: Owner = None,
    article_id: Annotated[Line | None, Query()] = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    limit: Limit = 100,
) -> Page[ComplaintView]:
    """List complaints, the oldest first."""
    found = await store.complained(here.database.pool, owner, article_id, is_open, cursor, limit)
    return page([_view(here, one) for one in found], limit, lambda view: (view.opened_at, view.complaint_id))


@router.post("/knowledge/{article_id}/complaints", status_code=201)
async def raise_complaint(here: Context, who: User, article_id: ArticleId, said: ComplaintCommand) -> ComplaintView:
    """Complain about an article to the unit that owns it. The same again, while it is open, is the same complaint."""
    here.keys.admit(who)
    complaint = Complaint(
        here.clock.new_id(), article_id, int(said.version), said.passage, "", said.ticket_id, said.reason,
        said.note, who.name, here.clock.now(),
    )  # fmt: skip
    async with here.database.begin() as tx:
        return _view(here, await handlers.complain(tx, here, complaint))


@router.post("/knowledge/complaints/{complaint_id}/resolution")
async def settle_complaint(here: Context, who: Settler, complaint_id: UUID, said: ResolutionCommand) -> ComplaintView:
    """Settle a complaint, as the unit that owns the article, or from above it."""
    complaint = (await store.complaints_by_id(here.database.pool, [complaint_id])).get(complaint_id)
    if complaint and not handlers.may_settle(here, who, complaint.owner):
        raise Problem(403, "this is for the unit that owns the article, or a supervisor of its level")
    async with commanding(here) as tx:
        version = int(said.version) if said.version else None
        return _view(here, await handlers.answer_complaint(tx, here, complaint_id, who.name, said.note, version))


def _view(here: Here, one: Complaint) -> ComplaintView:
    return ComplaintView(
        complaint_id=one.complaint_id, article_id=one.article_id, version=str(one.version), passage=one.anchor,
        owner=handlers.unit_of(here, one.owner), ticket_id=one.ticket_id, reason=one.reason, note=one.note, by=one.by,
        opened_at=one.opened_at, resolved_at=one.resolved_at, resolved_by=one.resolved_by, resolution=one.resolution,
        resolved_version=str(one.resolved_version) if one.resolved_version else None,
    )  # fmt: skip
