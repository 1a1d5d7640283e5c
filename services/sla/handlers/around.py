"""What sla's handlers find around them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from libs.common.city.pack import City
from libs.common.runtime.service import Context
from services.sla.domain import Book, Telling
from services.sla.domain.owners import Rules
from services.sla.lateness.rates import Rates
from services.sla.messages import Messages
from services.sla.watch import Watch


@dataclass(frozen=True, slots=True)
class Engine:
    """What sla keeps in memory. `timezone` and `language` are those of the city's units; `rules` decide on supervision.

    `lateness` says how likely clocks are missed. `below` are the codes of each unit and all under it. `asked` is
    which policies should judge from when on, as they were read last; `calendar_brought`: this process has told the
    database of its calendar.
    """

    city: City
    book: Book
    below: Mapping[str, frozenset[str]]
    messages: Messages
    timezone: ZoneInfo
    language: str
    telling: Telling
    rules: Rules
    lateness: Rates
    asked: tuple[tuple[datetime, str], ...] | None = None
    calendar_brought: bool = False
    watch: Watch = field(default_factory=Watch)


Here = Context[Engine]
