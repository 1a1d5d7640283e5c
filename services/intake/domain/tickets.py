"""A ticket as intake keeps it, and a line of its timeline."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from libs.common.contracts.vocabulary import AccessNeed, Channel, Kind, ReporterType

State = Literal["open", "linked", "answered", "withdrawn"]


class NotPossibleError(Exception):
    """A command that the state of the ticket does not allow; its text says why."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """An appeal after screening, free of personal data. `likeness` is equal for equal words about the same place."""

    ticket_id: UUID
    number: str
    client: str
    channel: Channel
    kind: Kind | None
    title: str | None
    text: str
    reporter: str | None
    reporter_type: ReporterType
    anonymous: bool
    address: str | None
    lat: float | None
    lon: float | None
    occurred_at: datetime | None
    received_at: datetime
    access_needs: tuple[AccessNeed, ...]
    language: str
    likeness: bytes
    state: State = "open"
    parent: UUID | None = None
    support: int = 0
    answer: str | None = None
    emergency: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ticket's timeline. `type` names a text of the message catalogue, `params` fill it."""

    ticket_id: UUID
    at: datetime
    event_id: UUID
    type: str
    params: Mapping[str, Any]
