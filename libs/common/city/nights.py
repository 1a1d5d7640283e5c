"""The quiet hours of a city, when nobody is told what can wait till morning."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Night:
    """From `begins` until `ends` by the clocks of a time zone; none if the two are equal."""

    begins: time
    ends: time
    timezone: ZoneInfo

    def covers(self, at: datetime) -> bool:
        """Whether it is night."""
        local = at.astimezone(self.timezone).time()
        if self.begins <= self.ends:
            return self.begins <= local < self.ends
        return local >= self.begins or local < self.ends

    def over(self, at: datetime) -> datetime:
        """Return when it is day: `at` itself, or the end of the night it falls in."""
        if not self.covers(at):
            return at
        today = at.astimezone(self.timezone).date()
        morning = datetime.combine(today, self.ends, self.timezone)
        return morning if morning > at else datetime.combine(today + timedelta(days=1), self.ends, self.timezone)
