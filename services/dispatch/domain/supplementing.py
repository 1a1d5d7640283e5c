"""What was added to an appeal after it was received: the lead reads it with the order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Supplement:
    """Words that the reporter added, or that a machine read from a file; redacted. `files` counts those that came.

    `sequence` is that of intake's word, which is the order in which they came.
    """

    event_id: UUID
    ticket_id: UUID
    sequence: int
    at: datetime
    source: Literal["reporter", "picture", "speech"]
    text: str
    files: int
