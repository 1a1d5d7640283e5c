"""What intake 接诉 says: appeals received, joined, withdrawn, answered; calls; a ticket's public face."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import Attachment, Part, Receipt, Status, UnitRef, Urgency


class TicketReceived(Receipt, Event, name="ticket.received", emitter="intake"):
    """An appeal, screened and redacted, that someone must act on.

    It comes again when a ticket that was linked, answered or transferred goes its own way after all: whatever ended the
    ticket before is void then.
    """


class TicketSupplemented(Event, name="ticket.supplemented", emitter="intake"):
    """The reporter added words or files to a ticket, or a machine read words from a file: then `source` says how."""

    text: str
    at: datetime
    source: Literal["reporter", "picture", "speech"] = "reporter"
    attachments: tuple[Attachment, ...] = ()


class TicketLinked(Receipt, Event, name="ticket.linked", emitter="intake"):
    """A repeat of an open ticket: it closes with its parent, and its reporter is asked as well.

    `score` is the likeness that joined them, 0 to 1; a person's link has none.
    """

    parent: UUID
    reason: str
    by: Literal["rule", "person"] = "rule"
    score: float | None = None


class TicketUnlinked(Event, name="ticket.unlinked", emitter="intake"):
    """A link that was wrong: the ticket goes its own way again, and ticket.received follows."""

    parent: UUID
    reason: str
    at: datetime | None = None


class TicketSupported(Event, name="ticket.supported", emitter="intake"):
    """How many others have the same trouble by now: linked reporters, and neighbours who confirmed or follow it."""

    support: int
    at: datetime


class TicketWithdrawn(Event, name="ticket.withdrawn", emitter="intake"):
    """The reporter took the appeal back."""

    at: datetime
    reason: str | None = None


class Article(Part):
    """The version of a knowledge article that was read out."""

    article_id: str
    version: str


class Transfer(Part):
    """An outward transfer 转办: to which body outside the city's units, and the number it gave, once it gave one."""

    body: str
    name: str
    receipt: str | None = None


class TicketAnswered(Receipt, Event, name="ticket.answered", emitter="intake"):
    """Answered at once: an emergency given its number, a question answered, what belongs elsewhere transferred."""

    answer: str
    emergency: str | None = None
    article: Article | None = None
    transfer: Transfer | None = None


class TicketScreened(Event, name="ticket.screened", emitter="intake"):
    """What was ruled of an appeal on a listed ground. It bears on scoring only; `lifted` takes it back."""

    verdict: Literal["test", "blank", "abusive", "out_of_scope", "malicious", "unreasonable"]
    why: str
    ground: str | None = None
    lifted: bool = False
    at: datetime | None = None


class CallRecorded(Event, name="call.recorded", emitter="intake"):
    """One call offered to a line. `wait_seconds` runs from the offer to the answer or to giving up.

    `explained`: whether who made a test call found what was asked explained clearly; None where that was not judged.
    """

    line: str
    offered_at: datetime
    answered: bool
    abandoned: bool
    wait_seconds: float
    test_call: bool = False
    explained: bool | None = None


class LineMeasured(Event, name="line.measured", emitter="intake"):
    """The quality of one line over one day, YYYY-MM-DD in the city's time. Rates are fractions, None without calls.

    Test calls count apart. `dead`: calls came and none was answered, tests included. `cold`: not dead, but a smaller
    share was answered than the city calls cold. `explained_rate`: of the test calls that were judged by it, in how many
    the policy was explained clearly. The last one of a line and day counts; late records bring another.
    Source of the 15 s and of the connection rate: GB/T 33358-2016.
    """

    line: str
    period: str
    offered: int
    answered: int
    abandoned: int
    connection_rate: float | None = None
    answered_in_time_rate: float | None = None
    mean_wait_seconds: float | None = None
    longest_wait_seconds: float | None = None
    test_calls: int = 0
    dead: bool = False
    cold: bool = False
    explained_rate: float | None = None


class TicketErased(Event, name="ticket.erased", emitter="intake"):
    """The personal data of a ticket was deleted: its time is over, or its owner asked.

    Whoever holds the reporter's pseudonym drops it. With `words` the redacted words go too, those that units, seats and
    the reporter wrote later among them, and what was made of them. It may come twice, the second time with `words`; it
    is for good, and what is heard of the ticket after it brings nothing back.
    """

    words: bool
    at: datetime


class TicketSnapshot(Event, name="ticket.snapshot", emitter="intake", topic="jiesu.tickets.v1"):
    """The whole public face of a ticket, on a compacted topic: the last one is the ticket."""

    number: str
    status: Status
    category: tuple[str, str, str] | None = None
    urgency: Urgency | None = None
    unit: UnitRef | None = None
    due_at: datetime | None = None
    linked_to: UUID | None = None
    received_at: datetime
