"""Speech while it is spoken: when to look at what was said so far, and where one utterance ends and the next begins."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
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


async def transcript(
    audio: AsyncIterator[bytes], rate: int, read: Callable[[bytes], Awaitable[Words]]
) -> AsyncIterator[Heard]:
    """Yield what is heard as the audio comes: an utterance as it grows, and once more when it is final.

    Raises TooSlowError, or what `read` or `audio` raise.
    """
    queue: asyncio.Queue[bytes | None] = asyncio.Queue()
    feeding = asyncio.create_task(_feed(audio, queue))
    utterance = Utterance(rate)
    try:
        while await _take(queue, utterance):
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


async def _feed(audio: AsyncIterator[bytes], queue: "asyncio.Queue[bytes | None]") -> None:
    try:
        async for pcm in audio:
            queue.put_nowait(pcm)
    finally:
        queue.put_nowait(None)


async def _take(queue: "asyncio.Queue[bytes | None]", utterance: Utterance) -> bool:
    """Take all that came, at least one piece; return whether more may come."""
    pieces = [await queue.get()]
    while not queue.empty():
        pieces.append(queue.get_nowait())
    for pcm in pieces:
        if pcm is None:
            return False
        utterance.add(pcm)
    return True
