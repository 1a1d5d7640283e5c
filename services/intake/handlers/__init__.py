"""What intake does, by concept: receiving, screening, following the other stages, commands, opening the vault."""

from services.intake.handlers.around import SCREENING, Accepted, Engine, Here
from services.intake.handlers.commands import Seen, answer, look, supplement, withdraw
from services.intake.handlers.following import MEMORY, on_event
from services.intake.handlers.opening import open_vault
from services.intake.handlers.receiving import accept
from services.intake.handlers.screening import screen

__all__ = [
    "MEMORY",
    "SCREENING",
    "Accepted",
    "Engine",
    "Here",
    "Seen",
    "accept",
    "answer",
    "look",
    "on_event",
    "open_vault",
    "screen",
    "supplement",
    "withdraw",
]
