"""The envelope of every event: CloudEvents 1.0 in Kafka's binary content mode.

The attributes travel as `ce_*` headers, the data as a JSON body, so that any CloudEvents reader understands a message
and a relay never parses one. `sequence` grows per aggregate and emitter; it has gaps, and what arrives with a lower
number than was already seen is stale.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

EVENTS: dict[str, type["Event"]] = {}


class UndecodableError(ValueError):
    """A message that is not an event of ours, or not one this release can read; its text says why."""


class Event(BaseModel):
    """Base of every event. A subclass declares its noun and verb, its emitter and, if not 1, its version."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    name: ClassVar[str]
    emitter: ClassVar[str]
    type: ClassVar[str]
    topic: ClassVar[str]

    def __init_subclass__(
        cls, *, name: str, emitter: str, version: int = 1, topic: str | None = None, **more: Any
    ) -> None:
        """Register the event under its CloudEvents type, e.g. `jiesu.ticket.received.v1`."""
        super().__init_subclass__(**more)
        cls.name, cls.emitter = name, emitter
        cls.type = f"jiesu.{name}.v{version}"
        cls.topic = topic or topic_of(emitter)
        EVENTS[cls.type] = cls


E_co = TypeVar("E_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Envelope(Generic[E_co]):
    """One event with its attributes. `ready` is what the consumer's prepare step worked out for it, if it has one."""

    id: UUID
    subject: str
    time: datetime
    sequence: int
    data: E_co
    traceparent: str | None = None
    ready: Any = None

    @property
    def ticket(self) -> UUID:
        """The subject of a ticket event, as an id."""
        return UUID(self.subject)


def topic_of(service: str) -> str:
    """Return the topic that one service's events travel on."""
    return f"jiesu.{service}.v1"


def headers_of(
    type_: str, source: str, id_: UUID, subject: str, time: datetime, sequence: int, traceparent: str | None
) -> list[tuple[str, bytes]]:
    """Return the Kafka headers of one event."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(id_).encode()),
        ("ce_type", type_.encode()),
        ("ce_source", f"/jiesu/{source}".encode()),
        ("ce_subject", subject.encode()),
        ("ce_time", time.isoformat().encode()),
        ("ce_sequence", str(sequence).encode()),
        ("content-type", b"application/json"),
    ]
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    return headers


def decode(headers: Iterable[tuple[str, bytes]], body: bytes) -> Envelope[Event]:
    """Return the event in a message.

    Raises:
        UndecodableError: an attribute is missing or malformed, the type is unknown, or the body breaks its schema.
    """
    attributes = {key: value.decode(errors="replace") for key, value in headers}
    model = EVENTS.get(attributes.get("ce_type", ""))
    if model is None:
        raise UndecodableError(f"unknown event type {attributes.get('ce_type')!r}")
    try:
        return _envelope(attributes, model.model_validate_json(body))
    except (KeyError, ValueError) as error:
        raise UndecodableError(f"{model.type}: {error}") from error


def _envelope(attributes: Mapping[str, str], data: Event) -> Envelope[Event]:
    time = datetime.fromisoformat(attributes["ce_time"])
    if time.tzinfo is None:
        raise UndecodableError(f"ce_time {attributes['ce_time']!r} has no time zone")
    return Envelope(
        id=UUID(attributes["ce_id"]),
        subject=attributes["ce_subject"],
        time=time,
        sequence=int(attributes["ce_sequence"]),
        data=data,
        # Ours travels as the W3C header; an SDK sends it as a CloudEvents extension.
        traceparent=attributes.get("traceparent") or attributes.get("ce_traceparent"),
    )
