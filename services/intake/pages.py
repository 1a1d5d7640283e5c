"""The citizen's own pages: to appeal, and to see how it goes. No key, no JavaScript; the query code opens a ticket."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Header
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from libs.common.runtime.http import context
from libs.common.runtime.pages import Pages
from libs.common.runtime.problems import Problem
from services.intake import handlers
from services.intake.api.tickets import view
from services.intake.appeal import Appeal
from services.intake.handlers import Here

PAGES = Pages(Path(__file__).with_name("templates"))
CLIENT = "citizen-page"
ENDS = {"closed", "withdrawn"}

router = APIRouter(prefix="/intake", tags=["pages"], include_in_schema=False)
Context = Annotated[Here, Depends(context)]
Field = Annotated[str, Form()]


@router.get("/")
async def form() -> HTMLResponse:
    """Show the empty form."""
    return _form({})


@router.post("/")
async def submit(here: Context, text: Field = "", address: Field = "", name: Field = "", phone: Field = "") -> Response:
    """Receive what the form sent and lead to the ticket's page; on a mistake show the form again as it was given."""
    given = {"text": text, "address": address, "name": name, "phone": phone}
    reporter = {key: value for key in ("name", "phone") if (value := given[key].strip())}
    filled = {key: value for key in ("text", "address") if (value := given[key].strip())}
    try:
        appeal = Appeal.model_validate({"channel": "web", "reporter": reporter, **filled})
    except ValidationError as error:
        names = {str(part) for found in error.errors() for part in found["loc"]}
        return _form(given, [WRONG[name] for name in WRONG if name in names], 422)
    accepted = await handlers.accept(here, CLIENT, appeal)
    query = urlencode({"code": here.engine.codes.of(accepted.ticket_id)})
    return RedirectResponse(f"/intake/tickets/{accepted.ticket_id}?{query}", 303)


WRONG = {
    "text": "请填写情况说明，不超过一万字。 Please say what is the matter, in at most 10,000 characters.",
    "address": "地点不超过三百字。 The place may have at most 300 characters.",
    "name": "姓名不超过二百字。 The name may have at most 200 characters.",
    "phone": "电话只能有数字、空格、加号和连字符。 The phone may have digits, spaces, a plus and hyphens.",
}
"""What to say of a field that is wrong."""


def _form(given: dict[str, str], wrong: list[str] | None = None, status: int = 200) -> HTMLResponse:
    blank = {"text": "", "address": "", "name": "", "phone": ""}
    return PAGES.show("appeal.html", status, given=blank | given, wrong=wrong or [])


@router.get("/tickets/{ticket_id}")
async def ticket(
    here: Context, ticket_id: UUID, code: str = "", accept_language: Annotated[str, Header()] = "zh"
) -> HTMLResponse:
    """Show a ticket to who holds its query code. It loads itself again until the ticket has ended."""
    if not here.engine.codes.matches(ticket_id, code):
        raise Problem(403, "code: does not belong to this ticket")
    shown = view(here, ticket_id, await handlers.look(here, ticket_id), accept_language, ask=True)
    zone = here.engine.timezone
    times = [{"at": f"{e.at.astimezone(zone):%m-%d %H:%M}", "text": e.text} for e in shown.timeline]
    due = f"{shown.due_at.astimezone(zone):%Y-%m-%d %H:%M}" if shown.due_at else None
    return PAGES.show(
        "ticket.html", view=shown, code=code, timeline=times[::-1], due=due, live=shown.status not in ENDS
    )
