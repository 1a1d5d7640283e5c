"""Where a citizen begins, and what becomes of what a citizen says here."""

from starlette.responses import HTMLResponse

from libs.common.runtime.problems import Problem
from services.intake.pages.frame import Looking, pages

router = pages()
lost = pages()
"""What comes behind all other pages."""


@router.get("/")
async def home(visitor: Looking) -> HTMLResponse:
    """Show what one can do here, and before it whom to call in danger."""
    return visitor.show("home.html")


@router.get("/privacy")
async def privacy(visitor: Looking) -> HTMLResponse:
    """Say what is taken, who sees it, and what one may ask."""
    return visitor.show("privacy.html")


@lost.get("/{page}")
async def missing(page: str) -> HTMLResponse:
    """Say that there is no such page."""
    raise Problem(404, "no such page")
