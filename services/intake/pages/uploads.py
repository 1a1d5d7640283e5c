"""Files that came with a form."""

from collections.abc import AsyncIterator

from starlette.datastructures import UploadFile

from libs.common.runtime.problems import Problem
from services.intake.pages.frame import Visitor

CHUNK_BYTES = 256 * 1024
_REFUSED = {413: "files_large", 415: "files_kind", 422: "files_broken"}


async def chunks(file: UploadFile) -> AsyncIterator[bytes]:
    """Yield the bytes of a file."""
    while chunk := await file.read(CHUNK_BYTES):
        yield chunk


def refused(visitor: Visitor, problem: Problem) -> dict[str, str]:
    """Return what to say of a file that was not taken. Raises the problem again if the file is not at fault."""
    if problem.status not in _REFUSED:
        raise problem
    return {"files": visitor.say("wrong", _REFUSED[problem.status])}
