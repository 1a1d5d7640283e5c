"""Serving files that are kept sealed: whole or a part, with headers under which nothing in them runs."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from uuid import UUID

import structlog
from starlette.responses import Response, StreamingResponse

from libs.common.contracts.vocabulary import FileKind
from libs.common.runtime.files import FileStore, Seal, StoreAwayError, UnknownFileError
from libs.common.runtime.links import Disposition
from libs.common.runtime.media.formats import BY_MEDIA_TYPE
from libs.common.runtime.problems import Problem

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; img-src 'self'"
log = structlog.get_logger(__name__)


def store_away() -> Problem:
    """Return what to say while the file store is away."""
    log.warning("file store is away")
    return Problem(503, "the files cannot be reached now, come back", headers={"Retry-After": "30"})


async def unsealed(
    store: FileStore, blob_id: UUID, seal: Seal, start: int = 0, end: int | None = None
) -> AsyncGenerator[bytes]:
    """Yield the bytes of a sealed file from `start` on, up to its end or the one before `end`.

    Raises Problem 503 if the store is away or has lost the file, BrokenSealError if it changed it.
    """
    left = (seal.size if end is None else end) - start
    try:
        async with (
            aclosing(store.open(blob_id, Seal.place(start))) as sealed,
            aclosing(seal.open(sealed, start)) as plain,
        ):
            async for chunk in plain:
                yield chunk[:left]
                left -= len(chunk)
                if left <= 0:
                    return
    except UnknownFileError as error:
        log.error("file store has lost a file", blob=str(blob_id))
        raise store_away() from error
    except StoreAwayError as error:
        raise store_away() from error


async def served(
    file_id: UUID, kind: FileKind, media_type: str, size: int,
    read: Callable[[int, int], AsyncIterator[bytes]], disposition: Disposition = "attachment", range_: str = "",
) -> Response:  # fmt: skip
    """Answer with a file, or with the part of it that a Range header asks for. A document is never shown in place.

    `read` yields the bytes from its first argument to before its second. Raises what it raises for the first of them.
    """
    first, last = _asked(range_, size)
    stream = read(first, last + 1)
    # Asked for here, so that a store which is away is still answered as such.
    begun = await anext(stream)
    name = f"{file_id}.{BY_MEDIA_TYPE[media_type].name}"
    headers = {
        "Content-Disposition": f'{disposition if kind != "document" else "attachment"}; filename="{name}"',
        "Content-Length": str(last + 1 - first),
        "Content-Security-Policy": _SANDBOX,
        "Accept-Ranges": "bytes",
    }
    partial = last + 1 - first < size
    if partial:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return StreamingResponse(_rest(begun, stream), 206 if partial else 200, headers, media_type=media_type)


async def _rest(begun: bytes, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield begun
    async for chunk in stream:
        yield chunk


def _asked(range_: str, size: int) -> tuple[int, int]:
    """Return the first and the last byte asked for: all, if it is not one range of bytes (RFC 9110, 14.2)."""
    found = _RANGE.fullmatch(range_)
    if not found or not (found[1] or found[2]):
        return 0, size - 1
    if not found[1]:
        first, last = max(0, size - int(found[2])), size - 1
    else:
        first, last = int(found[1]), min(int(found[2] or size), size - 1)
    if first > last:
        what = f"the file has {size} bytes, none of them in this range"
        raise Problem(416, what, headers={"Content-Range": f"bytes */{size}"})
    return first, last
