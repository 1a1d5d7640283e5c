"""What the routes of sla share: who asks, and what they find around them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Header

from libs.common.messaging.transaction import Tx
from libs.common.runtime.http import context
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal, require
from services.sla.domain import NotPossibleError
from services.sla.handlers import Here

Context = Annotated[Here, Depends(context)]
Reader = Annotated[Principal, Depends(require("unit", "seat", "supervisor", "analyst"))]
Worker = Annotated[Principal, Depends(require("unit", "supervisor"))]
Reading = Annotated[str, Header(alias="accept-language")]
"""In which languages the reader wants words, as HTTP says it."""
Supervisor = Annotated[Principal, Depends(require("supervisor"))]


@asynccontextmanager
async def commanding(here: Here) -> AsyncIterator[Tx]:
    """Run a command in a transaction. Raises Problem 409 if a state does not allow it."""
    try:
        async with here.database.begin() as tx:
            yield tx
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error
