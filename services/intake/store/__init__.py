"""The tables of intake and all its SQL."""

from services.intake.store.door import claim, put_off, receive, reclaim, take_inbound
from services.intake.store.tickets import add_support, earlier, facts, save, tickets_of, timeline
from services.intake.store.vault import Sealed, note_opening, numbers, save_marks, sealed

__all__ = [
    "Sealed",
    "add_support",
    "claim",
    "earlier",
    "facts",
    "note_opening",
    "numbers",
    "put_off",
    "receive",
    "reclaim",
    "save",
    "save_marks",
    "sealed",
    "take_inbound",
    "tickets_of",
    "timeline",
]
