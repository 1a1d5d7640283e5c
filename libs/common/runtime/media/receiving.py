"""Files that come over HTTP: their bytes as they come, and what their sender is told when they are not taken."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

from libs.common.runtime.media.taking import Taken, Uploads
from libs.common.runtime.media.verdict import BusyError, NotTakenError, StalledError, TooLargeError, UnfitError
from libs.common.runtime.problems import FieldError, Problem, wrong_field


async def body_of(request: Request) -> AsyncIterator[bytes]:
    """Yield the body. Raises Problem 415 for a form, whose fields nobody asked for."""
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise Problem(415, "send the bytes of the file as the body, without a form around them")
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise Problem(400, "the body ended too soon") from error


@asynccontextmanager
async def received(uploads: Uploads, chunks: AsyncIterator[bytes]) -> AsyncIterator[Taken]:
    """Take a file in for as long as the block lasts; what the block finds wrong with it is told like the rest.

    Raises Problem: 408, 413, 415 and 422 for what the sender sent, 503 if too many send.
    """
    try:
        async with uploads.take(chunks) as taken:
            yield taken
    except NotTakenError as error:
        raise Problem(415, str(error)) from error
    except UnfitError as error:
        raise wrong_field("body", str(error)) from error
    except TooLargeError as error:
        raise Problem(413, f"the file {error}", errors=[FieldError("body", str(error))]) from error
    except StalledError as error:
        raise Problem(408, str(error)) from error
    except BusyError as error:
        raise Problem(503, "too many files at once, come back", headers={"Retry-After": "5"}) from error
