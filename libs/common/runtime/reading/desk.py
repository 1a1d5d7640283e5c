"""The readers of a service: one for the files it keeps, and those it lends out for calls, each a process of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from libs.common.contracts.vocabulary import FileKind
from libs.common.runtime.problems import Problem
from libs.common.runtime.reading.reader import Reader, Words, can_read_pictures, can_read_speech
from libs.common.runtime.settings import SettingsError

MODEL = "model.bin"


class ReadingDesk:
    """Reads files one at a time, and lends out at most `most` readers to calls.

    Speech needs a model, a folder of faster-whisper; and whatever is read, its library. Raises SettingsError if the
    folder is none.
    """

    def __init__(self, model: Path | None, most: int) -> None:
        if model and not (model / MODEL).is_file():
            raise SettingsError(
                f"JIESU_SPEECH_MODEL: must be the folder of a faster-whisper model; no {MODEL} is there"
            )
        self._model = model if can_read_speech() else None
        self._most = most
        self._lent = 0
        self._spare: list[Reader] = []
        self._files = Reader(self._model)

    @property
    def kinds(self) -> tuple[FileKind, ...]:
        """The kinds of file that can be read here."""
        pictures: tuple[FileKind, ...] = ("picture",) if can_read_pictures() else ()
        speech: tuple[FileKind, ...] = ("audio", "video") if self._model else ()
        return pictures + speech

    async def file(self, kind: FileKind, data: AsyncIterator[bytes], size: int) -> Words:
        """Return the words in a file of one of `kinds`. Raises ReadError, and what `data` raises."""
        return await (self._files.picture if kind == "picture" else self._files.recording)(data, size)

    @asynccontextmanager
    async def call(self) -> AsyncIterator[Reader]:
        """Lend a reader for one call. Raises Problem 503 when there is none to lend."""
        if self._model is None:
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
