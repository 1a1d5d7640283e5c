"""To be called back, for who cannot get through or would rather not wait."""

from typing import Annotated

from fastapi import Form
from pydantic import BaseModel, ValidationError
from starlette.responses import HTMLResponse

from libs.common.runtime.http import Line, Note
from services.intake import handlers
from services.intake.appeal import Phone
from services.intake.handlers import Card, Wish
from services.intake.pages.forms import Filled, wrong_fields
from services.intake.pages.frame import CLIENT, Looking, Sending, pages

Given = Annotated[str, Form()]
router = pages()


class CallForm(BaseModel):
    """Whom to call, and about what."""

    phone: Phone
    name: Line | None = None
    question: Note | None = None


@router.get("/callback")
async def form(visitor: Looking) -> HTMLResponse:
    """Show the empty form."""
    return visitor.show("callback.html", form=Filled(), ahead=None)


@router.post("/callback")
async def call_back(visitor: Sending, phone: Given = "", name: Given = "", question: Given = "") -> HTMLResponse:
    """Put the citizen into the queue of those who are called back."""
    given = {"phone": phone, "name": name, "question": question}
    try:
        wanted = CallForm.model_validate({key: value for key, value in given.items() if value.strip()})
    except ValidationError as error:
        wrong = wrong_fields(visitor, error, given)
        return visitor.show("callback.html", 422, form=Filled(given, wrong), ahead=None)
    wish = Wish("callback", CLIENT, (), visitor.language, Card(**wanted.model_dump()))
    async with visitor.here.database.begin() as tx:
        opened = await handlers.open_session(tx, visitor.here, wish)
    return visitor.show("callback.html", form=Filled(), ahead=opened.ahead)
