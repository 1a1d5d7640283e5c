"""What dispatch decides: on the facts it heard and what people command, whose work an appeal is."""

from services.dispatch.domain.deciding import Ruling, decide
from services.dispatch.domain.orders import Appeal, Classified, Facts, Matter, Order, Route, State, Step
from services.dispatch.domain.working import (
    TRANSITIONS,
    Actor,
    Command,
    NotPossibleError,
    accept,
    contact,
    hand_back,
    progress,
    reassign,
    resolve,
    rule,
)

__all__ = [
    "TRANSITIONS",
    "Actor",
    "Appeal",
    "Classified",
    "Command",
    "Facts",
    "Matter",
    "NotPossibleError",
    "Order",
    "Route",
    "Ruling",
    "State",
    "Step",
    "accept",
    "contact",
    "decide",
    "hand_back",
    "progress",
    "reassign",
    "resolve",
    "rule",
]
