"""Files that citizens add: whose one is until it goes with an appeal, and which may go with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from libs.common.contracts.vocabulary import Attachment, FileKind
from services.intake.domain.tickets import NotPossibleError, Ticket

MOST_AT_ONCE = 10
"""As many files go with one appeal."""
MOST_FILES = 30
"""As many a ticket ever has."""
WAITS = timedelta(hours=24)
"""For how long a file waits for its appeal."""


@dataclass(frozen=True, slots=True)
class File:
    """A file as intake keeps it: the bytes are sealed in the store, under `blob_id`; several files may share them.

    `key` opens the bytes, and is itself sealed: by the vault while the file waits for its appeal, by the ticket's own
    key from then on. `digest` is the SHA-256 of the bytes, `size` their number, `client` who brought them.
    """

    file_id: UUID
    blob_id: UUID
    key: bytes
    digest: bytes
    kind: FileKind
    media_type: str
    size: int
    client: str
    ticket_id: UUID | None
    added_at: datetime

    @property
    def attachment(self) -> Attachment:
        """What other services may know of it."""
        return Attachment(file_id=self.file_id, kind=self.kind, media_type=self.media_type, size=self.size)


@dataclass(frozen=True, slots=True)
class Misfit:
    """Which of the files that an appeal names cannot go with it, counted from 0, and what would be right."""

    place: int
    message: str


def misfit(wanted: Sequence[UUID], files: Mapping[UUID, File], client: str) -> Misfit | None:
    """Return the first file that cannot go with an appeal of this client; None if all can."""
    for place, file_id in enumerate(wanted):
        if file_id in wanted[:place]:
            return Misfit(place, "is given twice")
        file = files.get(file_id)
        # One answer for all of these: whose a file is, or that there is one, is nobody else's business.
        if file is None or file.client != client or file.ticket_id is not None:
            return Misfit(place, "must be the file_id of a file that you uploaded within 24 h and that is not used yet")
    return None


def check_room(ticket: Ticket) -> None:
    """Raise NotPossibleError if a ticket has as many files as it may."""
    if len(ticket.attachments) >= MOST_FILES:
        raise NotPossibleError(f"the ticket has {MOST_FILES} files already")
