"""The audit log of the vault over HTTP: read, and checked."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from libs.common.runtime.http import Cursor, Line, Moment, Page, page
from libs.common.runtime.security import Principal, require_everywhere
from services.intake import handlers
from services.intake.api.around import Context
from services.intake.domain import Audited

router = APIRouter(prefix="/audit")
Auditor = Annotated[Principal, Depends(require_everywhere("supervisor", "operator"))]
LAST_NUMBER = 2**63 - 1


class AuditView(BaseModel):
    """An entry of the log: who did what to which ticket's personal data, when and for what.

    `outcome` is "done", or why not. `seal` is hexadecimal.
    """

    seq: int
    at: datetime
    by: str
    action: str
    ticket_id: UUID | None
    purpose: str | None
    outcome: str
    note: str | None
    seal: str


class CheckView(BaseModel):
    """A stretch of the log that was checked: behind entry `after` (with `after_seal`), up to `upto` (with `upto_seal`).

    `broken_at` is the first entry that is missing or not as it was written; null if there is none. Unless `whole`,
    more entries follow: check on with `after` = `upto`.
    """

    intact: bool
    after: int
    after_seal: str
    upto: int
    upto_seal: str
    broken_at: int | None
    whole: bool


@router.get("")
async def audit(
    here: Context,
    _: Auditor,
    cursor: Cursor,
    ticket_id: UUID | None = None,
    by: Annotated[Line | None, Query(description="The name of the client")] = None,
    since: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Page[AuditView]:
    """List the audit log, oldest first. Reading it opens nothing, and is not itself an entry."""
    found = await handlers.list_audit(here, cursor[1].int, limit, ticket_id, by, since)
    return page([view(entry) for entry in found], limit, lambda entry: (entry.at, UUID(int=entry.seq)))


@router.get("/verify")
async def verify(
    here: Context,
    _: Auditor,
    after: Annotated[int | None, Query(ge=0, le=LAST_NUMBER, description="Check the entries behind this one")] = None,
) -> CheckView:
    """Check up to 10,000 entries: that each is as it was written, in its place, and that none is missing."""
    checked = await handlers.check_audit(here, after)
    return CheckView(
        intact=checked.broken is None,
        after=checked.behind.seq,
        after_seal=checked.behind.seal.hex(),
        upto=checked.upto.seq,
        upto_seal=checked.upto.seal.hex(),
        broken_at=checked.broken,
        whole=checked.whole,
    )


def view(entry: Audited) -> AuditView:
    """Return an entry for reading."""
    return AuditView(
        seq=entry.seq, at=entry.at, by=entry.by, action=entry.action, ticket_id=entry.ticket_id,
        purpose=entry.purpose, outcome=entry.outcome, note=entry.note, seal=entry.seal.hex(),
    )  # fmt: skip
