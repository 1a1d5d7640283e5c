"""The record as tests write it: rounds, answers and ruled returns put straight into the tables of feedback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.security import KeyRing, Role
from services.feedback import store
from services.feedback.domain import Bounce, Case, Review
from services.feedback.service import SERVICE
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

STREET, TOWN = "s-110105026", "s-110105033"
"""Two units of Chaoyang, a street and a town."""
MONTH = "2026-03"
NEXT_MONTH = datetime(2026, 4, 1, 4, tzinfo=NOON.tzinfo)
_IDS = ManualClock().new_id
_CASE = Case(
    UUID(int=0), 1, code="water-01-01", category=("供水排水", "自来水供应", "突然停水"), channel="phone",
    urgency="general", district="110105", street=STREET, received_at=NOON, unit_code=STREET, unit_name="望京街道",
    dispatched_at=NOON, accepted_at=NOON + timedelta(hours=1), contacted_at=NOON + timedelta(hours=2),
    resolved_at=NOON + timedelta(hours=4), response_in_time=True, completion_in_time=True,
)  # fmt: skip


def case(**more: Any) -> Case:
    """Return a round: a street's, well done, unless something else is said."""
    return replace(_CASE, **{"ticket_id": _IDS(), **more})


def review(of: Case, **more: Any) -> Review:
    """Return the answer to a round: solved and satisfied, unless something else is said."""
    asked = Review(
        ticket_id=of.ticket_id, round=of.round, about=of.ticket_id, method="callback", state="answered", reply="",
        requested_at=NOON, until=NOON, unit_code=of.unit_code, unit_name=of.unit_name, contacted=True, resolved="yes",
        satisfied=5, answered_at=NOON, period=MONTH,
    )  # fmt: skip
    return replace(asked, **more)


def bounce(of: Case, **more: Any) -> Bounce:
    """Return a return that was ruled to count against the unit that made it."""
    made = Bounce(
        _IDS(), of.ticket_id, of.round, of.unit_code or "", "not_our_duty", False, "unit", None, STREET, NOON
    )  # fmt: skip
    return replace(made, **more)


class Record:
    """feedback with a record that a test writes, its clock, and who reads it."""

    def __init__(self, stage: Stage, clock: ManualClock, probe: Probe, peer: Peer, key: str) -> None:
        self.stage, self.clock, self.probe, self.peer = stage, clock, probe, peer
        self.http = client([stage], key)

    async def keep(self, *rows: Case | Review | Bounce) -> None:
        """Write rows of the record."""
        async with self.stage.context.database.begin() as tx:
            await store.save_cases(tx, [row for row in rows if isinstance(row, Case)])
            await store.save_reviews(tx, [row for row in rows if isinstance(row, Review)])
            await store.save_bounces(tx, [row for row in rows if isinstance(row, Bounce)])

    async def answers(self, unit: str, good: int, bad: int = 0, **more: Any) -> list[Case]:
        """Write so many answers of a unit that say it is solved, and that it is not."""
        cases = [case(unit_code=unit, unit_name=unit, **more) for _ in range(good + bad)]
        said = [review(one) for one in cases[:good]]
        said += [review(one, resolved="no", satisfied=1) for one in cases[good:]]
        await self.keep(*cases, *said)
        return cases

    async def get(self, path: str, **params: Any) -> Any:
        """Return what a path answers."""
        answer = await self.http.get(f"/feedback/v1/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, **body: Any) -> httpx.Response:
        """Post a command."""
        return await self.http.post(f"/feedback/v1/{path}", json=body)

    def holding(self, *roles: Role, units: tuple[str, ...] = ()) -> httpx.AsyncClient:
        """Return a client with these roles, for some units."""
        name = "-".join([*roles, *units])
        return client([self.stage], KeyRing(self.stage.context.settings.keys_file).issue(name, roles, units))


@asynccontextmanager
async def recording(database: str, home: Path, at: datetime = NEXT_MONTH) -> AsyncIterator[Record]:
    """Run feedback on an empty record."""
    clock, bus = ManualClock(at), MemoryBus()
    settings = settings_for(home, database)
    async with probing(bus, "jiesu.feedback.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        record = Record(stage, clock, probe, Peer(bus, clock), (home / "key").read_text())
        async with record.http:
            yield record
