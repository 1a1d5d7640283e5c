"""What feedback does, by concept."""

from services.feedback.handlers.around import Engine, Here
from services.feedback.handlers.asking import attempt, review
from services.feedback.handlers.bouncing import on_ruled
from services.feedback.handlers.following import LAPSE, MEMORY, PARENT, on_event, on_linked, on_timer, parent_of

__all__ = [
    "LAPSE",
    "MEMORY",
    "PARENT",
    "Engine",
    "Here",
    "attempt",
    "on_event",
    "on_linked",
    "on_ruled",
    "on_timer",
    "parent_of",
    "review",
]
