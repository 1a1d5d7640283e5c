"""Consultations over HTTP: a question answered on the spot, or found not to be."""

from typing import Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import model_validator

from libs.common.contracts.intake import Article
from libs.common.runtime.http import Body, Line, Note
from services.intake import handlers
from services.intake.api.around import Context, Reading, Seat, possible
from services.intake.api.tickets import TicketView, view

router = APIRouter()


class ArticleRead(Body):
    """The version of a knowledge article that was read out."""

    article_id: Line
    version: Line


class AnswerCommand(Body):
    """What the citizen was told, and from which article.

    With `answered` false it says that the question could not be answered at once, with `text`, if any, saying why.
    """

    text: Note | None = None
    article: ArticleRead | None = None
    answered: bool = True

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.answered and self.text is None:
            raise ValueError("text: is needed, unless answered is false")
        if self.article and not self.answered:
            raise ValueError("article: must be left out when answered is false")
        return self


@router.post("/tickets/{ticket_id}/answer")
async def answer(here: Context, _: Seat, ticket_id: UUID, command: AnswerCommand, language: Reading) -> TicketView:
    """Answer an appeal at once, as a seat does with a question; or, with `answered` false, let it go on as an order.

    That undoes an answer given before, as long as the ticket is not closed.
    """
    async with here.database.begin() as tx:
        if command.answered:
            article = Article(**command.article.model_dump()) if command.article else None
            await possible(handlers.answer(tx, here, ticket_id, command.text or "", article))
        else:
            await possible(handlers.unanswer(tx, here, ticket_id, command.text))
    return view(here, ticket_id, await handlers.look(here, ticket_id), language, ask=False)
