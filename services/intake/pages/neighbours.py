"""What happens around: public tickets, seen by anyone, and a word that one has the same trouble."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Form, Query
from starlette.responses import HTMLResponse, Response

from libs.common.runtime.http import YEARS
from libs.common.runtime.privacy.tokens import home_number
from services.intake import handlers
from services.intake.domain import NotPossibleError, addresses, status
from services.intake.handlers import Neighbour
from services.intake.pages.forms import Filled
from services.intake.pages.frame import YEAR_SECONDS, Looking, Sending, Visitor, pages

SUPPORTER = "jiesu_supporter"
PER_PAGE = 20
SAID = ("counted", "counted_before", "following")
LAST = UUID(int=2**128 - 1)
Given = Annotated[str, Form()]
Asked = Annotated[str, Query(max_length=500)]

router = pages()


@router.get("/public")
async def public(visitor: Looking, q: Asked = "", before: Asked = "") -> HTMLResponse:
    """Show the newest public tickets, or those like the words asked for."""
    here = visitor.here
    if q.strip():
        found = await handlers.search(here, q, PER_PAGE)
    else:
        found = await handlers.neighbours(here, (_moment(before, here.clock.now()), LAST), PER_PAGE)
    last = found[-1].ticket.received_at.isoformat() if len(found) == PER_PAGE and not q.strip() else None
    return visitor.show("public.html", found=[_shown(visitor, one) for one in found], asked=q, last=last)


def _moment(before: str, now: datetime) -> datetime:
    """Return where a list goes on: the end of the page before, else now."""
    try:
        at = datetime.fromisoformat(before)
    except ValueError:
        return now + timedelta(minutes=5)
    return at if at.tzinfo and at.year in YEARS and at < now else now


@router.get("/public/{ticket_id}")
async def one(visitor: Looking, ticket_id: UUID, said: Asked = "") -> HTMLResponse:
    """Show one public ticket."""
    return await _one(visitor, ticket_id, Filled(), said=said if said in SAID else "")


@router.post("/public/{ticket_id}/support")
async def support(visitor: Sending, ticket_id: UUID, phone: Given = "") -> Response:
    """Count someone who has the same trouble; with a phone they are told how it goes."""
    here = visitor.here
    to = addresses(phone, home_number(phone), None)
    if phone.strip() and not to:
        wrong = {"phone": visitor.say("wrong", "mobile")}
        return await _one(visitor, ticket_id, Filled({"phone": phone[:100]}, wrong), 422)
    held = visitor.request.cookies.get(SUPPORTER, "")
    token = held if here.engine.passes.holder(held) else here.engine.passes.token()
    person = here.engine.pseudonyms.of("phone", phone) if to else here.engine.passes.holder(token) or ""
    offer = handlers.Offer(person, "follow" if to else "confirm", visitor.language, to)
    try:
        async with here.database.begin() as tx:
            came = await handlers.support(tx, here, ticket_id, offer)
    except NotPossibleError:
        return await _one(visitor, ticket_id, Filled(), 409)
    said = "following" if to else "counted" if came.counted else "counted_before"
    answer = visitor.lead(f"/intake/public/{came.ticket_id}?said={said}")
    answer.set_cookie(
        SUPPORTER, token, YEAR_SECONDS, path="/intake/public", secure=visitor.secure, httponly=True, samesite="strict"
    )
    return answer


@router.get("/following/{supporter_id}/{stop}")
async def following(visitor: Looking, supporter_id: UUID, stop: str) -> Response:
    """Ask whether to stop the messages: a preview of the link comes here too."""
    if not visitor.here.engine.passes.stops(stop, supporter_id):
        return visitor.show("refused.html", 404, what="missing")
    return visitor.show("following.html", stopped=False)


@router.post("/following/{supporter_id}/{stop}")
async def stop_following(visitor: Sending, supporter_id: UUID, stop: str) -> Response:
    """Stop the messages, and forget where they went."""
    if not visitor.here.engine.passes.stops(stop, supporter_id):
        return visitor.show("refused.html", 404, what="missing")
    async with visitor.here.database.begin() as tx:
        await handlers.stop_telling(tx, supporter_id)
    return visitor.show("following.html", stopped=True)


def _shown(visitor: Visitor, one: Neighbour) -> dict[str, object]:
    ticket, facts = one.ticket, one.facts
    state = status(ticket.state, facts)
    return {
        "id": ticket.ticket_id,
        "number": ticket.number,
        "matter": _matter(visitor, one),
        "status": visitor.here.engine.messages.status(state, visitor.language),
        "address": ticket.address,
        "unit": facts.led.unit.name if facts.led and facts.led.unit else None,
        "due": visitor.local(facts.due.at) if facts.due else None,
        "at": visitor.local(ticket.received_at),
        "support": ticket.support,
        "open": one.goes_on,
    }


def _matter(visitor: Visitor, one: Neighbour) -> str:
    if visitor.language == "en":
        return one.service.name.en
    return one.facts.classified.category[-1] if one.facts.classified else one.service.name.zh


async def _one(visitor: Visitor, ticket_id: UUID, form: Filled, code: int = 200, said: str = "") -> HTMLResponse:
    one = await handlers.neighbour(visitor.here, ticket_id)
    return visitor.show(
        "neighbour.html", code, form=form, one=_shown(visitor, one), said=said, back=f"/intake/public/{ticket_id}"
    )
