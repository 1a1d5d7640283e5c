"""A circuit breaker: who failed several times in a row is left alone for a while, and then tried once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]
FAILURES = 5
"""So many failures in a row open it."""


@dataclass(slots=True)
class Breaker:
    """Of one process. Times are the platform's; `pause` is how long it stays open."""

    pause: timedelta
    failures: int = 0
    open_until: datetime | None = None

    def state(self, now: datetime) -> BreakerState:
        """Return closed when all may pass, open when none may, half_open when one may to see how it goes."""
        if self.open_until is None:
            return "closed"
        return "open" if now < self.open_until else "half_open"

    def admit(self, now: datetime) -> bool:
        """Say whether a call may pass now."""
        state = self.state(now)
        if state == "half_open":
            # Open again for who comes behind the one that tries. Should that one be lost, another may after a pause.
            self.open_until = now + self.pause
        return state != "open"

    def judge(self, now: datetime, *, ails: bool) -> None:
        """Take in how a call went that was let pass."""
        self.failures = self.failures + 1 if ails else 0
        self.open_until = now + self.pause if self.failures >= FAILURES else None
