"""What intake's handlers find around them, and what stands at its door."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.common.runtime.batching import MicroBatch
from libs.common.runtime.privacy import Pseudonyms, QueryCodes, Vault
from libs.common.runtime.service import Context
from services.intake.appeal import Appeal
from services.intake.domain import Emergency
from services.intake.messages import Messages

SCREENING = "screening"


@dataclass(slots=True)
class Engine:
    """What intake keeps in memory. `door` is the micro-batch behind the POST, made when the first appeal comes."""

    vault: Vault
    pseudonyms: Pseudonyms
    codes: QueryCodes
    emergencies: tuple[Emergency, ...]
    timezone: ZoneInfo
    messages: Messages
    review_link: Callable[[UUID, int], str]
    door: "MicroBatch[Arrival, Accepted] | None" = None


Here = Context[Engine]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An appeal at the door: who brought it, and what it may not be received twice under."""

    ticket_id: UUID
    client: str
    appeal: Appeal
    scopes: tuple[bytes, ...]
    content: bytes
    received_at: datetime
    strict: bool
    """Whether the same scope with another content is an error: so for an Idempotency-Key."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the sender gets, now or when sending the same again."""

    ticket_id: UUID
    number: str
