"""An appeal of an elderly person: the first answer comes within a day, or sooner where its class says so."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from libs.common.city.policies import FILE, rule_text
from libs.common.city.settings import Limit
from libs.common.contracts.classify import TicketClassified
from libs.common.contracts.intake import TicketReceived
from libs.common.contracts.vocabulary import Receipt, Urgency
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from services.sla.service import SERVICE
from tests.support.stages import CITY, NOON, ManualClock, Peer, Probe, probing, running, settings_for

RECEIPT: dict[str, Any] = {"number": "20260302-0000001", "channel": "web", "text": "t", "received_at": NOON}
LIGHT = ("市政设施", "照明", "路灯不亮")
DAY = timedelta(hours=24)
SLOW = {"general": 2 * DAY, "complex": 3 * DAY}


class World:
    """The service under test, in a city whose general matters may wait for two days."""

    def __init__(self, stage: Stage, peer: Peer, probe: Probe) -> None:
        self.stage, self.peer, self.probe = stage, peer, probe
        limits = stage.context.engine.city.policy.limits
        self.response = {name: limit.response for name, limit in limits.items()} | SLOW


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    clock, bus = ManualClock(), MemoryBus()
    pack = tmp_path / "city"
    shutil.copytree(CITY, pack)
    rules = [rule_text(f"slow_{name}", Limit(span, 9 * DAY), "natural", urgency=[name]) for name, span in SLOW.items()]
    (pack / FILE).write_text("\n".join(rules))
    settings = replace(settings_for(tmp_path, fresh_database), city=pack)
    async with probing(bus, "jiesu.sla.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        yield World(stage, Peer(bus, clock), probe)


@pytest.mark.parametrize("urgency", get_args(Urgency))
async def test_the_response_clock_of_an_elderly_caller_is_a_day_or_the_class_whichever_is_sooner(
    world: World, urgency: Any
) -> None:
    due = {}
    for needs in ((), ("elderly",)):
        ticket = ManualClock().new_id()
        receipt = Receipt(**RECEIPT, access_needs=needs)
        classified = TicketClassified(
            receipt=receipt, code="facil-02-01", category=LIGHT, kind="report", urgency=urgency, confidence=0.9,
            summary="s", owner_kind="department", judged_by="model", model="m", catalogue="c",
        )  # fmt: skip
        await world.peer.say(ticket, classified, TicketReceived(**receipt.model_dump()))
        await world.probe.until(lambda seen: sum(e.subject == str(ticket) for e in seen) == 2)  # noqa: B023 used at once
        started = await world.probe.named("clock.started", subject=ticket)
        due[needs] = next(e.data.due_at for e in started if e.data.clock == "response") - NOON
    assert due == {(): world.response[urgency], ("elderly",): min(DAY, world.response[urgency])}
