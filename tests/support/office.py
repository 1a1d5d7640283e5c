"""An office that is told notices: a database with them, a directory, and a gateway to reach people by."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from libs.common.messaging.schema import HEART_1
from libs.common.messaging.transaction import Speaker
from libs.common.runtime.database import Database, open_database
from libs.common.runtime.directory import Directory
from libs.common.runtime.notify import HOLDING, Courier, Letters, Notice, enqueue
from libs.common.runtime.settings import Settings
from tests.support.gateway import Gateway, running_gateway
from tests.support.stages import ManualClock

SECRET = "s3cret0f4robot"
WATER = "unit:dept-water"
NOTICE = Notice("ticket-1/1/completion/yellow", WATER, "工单20260302-0000001已超时")


class Office:
    """A database with notices, a directory, and a gateway to reach people by."""

    def __init__(self, database: Database, clock: ManualClock, gateway: Gateway, home: Path) -> None:
        self.database, self.clock, self.gateway = database, clock, gateway
        self.file = home / "notify.toml"
        self.gateway_url = f"http://127.0.0.1:{gateway.port}/send?token={SECRET}"

    def courier(
        self, gateway_url: str | None = None, letters: Letters | None = None, mail_gateway: str = ""
    ) -> Courier:
        """Return one process's courier."""
        url = self.gateway_url if gateway_url is None else gateway_url
        settings = Settings(sms_gateway=url, mail_gateway=mail_gateway)
        return Courier("sla", self.database, self.clock, Directory(self.file), settings, letters)

    def write(self, *ways: str, to: str = WATER) -> None:
        """Let an address lead to these ways, and no other anywhere."""
        beside = self.file.with_suffix(".new")
        beside.write_text(f'[to]\n"{to}" = {list(ways)!r}\n')
        beside.replace(self.file)

    async def tell(self, *notices: Notice) -> None:
        """Enqueue notices in a transaction."""
        async with self.database.begin() as tx:
            await enqueue(tx.connection, notices, tx.now)

    async def row(self, key: str = NOTICE.key) -> dict[str, Any]:
        """Return what is known of a notice."""
        (row,) = await self.database.pool.fetch("SELECT * FROM notices WHERE key = $1", key)
        return dict(row)

    async def holding(self) -> bool:
        """Return whether any notice keeps others waiting."""
        return bool(await self.database.pool.fetch(f"SELECT FROM notices o WHERE {HOLDING}"))

    async def states(self) -> set[str]:
        """Return what became of all notices."""
        return {row["state"] for row in await self.database.pool.fetch("SELECT state FROM notices")}


@asynccontextmanager
async def running_office(dsn: str, home: Path) -> AsyncIterator[Office]:
    """Open an office, in which the water authority is reached by one telephone."""
    clock = ManualClock()
    database = await open_database(dsn, Speaker("sla", frozenset(), clock.now, clock.new_id), 4)
    await database.pool.execute(HEART_1)
    async with running_gateway() as gateway:
        office = Office(database, clock, gateway, home)
        office.write("sms:+8613800000000")
        yield office
    await database.close()
