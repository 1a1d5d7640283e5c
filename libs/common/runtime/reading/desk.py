"""How many calls are transcribed at once, each by a reading process of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from libs.common.runtime.problems import Problem
from libs.common.runtime.reading.reader import Reader, can_read_speech


class SpeechDesk:
    """Lends out at most `most` readers. Without a model, or its library, it lends none."""

    def __init__(self, model: Path | None, most: int) -> None:
        self._model = model
        self._most = most
        self._lent = 0
        self._spare: list[Reader] = []

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Reader]:
        """Lend a reader. Raises Problem 503 when there is none to lend."""
        if self._model is None or not can_read_speech():
            raise Problem(
                503, "no speech model is installed here: an operator sets JIESU_SPEECH_MODEL after `make media`"
            )
        if self._lent >= self._most:
            raise Problem(503, f"{self._most} calls are transcribed already; try again", headers={"Retry-After": "30"})
        self._lent += 1
        reader = self._spare.pop() if self._spare else Reader(self._model)
        try:
            yield reader
        finally:
            self._lent -= 1
            self._spare.append(reader)
