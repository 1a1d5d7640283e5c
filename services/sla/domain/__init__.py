"""What sla decides: on the facts it heard, about the clocks of a ticket and its supervision."""

from services.sla.domain.clocks import Clock, NotPossibleError, PauseGround, Step, next_due, pause, resume
from services.sla.domain.facts import Again, Classified, Done, Facts, Led, Received
from services.sla.domain.policy import Mark, Policy
from services.sla.domain.supervision import Case
from services.sla.domain.tickets import Ruling, decide

__all__ = [
    "Again",
    "Case",
    "Classified",
    "Clock",
    "Done",
    "Facts",
    "Led",
    "Mark",
    "NotPossibleError",
    "PauseGround",
    "Policy",
    "Received",
    "Ruling",
    "Step",
    "decide",
    "next_due",
    "pause",
    "resume",
]
