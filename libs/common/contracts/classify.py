"""What classify 研判 says: what an appeal is about, how grave it is, and which matters are gathering heat."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import Kind, Part, Place, Receipt, UnitRef, Urgency

OwnerKind = Literal["department", "company", "street", "district", "centre"]


class Alternative(Part):
    """Another question the text may be about."""

    code: str
    category: tuple[str, str, str]
    confidence: float


class Filled(Part):
    """What is asked of every appeal of a question, and the answer in the citizen's own words."""

    ask: str
    value: str


class MachineMade(Part):
    """What a language model made of an appeal: which one, and by which version of which prompt.

    `code` is the question it chose of those offered, None if none fits. Its `confidence` is its own word, measured by
    nobody; `sure` says that the operator lets it count, `agrees` that it was the first guess before. `quote` are the
    words that decided. `summary` is by the machine, and the judgement's if it is not empty.
    """

    model: str
    prompt: str
    code: str | None = None
    confidence: float = 0.0
    sure: bool = False
    agrees: bool = False
    quote: str = ""
    summary: str = ""
    fields: tuple[Filled, ...] = ()


Every = Literal["day", "workday", "weekend", "week", "month", "year"]


class When(Part):
    """A time that the words tell, as far as they tell it: UTC instants for the city's days and hours, `end` excluded.

    What comes back says `every` what; `since` and `until` are then hours of the day there, such as 02:00.
    """

    words: str
    start: datetime | None = None
    end: datetime | None = None
    every: Every | None = None
    since: str | None = None
    until: str | None = None


class Amount(Part):
    """How many or how much, from `least` to `most`; they are equal where the words are exact."""

    words: str
    least: float
    most: float
    unit: Literal["person", "household", "yuan"]


class Details(Part):
    """What the words of an appeal tell besides what it is about and where. Persons are never named here."""

    times: tuple[When, ...] = ()
    organisations: tuple[str, ...] = ()
    people: tuple[Amount, ...] = ()
    money: tuple[Amount, ...] = ()


class Judgement(Part):
    """All that dispatch needs to route a ticket, so that it never has to call back."""

    receipt: Receipt
    code: str
    category: tuple[str, str, str]
    kind: Kind
    urgency: Urgency
    confidence: float
    alternatives: tuple[Alternative, ...] = ()
    why: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    summary: str
    owner_kind: OwnerKind
    owner: str | None = None
    co_handlers: tuple[str, ...] = ()
    tag: str | None = None
    elderly: bool = False
    place: Place | None = None
    outside: bool = False
    facts: Details | None = None
    judged_by: Literal["model", "person", "limit"]
    model: str
    catalogue: str
    machine_made: MachineMade | None = None


class TicketClassified(Judgement, Event, name="ticket.classified", emitter="classify"):
    """The first judgement of a ticket."""


class TicketReclassified(Judgement, Event, name="ticket.reclassified", emitter="classify"):
    """A judgement that replaces an earlier one."""

    previous: str
    reason: str


Risk = Literal["low", "medium", "high"]
ArticleWhy = Literal["review", "expiring", "expired"]
DisputeReason = Literal["wrong", "outdated", "incomplete", "unclear", "not_answered"]


class _Hotspot(Part):
    """What a hot event has come to.

    `category` goes as far down as the event does, and is empty below; `code` is the question most of its tickets are
    judged to be, `title` its place and matter in words. `count` are tickets, `voices` people; `expected` are the
    tickets that usually come in `window_minutes`, in which the event was found. `word` is a new word that its tickets
    share, whatever they were judged to be. `mood` runs from -1 (bitter) to 1; `reasons` are those of the risk.
    An event that flares up after it cooled is raised again with the next `round`, which began at `reheated_at`; all
    other numbers are of all rounds.
    """

    code: str
    category: tuple[str, str, str]
    district: str | None = None
    street: str | None = None
    count: int
    first_at: datetime
    last_at: datetime
    title: str = ""
    word: str | None = None
    voices: int = 0
    urgent: int = 0
    districts: int = 0
    streets: int = 0
    mood: float = 0.0
    risk: Risk = "low"
    reasons: tuple[str, ...] = ()
    expected: float = 0.0
    window_minutes: int = 0
    first_ticket: UUID | None = None
    raised_at: datetime | None = None
    round: int = 1
    reheated_at: datetime | None = None


class HotspotRaised(_Hotspot, Event, name="hotspot.raised", emitter="classify"):
    """More appeals on one matter in one place than its past explains, or many with a word that nobody used before."""


class HotspotUpdated(_Hotspot, Event, name="hotspot.updated", emitter="classify"):
    """A hot event doubled, spread or became more or less grave."""


class HotspotCooled(_Hotspot, Event, name="hotspot.cooled", emitter="classify"):
    """A hot event is over: for a while no more came than usual."""


class ArticleDue(Event, name="article.due", emitter="classify"):
    """An article of the knowledge base needs its owner: it is to be reviewed, expires in 30 days, or is expired."""

    article_id: str
    version: str
    title: str
    owner: UnitRef
    why: ArticleWhy
    at: datetime


class ArticleDisputed(Event, name="article.disputed", emitter="classify"):
    """Someone complains of what an article says. `passage` is its anchor; what was said, classify shows its owner.

    `ticket` is the appeal that was answered from it. Where a citizen's review says so, the complaint opens by itself.
    """

    article_id: str
    version: str
    title: str
    owner: UnitRef
    complaint_id: UUID
    reason: DisputeReason
    passage: str | None = None
    ticket: UUID | None = None
    at: datetime
