"""Documents written in a process of their own: what writing takes, some 100 MB, goes with it."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from services.feedback.reports.content import Report

Document = Literal["docx", "xlsx"]
PATIENCE_SECONDS = 120.0
ROOT = Path(__file__).parents[3]
REPORT = TypeAdapter(Report)


class NotWrittenError(RuntimeError):
    """The process that writes did not do it; the text says why."""


async def written(report: Report, document: Document) -> bytes:
    """Have a report written by a process of its own. Raises NotWrittenError, which is a fault of ours."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-s", "-P", "-m", "services.feedback.reports", document,
        stdin=PIPE, stdout=PIPE, stderr=PIPE, env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            file, errors = await process.communicate(REPORT.dump_json(report))
    except TimeoutError as late:
        raise NotWrittenError(f"a {document} was not written within {PATIENCE_SECONDS:g} s") from late
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise NotWrittenError(f"{document}: {process.returncode}, {_last(errors)}")
    return file


def _last(errors: bytes) -> str:
    # The last line of a traceback names the error; what kills a process from outside leaves none.
    return "".join(errors.decode(errors="replace").strip().splitlines()[-1:])
