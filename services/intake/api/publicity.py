"""Taking a ticket off the public list, and putting it back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from libs.common.runtime.http import Body
from libs.common.runtime.security import Principal, require_everywhere
from services.intake import handlers
from services.intake.api.around import Context

router = APIRouter()
Moderator = Annotated[Principal, Depends(require_everywhere("seat", "supervisor"))]


class PublicityCommand(Body):
    """Whether to keep a ticket from the public, whatever its matter."""

    hidden: bool


class PublicityView(BaseModel):
    """Whether a ticket is kept from the public, and whether anyone can see it now."""

    hidden: bool
    public: bool


@router.post("/tickets/{ticket_id}/publicity")
async def publicity(here: Context, _: Moderator, ticket_id: UUID, command: PublicityCommand) -> PublicityView:
    """Keep a ticket from the public, say because its words tell of a person, or no longer."""
    async with here.database.begin() as tx:
        public = await handlers.hide(tx, here, ticket_id, hidden=command.hidden)
    return PublicityView(hidden=command.hidden, public=public)
