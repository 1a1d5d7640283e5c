"""What sla's handlers find around them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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

    `lateness` says how likely clocks are missed. `below` are the codes of each unit and all under it. `brought` and
    `calendar_brought`: this process has told the database of its pack's policies, and of its calendar.
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
    brought: bool = False
    calendar_brought: bool = False
    watch: Watch = field(default_factory=Watch)


Here = Context[Engine]
