"""What dispatch does, by concept."""

from services.dispatch.handlers.around import Engine, Here
from services.dispatch.handlers.following import MEMORY, UNHEARD, on_event, on_timer
from services.dispatch.handlers.returning import rule_on
from services.dispatch.handlers.working import command, reassign_to

__all__ = ["MEMORY", "UNHEARD", "Engine", "Here", "command", "on_event", "on_timer", "reassign_to", "rule_on"]
