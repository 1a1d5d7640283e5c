"""The one clock of a platform. Replay and simulation run it from another start, or n times as fast."""

import asyncio
import math
import secrets
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

_UNIX_EPOCH = datetime.fromtimestamp(0, UTC)


class Clock:
    """Platform time. `JIESU_CLOCK=2026-01-01T00:00:00+08:00,60` starts there and runs 60 times real time.

    Every process that is given the same text shows the same time, because the start is tied to `epoch`: an instant of
    real time, part of the text when the processes do not start together (`start,rate,epoch`).
    """

    def __init__(self, start: datetime | None = None, rate: float = 1.0, epoch: datetime | None = None) -> None:
        if not 0 < rate < math.inf:
            raise ValueError(f"a clock's rate is a number over 0, not {rate}")
        self.rate = rate
        self._epoch = time.time() if epoch is None else epoch.timestamp()
        self._start = self._epoch if start is None else start.timestamp()

    @classmethod
    def parse(cls, text: str) -> "Clock":
        """Read `start,rate[,epoch]`; empty text is real time. Raises ValueError naming what would be right."""
        if not text:
            return cls(epoch=_UNIX_EPOCH, start=_UNIX_EPOCH)
        try:
            start, rate, *rest = text.split(",")
            (epoch,) = map(_instant, rest) if rest else (None,)
            return cls(_instant(start), float(rate), epoch)
        except ValueError as error:
            raise ValueError(
                f"JIESU_CLOCK is start,rate[,epoch], e.g. 2026-01-01T00:00:00+08:00,60; got {text!r}: {error}"
            ) from error

    def now(self) -> datetime:
        """Return the platform's time, in UTC."""
        return datetime.fromtimestamp(self._start + (time.time() - self._epoch) * self.rate, UTC)

    def new_id(self) -> UUID:
        """Return a UUIDv7 (RFC 9562) of this moment."""
        milliseconds = (self.now() - _UNIX_EPOCH) // timedelta(milliseconds=1)
        chance = secrets.randbits(74)
        return UUID(int=milliseconds << 80 | 7 << 76 | chance >> 62 << 64 | 2 << 62 | chance & (1 << 62) - 1)

    def real_seconds(self, platform: timedelta) -> float:
        """Return how long a span of platform time takes."""
        return platform.total_seconds() / self.rate

    async def sleep(self, platform: timedelta) -> None:
        """Wait for a span of platform time."""
        await asyncio.sleep(max(0.0, self.real_seconds(platform)))


def born(id_: UUID) -> datetime:
    """Return when a UUIDv7 was made, to the millisecond. Raises ValueError for another kind of id."""
    if id_.version != 7:
        raise ValueError(f"{id_} is not a UUIDv7")
    return datetime.fromtimestamp((id_.int >> 80) / 1000, UTC)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text.strip())
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return instant
