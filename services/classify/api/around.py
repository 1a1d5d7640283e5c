"""What the routes of classify share: who asks, and what they find around them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends

from libs.common.messaging.transaction import Tx
from libs.common.runtime.http import context
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal, require, require_everywhere
from services.classify.domain import NotPossibleError
from services.classify.handlers import Here

Context = Annotated[Here, Depends(context)]
Asker = Annotated[Principal, Depends(require("adapter", "seat", "unit", "supervisor"))]
Judge = Annotated[Principal, Depends(require_everywhere("seat", "supervisor"))]
"""Whose ticket it will be is not known while it is judged, so a supervisor of some units has no part in it."""
Anyone = Annotated[
    Principal, Depends(require("adapter", "importer", "seat", "unit", "supervisor", "analyst", "operator"))
]
Category = tuple[str, str, str]


@asynccontextmanager
async def commanding(here: Here) -> AsyncIterator[Tx]:
    """Run a command in a transaction. Raises Problem 409 if a state does not allow it."""
    try:
        async with here.database.begin() as tx:
            yield tx
    except NotPossibleError as error:
        raise Problem(409, str(error)) from error
