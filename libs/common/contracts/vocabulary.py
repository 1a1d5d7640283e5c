"""The closed lists of words that HTTP and events share. Codes are English; labels come from message catalogues."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

Channel = Literal[
    "phone", "web", "app", "wechat", "mail", "sms", "walk_in", "petition", "mayor_mailbox", "message_board",
    "line_transfer", "open311", "sensor",
]  # fmt: skip
Kind = Literal["consultation", "help", "complaint", "report", "suggestion", "praise"]
ReporterType = Literal["person", "company", "organisation", "sensor"]
AccessNeed = Literal["elderly", "sign_language", "text_only", "wheelchair", "blind", "cognitive", "language"]
"""Facts that change handling; `language` asks for someone who speaks the appeal's language."""
FileKind = Literal["audio", "picture", "video", "document"]
Urgency = Literal["urgent", "livelihood", "general", "complex"]
Light = Literal["green", "yellow", "red"]
ClockName = Literal["response", "completion"]
ContactMethod = Literal["phone", "visit", "message", "video"]
Resolution = Literal["yes", "partly", "no"]
Status = Literal[
    "received", "classified", "dispatched", "accepted", "in_progress", "resolved", "reviewed", "closed",
    "answered", "linked", "withdrawn", "returned", "reopened",
]  # fmt: skip


class Part(BaseModel):
    """A value inside an event. Unknown fields are ignored, so an older reader survives a newer writer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Location(Part):
    """WGS 84 degrees."""

    lat: float
    lon: float


class UnitRef(Part):
    """A handling unit 承办单位: its code in the city pack and its Chinese name."""

    code: str
    name: str


class Place(Part):
    """Where the matter is: statistical district code, street unit code, and the names the resolver matched."""

    district: str
    district_name: str
    street: str | None = None
    street_name: str | None = None
    confidence: float
    matched: tuple[str, ...] = ()


class Attachment(Part):
    """A file the citizen added, as its bytes were found to be; intake serves it to who may see it. `size` in bytes."""

    file_id: UUID
    kind: FileKind
    media_type: str
    size: int


class Receipt(Part):
    """An appeal as it entered: text, title and address are redacted, the reporter is a pseudonym."""

    number: str
    channel: Channel
    kind: Kind | None = None
    title: str | None = None
    text: str
    reporter: str | None = None
    reporter_type: ReporterType = "person"
    anonymous: bool = False
    address: str | None = None
    location: Location | None = None
    occurred_at: datetime | None = None
    received_at: datetime
    access_needs: tuple[AccessNeed, ...] = ()
    language: str = "zh"
    attachments: tuple[Attachment, ...] = ()
    handled_by: str | None = None
    """The code of the unit that met the matter on the spot and handles it itself 基层直办."""
