"""What sla does, by concept."""

from services.sla.handlers.around import Engine, Here
from services.sla.handlers.clocks import pause_clocks, resume_clocks
from services.sla.handlers.following import MEMORY, TIMER, on_event, on_timer

__all__ = ["MEMORY", "TIMER", "Engine", "Here", "on_event", "on_timer", "pause_clocks", "resume_clocks"]
