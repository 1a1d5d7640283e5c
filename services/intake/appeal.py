"""An appeal as a channel sends it, and nothing a channel may not send. It is kept sealed, as it came."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints, field_validator

from libs.common.contracts.vocabulary import AccessNeed, Channel, Kind, ReporterType
from libs.common.runtime.http import Body, Clean, Line, Moment

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000), Clean]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[+0-9０-９()（）\- .—]{5,30}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class Reporter(Body):
    """Who appeals. All of it stays in the vault but the type, whether to stay anonymous, and a pseudonym."""

    type: ReporterType = "person"
    name: Line | None = None
    phone: Phone | None = None
    anonymous: bool = False


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
    address: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), Clean] | None = None
    location: Point | None = None
    occurred_at: Moment | None = None
    attachments: tuple[Any, ...] = ()
    access_needs: tuple[AccessNeed, ...] = ()
    language: Language = "zh"
    external_ref: Line | None = None
    received_at: Moment | None = None

    @field_validator("attachments")
    @classmethod
    def _none_yet(cls, attachments: tuple[Any, ...]) -> tuple[Any, ...]:
        if attachments:
            raise ValueError("this release takes no attachments; leave the field out")
        return attachments

    def known(self) -> list[tuple[str, str]]:
        """Return the reporter's name and phone, to be found again in the words."""
        given = (("name", self.reporter.name), ("phone", self.reporter.phone))
        return [(kind, value) for kind, value in given if value]

    def received(self, now: datetime) -> datetime:
        """Return when the appeal was received."""
        return self.received_at or now
