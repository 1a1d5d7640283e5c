"""What intake's handlers find around them, and what stands at its door."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.common.city.emergencies import Emergencies
from libs.common.city.pack import City
from libs.common.runtime.batching import MicroBatch
from libs.common.runtime.files import FileStore
from libs.common.runtime.links import FileLinks
from libs.common.runtime.media.taking import Uploads
from libs.common.runtime.privacy import Pseudonyms, QueryCodes, Vault
from libs.common.runtime.reading import ReadingDesk
from libs.common.runtime.service import Context
from services.intake.appeal import Appeal
from services.intake.chats import Chats
from services.intake.domain import Patience, Standard, Telling
from services.intake.languages import Languages
from services.intake.messages import Messages
from services.intake.passes import Passes
from services.intake.repeats import Repeats

SCREENING = "screening"


@dataclass(slots=True)
class Engine:
    """What intake keeps in memory. `door` is the micro-batch behind the POST, made when the first appeal comes."""

    vault: Vault
    pseudonyms: Pseudonyms
    codes: QueryCodes
    emergencies: Emergencies
    languages: Languages
    timezone: ZoneInfo
    messages: Messages
    city: City
    repeats: Repeats
    telling: Telling
    passes: Passes
    line_standard: Standard
    reading: ReadingDesk
    patience: Patience
    chats: Chats
    review_link: Callable[[UUID, int], str]
    audit_key: bytes = field(repr=False)
    files: FileStore
    uploads: Uploads
    file_links: FileLinks
    door: "MicroBatch[Arrival, Accepted] | None" = None
    crowd: int = 0
    """How many single POSTs are waited for now; screening gives way to them."""
    backlog: int = 0
    """How many appeals waited for screening when they were counted last, some seconds ago."""


Here = Context[Engine]


class Arrival(NamedTuple):
    """An appeal at the door: who brought it, and what it may not be received twice under. `plain` is it, as it came.

    A tuple, as what is given back is: a frozen dataclass takes a microsecond, for each of them.
    """

    ticket_id: UUID
    client: str
    appeal: Appeal
    plain: bytes
    scopes: tuple[bytes, ...]
    content: bytes
    received_at: datetime
    strict: bool
    """Whether the same scope with another content is an error: so for an Idempotency-Key."""
    trace: str | None = None
    """The traceparent of the request, for what the ticket's events say of their cause."""


class Accepted(NamedTuple):
    """What the sender gets, now or when sending the same again."""

    ticket_id: UUID
    number: str
