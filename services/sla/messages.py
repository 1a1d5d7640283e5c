"""What handling units are told."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from zoneinfo import ZoneInfo

from libs.common.runtime.messages import Texts
from services.sla.domain import LIGHTS, Alert

LISTED = 10
"""How many tickets, or units, one message names: a short message of more comes in many pieces."""


@dataclass(frozen=True, slots=True)
class Messages(Texts):
    """The catalogue of sla."""

    def notice(self, alerts: tuple[Alert, ...], timezone: ZoneInfo, language: str) -> str:
        """Return what to tell of one mark that one or many tickets reached, the one that is due first in front."""
        first = alerts[0]
        mark = first.mark if first.mark in LIGHTS else "warned"
        told = {
            "grade": first.mark,
            "clock": self.say(language, "clock", first.clock),
            "due": f"{first.due_at.astimezone(timezone):%Y-%m-%d %H:%M}",
        }
        if len(alerts) == 1:
            unit = first.unit_name or ""
            return self.say(language, "one", first.audience, mark, **told, number=first.number, unit=unit)
        units = Counter(alert.unit_name or "" for alert in alerts).most_common()
        counted = (self.say(language, "list", "counted", name=name, count=count) for name, count in units)
        return self.say(
            language, "many", first.audience, mark, **told, count=len(alerts),
            units=self._listed(counted, len(units), language),
            numbers=self._listed((alert.number for alert in alerts), len(alerts), language),
        )  # fmt: skip

    def _listed(self, names: Iterable[str], count: int, language: str) -> str:
        listed = self.say(language, "list", "between").join(islice(names, LISTED))
        return self.say(language, "list", "more", listed=listed) if count > LISTED else listed
