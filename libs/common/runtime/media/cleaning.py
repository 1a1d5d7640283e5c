"""Has files cleaned in processes of their own, a few at a time."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from io import BufferedRandom
from pathlib import Path

import structlog

from libs.common.runtime.media.formats import FORMATS, Format, Guess
from libs.common.runtime.media.verdict import NotTakenError, UnfitError

PATIENCE_SECONDS = 180.0
"""More than the process may compute, for it waits for its turn on a busy machine."""
ROOT = Path(__file__).parents[4]
log = structlog.get_logger(__name__)


class Cleaner:
    """Cleans files, at most `at_once` together: each may take a core, and a gigabyte of memory at the most."""

    def __init__(self, at_once: int = 2) -> None:
        self._turns = asyncio.Semaphore(at_once)

    async def clean(self, guess: Guess, source: BufferedRandom, target: BufferedRandom) -> tuple[Format, bool]:
        """Return what a file is, and whether `target` now holds a clean copy to keep in its place.

        Raises:
            NotTakenError: it is of a type that is not taken.
            UnfitError: it is broken, or holds what it must not.
        """
        async with self._turns:
            verdict = await _judge(guess, source, target)
        if "not_taken" in verdict:
            raise NotTakenError(verdict["not_taken"])
        if "unfit" in verdict:
            raise UnfitError(verdict["unfit"])
        return FORMATS[verdict["format"]], os.fstat(target.fileno()).st_size > 0


async def _judge(guess: Guess, source: BufferedRandom, target: BufferedRandom) -> dict[str, str]:
    source.seek(0)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-s", "-P", "-m", "libs.common.runtime.media", guess.family, guess.reader, str(target.fileno()),
        stdin=source, stdout=PIPE, stderr=DEVNULL, pass_fds=[target.fileno()], env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            told, _ = await process.communicate()
    except TimeoutError:
        told = b""
    finally:
        if process.returncode is None:
            process.kill()
    code = await process.wait()
    if code == 0:
        return dict(json.loads(told))
    log.warning("a decoder ended", family=guess.family, reader=guess.reader, code=code)
    if code > 0:
        raise RuntimeError(f"the cleaning of {guess.family} ended with {code}")
    # By a signal: it crashed, or came to a bound. That is the file's doing.
    return {"unfit": "is damaged, or takes too much to read"}
