"""The bare floor of a POST.

`python -m tests.bench.door PORT DSN BYTES` serves it: Starlette under uvicorn with uvloop and httptools, one worker. A
POST is read, parsed by `json.loads`, and answered 202 once a blob of BYTES, as long as intake's mean sealed appeal, is
committed under a new id: what queued while the last insert ran goes into the next, two at a time. No key is checked, no
field validated, nothing sealed or numbered, and nothing happens behind it.
"""

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from uuid import UUID

import asyncpg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

LARGEST, FLUSHERS = 500, 2
CREATE = "CREATE TABLE IF NOT EXISTS appeals (id uuid PRIMARY KEY, sealed bytea NOT NULL)"
INSERT = "INSERT INTO appeals SELECT * FROM unnest($1::uuid[], $2::bytea[])"


class Inserts:
    """A bare micro-batch of inserts."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", size: int) -> None:
        self._pool = pool
        self._blob = b"x" * size
        self._queue: deque[tuple[UUID, asyncio.Future[None]]] = deque()
        self._flushers: set[asyncio.Task[None] | None] = set()

    async def add(self, id_: UUID) -> None:
        """Return when the row is committed."""
        committed = asyncio.get_running_loop().create_future()
        self._queue.append((id_, committed))
        if len(self._flushers) < FLUSHERS:
            self._flushers.add(asyncio.create_task(self._flush()))
        await committed

    async def _flush(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(LARGEST, len(self._queue)))]
            await self._pool.execute(INSERT, [id_ for id_, _ in batch], [self._blob] * len(batch))
            for _, committed in batch:
                committed.set_result(None)
        self._flushers.discard(asyncio.current_task())


def app(dsn: str, size: int) -> Starlette:
    """Return the app of the floor."""
    ids = count(time.time_ns() << 64)  # in order, as intake's are

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(dsn, min_size=FLUSHERS, max_size=FLUSHERS) as pool:
            await pool.execute(CREATE)
            app.state.inserts = Inserts(pool, size)
            yield

    async def post(request: Request) -> Response:
        json.loads(await request.body())
        id_ = UUID(int=next(ids))
        await request.app.state.inserts.add(id_)
        return JSONResponse(
            {"ticket_id": str(id_), "number": "20260302-0000001", "query_code": "0000000000", "status": "received"}, 202
        )

    return Starlette(routes=[Route("/intake/v1/tickets", post, methods=["POST"])], lifespan=lifespan)


if __name__ == "__main__":
    port, dsn, size = sys.argv[1:]
    uvicorn.run(
        app(dsn, int(size)), host="127.0.0.1", port=int(port), loop="uvloop", http="httptools", log_level="warning",
        access_log=False,
    )  # fmt: skip
