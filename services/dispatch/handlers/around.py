"""What dispatch's handlers find around them."""

from dataclasses import dataclass

from libs.common.runtime.service import Context
from services.dispatch.routing import Router


@dataclass(frozen=True, slots=True)
class Engine:
    """What dispatch keeps in memory. After `returns_before_centre` returns only the centre rules."""

    router: Router
    returns_before_centre: int


Here = Context[Engine]
