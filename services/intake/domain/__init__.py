"""What intake decides, purely: tickets, how they go, emergencies."""

from services.intake.domain.emergencies import Emergency, emergency_in
from services.intake.domain.progress import Classified, Due, Facts, Moved, face, goes_on, status
from services.intake.domain.tickets import Entry, NotPossibleError, State, Ticket

__all__ = [
    "Classified",
    "Due",
    "Emergency",
    "Entry",
    "Facts",
    "Moved",
    "NotPossibleError",
    "State",
    "Ticket",
    "emergency_in",
    "face",
    "goes_on",
    "status",
]
