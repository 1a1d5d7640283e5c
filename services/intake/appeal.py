"""An appeal as a channel sends it, and nothing a channel may not send. It is kept sealed, as it came."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from libs.common.contracts.vocabulary import AccessNeed, Channel, Kind, ReporterType
from libs.common.runtime.http import Body, Clean, Line, Moment
from services.intake.domain import MOST_AT_ONCE

Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), Clean]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000), Clean]


def _has_digits(phone: str) -> str:
    if not any(character.isdecimal() for character in phone):
        raise ValueError("must have digits")
    return phone


Phone = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^[+0-9０-９()（）\- .—]{5,30}$"),
    AfterValidator(_has_digits),
]
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"), Clean]
Link = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://\S+$"), Clean]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
"""A tag of BCP 47, whose section 4.4.1 finds 35 characters enough."""


class Reporter(Body):
    """Who appeals. All of it stays in the vault but the type, how much to keep from others, and a pseudonym.

    `anonymous` 匿名 is known to nobody and told nothing. `confidential` 保密 is known to the hotline, which tells and
    calls them back, and not to the unit.
    """

    type: ReporterType = "person"
    name: Line | None = None
    phone: Phone | None = None
    email: Email | None = None
    anonymous: bool = False
    confidential: bool = False


class Point(Body):
    """WGS 84 degrees."""

    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class Appeal(Body):
    """The body of `POST /intake/v1/tickets`. `received_at` is for the role importer, which brings the past along."""

    channel: Channel
    text: Text
    kind: Kind | None = None
    title: Line | None = None
    reporter: Reporter = Reporter()
    address: Address | None = None
    location: Point | None = None
    occurred_at: Moment | None = None
    attachments: Annotated[tuple[UUID, ...], Field(max_length=MOST_AT_ONCE)] = ()
    """Files that the sender uploaded before."""
    access_needs: tuple[AccessNeed, ...] = ()
    language: Language | None = None
    """Detected where the sender names none."""
    external_ref: Line | None = None
    service: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")] | None = None
    """The code of the public service that its sender takes it for."""
    handled_by: Line | None = None
    """The code of a district, street or town whose key registers what it met on the spot, to handle it itself."""
    media_url: Link | None = None
    """Where its sender has a picture of it. Kept sealed, and never fetched from here."""
    received_at: Moment | None = None

    def known(self) -> list[tuple[str, str]]:
        """Return the reporter's name, phone and mail, to be found again in the words."""
        given = (("name", self.reporter.name), ("phone", self.reporter.phone), ("email", self.reporter.email))
        return [(kind, value) for kind, value in given if value]

    def received(self, now: datetime) -> datetime:
        """Return when the appeal was received."""
        return self.received_at or now
