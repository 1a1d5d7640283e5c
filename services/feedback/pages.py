"""The citizen's own page: one question behind a one-tap link 好差评. No key, no JavaScript; the token opens it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi import Path as InPath
from pydantic import StringConstraints
from starlette.responses import HTMLResponse, RedirectResponse, Response

from libs.common.runtime.http import Clean, context
from libs.common.runtime.pages import Pages
from services.feedback import handlers, store
from services.feedback.domain import BAD, GOOD, PARTLY, Answer, NotPossibleError
from services.feedback.handlers import Here
from services.feedback.messages import Messages

PAGES = Pages(Path(__file__).with_name("templates"))
MESSAGES = Messages.load()

router = APIRouter(prefix="/feedback/v1", tags=["pages"], include_in_schema=False)
Context = Annotated[Here, Depends(context)]
Round = Annotated[int, InPath(alias="round")]
Comment = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000), Clean]
Choice = Literal["good", "partly", "bad"]
Ticked = Annotated[str, StringConstraints(max_length=40), Clean]
TAPS: Mapping[Choice, Answer] = {"good": GOOD, "partly": PARTLY, "bad": BAD}
MOST_TICKED = 40


@router.get("/review/{ticket_id}/{round}/{token}")
async def show(here: Context, ticket_id: UUID, round_: Round, token: str) -> HTMLResponse:
    """Show the question, or what came of it. It never answers for the citizen: previews of links come here too."""
    return await _page(here, ticket_id, round_, token)


@router.post("/review/{ticket_id}/{round}/{token}")
async def tap(
    request: Request, here: Context, ticket_id: UUID, round_: Round, token: str,
    choice: Annotated[Choice, Form()], comment: Annotated[Comment, Form()] = "",
    explained: Annotated[Literal["yes", "no"] | None, Form()] = None,
    reason: Annotated[list[Ticked] | None, Form(max_length=MOST_TICKED)] = None,
) -> Response:  # fmt: skip
    """Take one tap: good (solved, 5), partly (3) or bad (not solved, 1), with what else was filled in or ticked.

    Leads back to the page. Of the reasons only those that go with the tap are kept.
    """
    if not here.engine.links.valid(ticket_id, round_, token):
        return await _page(here, ticket_id, round_, token)
    clear = None if explained is None else explained == "yes"
    given = replace(TAPS[choice], comment=comment or None, explained=clear, reasons=tuple(reason or ()))
    try:
        async with here.database.begin() as tx:
            await handlers.review(tx, here, ticket_id, given, token)
    except NotPossibleError:
        return await _page(here, ticket_id, round_, token, status=409)
    return RedirectResponse(request.url.path, 303)


async def _page(here: Here, ticket_id: UUID, round_: int, token: str, status: int = 200) -> HTMLResponse:
    """Return the page as it stands; without a review behind the link it says that nothing is here."""
    opens = here.engine.links.valid(ticket_id, round_, token)
    review = await store.review_of(here.database, ticket_id, round_) if opens else None
    still_open = review is not None and review.open(here.clock.now())
    return PAGES.show(
        "review.html", status if review else 404, review=review, open=still_open,
        reasons=here.engine.policy.callbacks.reasons, zh=MESSAGES.chinese, en=MESSAGES.english,
    )  # fmt: skip
