"""Files that a machine reads: what it may read, and when it gives up."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from libs.common.contracts.vocabulary import FileKind

MOST_READINGS = 3
"""How often a file is tried that the reading process ended over."""
Source = Literal["reporter", "picture", "speech"]
"""Whose words they are, or what a machine read them from."""
SOURCES: dict[FileKind, Source] = {"picture": "picture", "audio": "speech", "video": "speech"}
"""What kind of words a file of each kind may hold; a document's stay in it."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A file of a ticket that a machine has yet to read, and how often that was tried before."""

    file_id: UUID
    ticket_id: UUID
    kind: FileKind
    size: int
    read_attempts: int

    @property
    def last_try(self) -> bool:
        """Whether this reading is the last one."""
        return self.read_attempts + 1 >= MOST_READINGS
