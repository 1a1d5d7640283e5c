"""Speech while it is spoken: when to look at what was said so far, and where one utterance ends and the next begins."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from libs.common.runtime.reading.reader import Words

STEP_SECONDS = 1.0
"""New speech between two looks."""
SILENCE_SECONDS = 0.7
"""A pause so long ends an utterance."""
LONGEST_SECONDS = 20.0
"""Whoever speaks on without a pause is cut here: the model hears no more than 30 s at a time."""
KEPT_SECONDS = 0.3
"""Of silence, so much is kept before the next word."""
BYTES_PER_SAMPLE = 2


@dataclass(frozen=True, slots=True)
class Heard:
    """Words of one utterance, which may still change unless `final`. Times are seconds from the first sample."""

    text: str
    final: bool
    begins: float
    ends: float


@dataclass(slots=True)
class Utterance:
    """The audio that is not final yet: mono, 16 bits, little-endian, `rate` samples per second."""

    rate: int
    audio: bytearray = field(default_factory=bytearray)
    start: float = 0.0
    looked_at: float = 0.0

    @property
    def seconds(self) -> float:
        """How long the audio is that is not final yet."""
        return len(self.audio) / BYTES_PER_SAMPLE / self.rate

    @property
    def worth_a_look(self) -> bool:
        """Whether enough came since the last look."""
        return self.seconds - self.looked_at >= STEP_SECONDS

    def add(self, pcm: bytes) -> None:
        """Take more audio."""
        self.audio += pcm

    async def look(self, read: Callable[[bytes], Awaitable[Words]], *, over: bool = False) -> Heard | None:
        """Return what was said so far, if anything; with `over`, no more will come and it is final."""
        length = min(self.seconds, LONGEST_SECONDS)
        words = await read(bytes(self.audio[: self._place(length)]))
        if words.begins is None or words.ends is None:
            self._drop(length if over else max(0.0, length - KEPT_SECONDS))
            return None
        final = over or length - words.ends >= SILENCE_SECONDS or length >= LONGEST_SECONDS
        heard = Heard(words.text, final, self.start + words.begins, self.start + words.ends)
        if final:
            self._drop(length if over else words.ends)
        else:
            self.looked_at = length
        return heard if heard.text else None

    def _drop(self, seconds: float) -> None:
        place = self._place(seconds)
        del self.audio[:place]
        self.start += place / BYTES_PER_SAMPLE / self.rate
        self.looked_at = 0.0

    def _place(self, seconds: float) -> int:
        return round(seconds * self.rate) * BYTES_PER_SAMPLE


LONGEST_BACKLOG_SECONDS = 60.0
"""Who speaks so far ahead of the machine is told that it cannot follow."""


class TooSlowError(Exception):
    """The machine cannot follow the speech."""


class Incoming:
    """Audio that came while the machine was busy, at most `most` bytes of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._audio = bytearray()
        self._news = asyncio.Event()
        self._over = False

    async def feed(self, audio: AsyncIterator[bytes]) -> None:
        """Take all that comes, until no more does. Raises TooSlowError if too much waits."""
        try:
            async for pcm in audio:
                self._audio += pcm
                if len(self._audio) > self._most:
                    raise TooSlowError
                if self._audio:
                    self._news.set()
        finally:
            self._over = True
            self._news.set()

    async def take(self) -> bytes:
        """Return what came since the last time, once something did; nothing when no more will."""
        if not self._over:
            await self._news.wait()
            self._news.clear()
        taken = bytes(self._audio)
        self._audio.clear()
        return taken


async def transcript(
    audio: AsyncIterator[bytes], rate: int, read: Callable[[bytes], Awaitable[Words]]
) -> AsyncGenerator[Heard, None]:
    """Yield what is heard as the audio comes: an utterance as it grows, and once more when it is final.

    Raises TooSlowError, or what `read` or `audio` raise.
    """
    incoming = Incoming(round(LONGEST_BACKLOG_SECONDS * rate) * BYTES_PER_SAMPLE)
    feeding = asyncio.create_task(incoming.feed(audio))
    utterance = Utterance(rate)
    try:
        while pcm := await incoming.take():
            utterance.add(pcm)
            if utterance.seconds > LONGEST_BACKLOG_SECONDS:
                raise TooSlowError
            if utterance.worth_a_look and (heard := await utterance.look(read)):
                yield heard
        await feeding
        while utterance.seconds >= KEPT_SECONDS:
            if heard := await utterance.look(read, over=utterance.seconds <= LONGEST_SECONDS):
                yield heard
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
