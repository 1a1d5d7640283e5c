"""The page for everybody: which months were published, and where they are. No key, no script."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from starlette.responses import HTMLResponse

from libs.common.runtime.http import context
from services.feedback.handlers import Here
from services.feedback.handlers.reports import MESSAGES, teller
from services.feedback.reports.making import issuer
from services.feedback.reports.page import PAGES
from services.feedback.store.publishing import published_months

router = APIRouter(prefix="/feedback", tags=["pages"], include_in_schema=False)


@router.get("/")
async def show(
    here: Annotated[Here, Depends(context)],
    language: Annotated[str, Header(alias="accept-language", max_length=500)] = "",
) -> HTMLResponse:
    """Show what was published."""
    spoken = MESSAGES.preferred(language)
    say = teller(here, spoken)
    months = {
        month: say.dated("monthly", date.fromisoformat(f"{month}-01"))
        for month in await published_months(here.database)
    }
    return PAGES.show("open_data.html", language=spoken, say=say.say, issuer=issuer(say), months=months)
