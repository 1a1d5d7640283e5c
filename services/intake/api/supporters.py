"""Public tickets, and who stands behind them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, StringConstraints

from libs.common.contracts.vocabulary import Location, Status, UnitRef
from libs.common.runtime.http import START, Body, Cursor, Page, page
from libs.common.runtime.problems import wrong_field
from services.intake import handlers
from services.intake.api.around import Context, Reading, Sender, possible
from services.intake.appeal import Language, Reporter
from services.intake.domain import SupportKind, status
from services.intake.handlers import Here, Neighbour

router = APIRouter()
_NEAR = r"^ ?-?[0-9]{1,3}(\.[0-9]{1,9})? ?, ?-?[0-9]{1,3}(\.[0-9]{1,9})? ?$"


class PublicView(BaseModel):
    """A ticket as anyone sees it: what and where to the building, with whom, how far; never who, or in what words.

    `support` is how many others have the same trouble.
    """

    ticket_id: UUID
    number: str
    service: str
    category: tuple[str, str, str] | None
    address: str | None
    location: Location | None
    status: Status
    status_text: str
    unit: UnitRef | None
    due_at: datetime | None
    received_at: datetime
    support: int
    open: bool


class SupportCommand(Body):
    """Someone who has the same trouble (confirm), or wants to be told how it goes (follow).

    With a phone the reporter is known by it, else by the `token` that the first answer gave; without either it is
    someone new.
    """

    kind: SupportKind
    reporter: Reporter = Reporter()
    token: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}\.[A-Za-z0-9_-]{22}$")] | None = None
    language: Language = "zh"


class SupportView(BaseModel):
    """Which ticket is supported (the one it was joined to, if so), and whether this one counts newly. Keep `token`."""

    ticket_id: UUID
    support: int
    counted: bool
    token: str | None


@router.get("/public")
async def get_public(
    here: Context,
    cursor: Cursor,
    language: Reading,
    near: Annotated[str | None, Query(pattern=_NEAR, description="latitude,longitude in WGS 84 degrees")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Words for place or matter, or a number")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page[PublicView]:
    """List public tickets, newest first: all, those within a kilometre or two of a point, or those that words name.

    Words are looked for among recent tickets and give one page.
    """
    if q is not None:
        found = await handlers.search(here, q, limit)
        return Page(items=[_view(here, one, language) for one in found], next=None)
    before = handlers.NEWEST if cursor == START else cursor
    found = await handlers.neighbours(here, before, limit, _point(near) if near else None)
    return page([_view(here, one, language) for one in found], limit, lambda v: (v.received_at, v.ticket_id))


def _point(near: str) -> tuple[float, float]:
    lat, lon = map(float, near.split(","))
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise wrong_field("near", "must be latitude,longitude in degrees, such as 39.91,116.40")
    return lat, lon


def _view(here: Here, one: Neighbour, language: str) -> PublicView:
    ticket, facts = one.ticket, one.facts
    state = status(ticket.state, facts)
    return PublicView(
        ticket_id=ticket.ticket_id,
        number=ticket.number,
        service=one.service.code,
        category=facts.classified.category if facts.classified else None,
        address=ticket.address,
        location=Location(lat=ticket.lat, lon=ticket.lon or 0.0) if ticket.lat is not None else None,
        status=state,
        status_text=here.engine.messages.status(state, language),
        unit=facts.led.unit if facts.led else None,
        due_at=facts.due.at if facts.due else None,
        received_at=ticket.received_at,
        support=ticket.support,
        open=one.goes_on,
    )


@router.post("/tickets/{ticket_id}/support")
async def support(here: Context, sender: Sender, ticket_id: UUID, command: SupportCommand) -> SupportView:
    """Confirm or follow a neighbour's public ticket. Everyone counts once, its own reporters not again."""
    here.keys.admit(sender)
    to = handlers.reach(command.reporter) if command.kind == "follow" else {}
    if command.kind == "follow" and not to:
        raise wrong_field("reporter.phone", "must be a mobile phone, to be told by; or confirm instead")
    passes = here.engine.passes
    token = None if _known(command) else command.token or passes.token()
    person = here.engine.pseudonyms.of("phone", command.reporter.phone or "") if token is None else passes.holder(token)
    if person is None:
        raise wrong_field("token", "is not one of ours; leave it out to get one")
    offer = handlers.Offer(person, command.kind, command.language, to)
    async with here.database.begin() as tx:
        came = await possible(handlers.support(tx, here, ticket_id, offer))
    return SupportView(ticket_id=came.ticket_id, support=came.support, counted=came.counted, token=token)


def _known(command: SupportCommand) -> bool:
    return command.reporter.phone is not None and not command.reporter.anonymous
