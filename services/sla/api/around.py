"""What the routes of sla share: who asks, and what they find around them."""

from typing import Annotated

from fastapi import Depends, Header

from libs.common.runtime.http import context
from libs.common.runtime.security import Principal, require
from services.sla.handlers import Here

Context = Annotated[Here, Depends(context)]
Reader = Annotated[Principal, Depends(require("unit", "seat", "supervisor", "analyst"))]
Worker = Annotated[Principal, Depends(require("unit", "supervisor"))]
Reading = Annotated[str, Header(alias="accept-language")]
"""In which languages the reader wants words, as HTTP says it."""
Supervisor = Annotated[Principal, Depends(require("supervisor"))]
