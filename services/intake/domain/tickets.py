"""A ticket as intake keeps it, and a line of its timeline."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from libs.common.contracts.vocabulary import AccessNeed, Attachment, Channel, Kind, ReporterType

State = Literal["open", "linked", "answered", "withdrawn"]
Way = Literal["sms", "mail"]


class NotPossibleError(Exception):
    """A command that the state of the ticket does not allow; its text says why."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """An appeal after screening, free of personal data. Of a sensor's, `device` is `device` or `device:fault`."""

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
    state: State = "open"
    parent: UUID | None = None
    support: int = 0
    answer: str | None = None
    emergency: str | None = None
    transfer: str | None = None
    """The body outside that it was passed on to, a code of the city's list."""
    device: str | None = None
    heir: UUID | None = None
    """Who took over from this ticket when its reporter took it back."""
    service: str | None = None
    """The public service its sender took it for, a code of the city's list."""
    hidden: bool = False
    """Whether someone keeps it from the public, whatever its matter."""
    ways: tuple[Way, ...] = ()
    """How its reporter can be written to; the addresses are in the vault."""
    attachments: tuple[Attachment, ...] = ()
    confidential: bool = False
    """Whether the hotline alone may know who the reporter is."""
    handled_by: str | None = None
    """The code of the unit that registered it to handle it itself."""

    @property
    def unnamed(self) -> bool:
        """Whether the handling unit may not learn who the reporter is."""
        return self.anonymous or self.confidential


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ticket's timeline. `type` names a text of the message catalogue, `params` fill it."""

    ticket_id: UUID
    at: datetime
    event_id: UUID
    type: str
    params: Mapping[str, Any]
