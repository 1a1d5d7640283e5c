"""The platform's side of the reading process: starts it when there is something to read, ends it when it hangs."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

IDLE_SECONDS = 300.0
"""After so long without a task the process ends and its memory, some hundreds of megabytes, is free."""
LONGEST_ANSWER = 1024 * 1024
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "HOME", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
ROOT = Path(__file__).parents[4]
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_OFFLINE = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


class ReadError(Exception):
    """Nothing was read; its text says why and quotes nothing of the file."""


class UnreadableError(ReadError):
    """The file cannot be read, now or later."""


class ReaderGoneError(ReadError):
    """The process hung, ended or lacks something; another file, or this one another time, may do better."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a machine read. `confidence` is 0 to 1; `begins` and `ends` are seconds of live audio."""

    text: str
    language: str | None = None
    confidence: float | None = None
    truncated: bool = False
    begins: float | None = None
    ends: float | None = None


def can_read_pictures() -> bool:
    """Say whether the library that reads pictures is installed."""
    return find_spec("rapidocr") is not None


def can_read_speech() -> bool:
    """Say whether the library that reads speech is installed; it needs a model too."""
    return find_spec("faster_whisper") is not None


class Reader:
    """One reading process, for one task at a time. `model` is a folder that faster-whisper can load, for speech."""

    def __init__(self, model: Path | None = None) -> None:
        self._model = str(model) if model else ""
        self._process: asyncio.subprocess.Process | None = None
        self._busy = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None

    async def picture(self, data: AsyncIterator[bytes], size: int, seconds: float = 60) -> Words:
        """Return the words in a picture. Raises ReadError."""
        return await self._read({"kind": "picture", "size": size}, data, seconds)

    async def recording(
        self, data: AsyncIterator[bytes], size: int, language: str | None = None, seconds: float = 1800
    ) -> Words:
        """Return the words in a recording; the language is heard if it is not given. Raises ReadError."""
        task = {"kind": "recording", "size": size, "model": self._model, "language": language}
        return await self._read(task, data, seconds)

    async def speech(self, pcm: bytes, rate: int, language: str | None, seconds: float = 30) -> Words:
        """Return the words of an utterance as far as it has come. Raises ReadError."""
        task = {"kind": "speech", "size": len(pcm), "rate": rate, "model": self._model, "language": language}
        return await self._read(task, _once(pcm), seconds)

    async def close(self) -> None:
        """End the process."""
        async with self._busy:
            await self._end()

    async def _read(self, task: dict[str, Any], data: AsyncIterator[bytes], seconds: float) -> Words:
        async with self._busy:
            if self._idle:
                self._idle.cancel()
            answered = False
            try:
                async with asyncio.timeout(seconds):
                    answer = await self._ask(task, data)
                answered = True
            except (TimeoutError, OSError, ValueError, EOFError, asyncio.LimitOverrunError) as error:
                raise ReaderGoneError(type(error).__name__) from error
            finally:
                # Whoever left in the middle of a task leaves a process that waits for the rest of it.
                if not answered:
                    await self._end()
            self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._retire)
        if "gone" in answer:
            raise ReaderGoneError(answer["gone"])
        if "unreadable" in answer:
            raise UnreadableError(answer["unreadable"])
        # A model may write any character; a database takes no NUL.
        return Words(**answer | {"text": _CONTROL.sub("", answer["text"])})

    async def _ask(self, task: dict[str, Any], data: AsyncIterator[bytes]) -> dict[str, Any]:
        process = await self._running()
        assert process.stdin  # noqa: S101 for the type checker: it is a pipe
        assert process.stdout  # noqa: S101 the same
        process.stdin.write(json.dumps(task).encode() + b"\n")
        async for chunk in data:
            process.stdin.write(chunk)
            await process.stdin.drain()
        await process.stdin.drain()
        answer: dict[str, Any] = json.loads(await process.stdout.readuntil(b"\n"))
        return answer

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "libs.common.runtime.reading",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                env=kept | _OFFLINE, cwd=ROOT, limit=LONGEST_ANSWER, start_new_session=True,
            )  # fmt: skip
        return self._process

    def _retire(self) -> None:
        if self._process and self._process.returncode is None and not self._busy.locked():
            self._process.terminate()
            # Not yet gone, it must get no task.
            self._process = None

    async def _end(self) -> None:
        if self._idle:
            self._idle.cancel()
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        self._process = None


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
