"""The citizen's own pages, plain HTML without JavaScript: to appeal, to follow it and speak up, to stand by neighbours.

No login. The number and the query code open a ticket; the browser then holds a pass to it for two hours.
"""

from fastapi import APIRouter

from services.intake.pages import home, neighbours, person, scope, submitting, tickets

router = APIRouter(prefix="/intake", tags=["pages"], include_in_schema=False)
for part in (
    home,
    submitting,
    tickets,
    neighbours,
    person,
    scope,
):
    router.include_router(part.router)
router.include_router(home.lost)

__all__ = ["router"]
