"""The three rates once more, by an auditor who hears the bus and knows neither tables nor code of feedback.

It reads the messages as they are published, JSON as it is on the wire, and is told each answer that was taken. What it
counts follows the definitions of the city's three rates alone: of the answers that no ruling took out, to work that a
unit led, the share that the record says were contacted, those that say solved, and those with 4 points or more.
"""

import json
from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from libs.common.messaging.bus import Message

BEIJING = timedelta(hours=8)
Rates = dict[str, tuple[int, int, int, int]]
"""By unit: answers that count, and of them those responded, solved and satisfied."""


@dataclass(frozen=True, slots=True)
class Given:
    """One answer that was taken."""

    ticket: str
    round: int
    resolved: str
    satisfied: int
    at: datetime

    @property
    def month(self) -> str:
        """The city's month it was given in."""
        return f"{self.at + BEIJING:%Y-%m}"


class Ledger:
    """All that was said, as far as the three rates need it."""

    def __init__(self) -> None:
        self.given: list[Given] = []
        self.events = 0
        self._parent: dict[str, str] = {}
        self._leads: dict[tuple[str, int], str] = {}
        self._spoke: set[tuple[str, int]] = set()
        self._reported: set[tuple[str, int]] = set()
        self._screened: dict[str, list[tuple[datetime, bool]]] = defaultdict(list)

    def hear(self, message: Message, at: datetime) -> None:
        """Take a message off the bus, published at a moment of the platform's clock."""
        self.events += 1
        said = dict(message.headers)
        name, subject = said["ce_type"].decode(), said["ce_subject"].decode()
        if name == "jiesu.ticket.linked.v1":
            self._parent[subject] = json.loads(message.body)["parent"]
        elif name == "jiesu.ticket.resolved.v1":
            body = json.loads(message.body)
            self._leads[subject, body["round"]] = body["unit"]["code"]
            if body["contacted"]:
                self._reported.add((subject, body["round"]))
        elif name == "jiesu.ticket.contacted.v1":
            body = json.loads(message.body)
            if body["reached"]:
                self._spoke.add((subject, body["round"]))
        elif name == "jiesu.ticket.screened.v1":
            self._screened[subject].append((at, not json.loads(message.body)["lifted"]))

    def answered(self, ticket: UUID, round_: int, resolved: str, satisfied: int, at: datetime) -> None:
        """Take an answer that the platform took."""
        self.given.append(Given(str(ticket), round_, resolved, satisfied, at))

    def rates(self, month: str, as_of: datetime, without: Container[tuple[str, str]] = ()) -> Rates:
        """Return what a month comes to by the rulings up to a moment. `without` are tickets that units appealed on."""
        found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for one in self.given:
            about = self._parent.get(one.ticket, one.ticket)
            unit = self._leads.get((about, one.round))
            if one.month != month or unit is None or (one.ticket, unit) in without or self._is_out(one.ticket, as_of):
                continue
            responded = (about, one.round) in self._reported
            # Who repeats a matter judges what the unit reported of it; contacts are those with the first reporter.
            responded = responded or (about == one.ticket and (about, one.round) in self._spoke)
            row = found[unit]
            for place, holds in enumerate((True, responded, one.resolved == "yes", one.satisfied >= 4)):
                row[place] += holds
        return {unit: (row[0], row[1], row[2], row[3]) for unit, row in found.items()}

    def _is_out(self, ticket: str, as_of: datetime) -> bool:
        heard = [out for at, out in self._screened.get(ticket, ()) if at <= as_of]
        return bool(heard) and heard[-1]
