"""What sla's handlers find around them."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from libs.common.runtime.service import Context
from services.sla.domain import (
    Policy,
)
from services.sla.messages import Messages


@dataclass(frozen=True, slots=True)
class Engine:
    """What sla keeps in memory. `timezone` and `language` are those of the city's units."""

    policy: Policy
    messages: Messages
    timezone: ZoneInfo
    language: str


Here = Context[Engine]
