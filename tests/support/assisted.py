"""classify with a language model on a real socket, which answers as a test says."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from libs.common.contracts.envelope import Envelope
from libs.common.contracts.intake import TicketReceived
from libs.common.contracts.vocabulary import Receipt
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from services.classify import handlers
from services.classify.service import SERVICE
from tests.support.completions import Call, Completions, running_completions, said
from tests.support.stages import NOON, ManualClock, Peer, Probe, client, probing, running, settings_for

VAGUE = "琉璃瓦的事情拖了很久，一直没人来"
QUIET = replace(SERVICE, jobs={})
"""The service, asking only when a test says so."""
USAGE = {"prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000}


def chosen(place: int = 0, confidence: float = 0.9, **more: object) -> Callable[[Call], bytes]:
    """Return an answer that chooses the offered question at this place, in words of the appeal."""
    words = {"quote": "琉璃瓦", "summary": "琉璃瓦拖了很久没人来", "form": []}
    return lambda call: said({"code": call.codes[place], "confidence": confidence, **words, **more}, USAGE)


class Assisted:
    """The service under test, the endpoint it asks, and all around them."""

    def __init__(
        self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, key: str, endpoint: Completions
    ) -> None:  # fmt: skip
        self.stage, self.bus, self.clock, self.probe, self.endpoint = stage, bus, clock, probe, endpoint
        self.peer = Peer(bus, clock)
        self.http = client([stage], key)
        self.ticket = clock.new_id()

    async def receive(self, text: str = VAGUE, **more: Any) -> None:
        """Have an appeal in these words come in."""
        receipt = Receipt(number="20260302-0000001", channel="web", text=text, received_at=NOON, **more)
        await self.peer.say(self.ticket, TicketReceived(**receipt.model_dump()))

    async def another(self, number: int) -> None:
        """Have another ticket come in, in words that say the same but are not the same."""
        self.ticket = self.clock.new_id()
        await self.receive(f"{VAGUE}{'。' * number}")

    async def told(self, count: int) -> list[Envelope[Any]]:
        """Return what was told, once it is so much."""
        return await self.probe.until(lambda seen: len(seen) == count)

    def calm(self) -> None:
        """Have the breaker forget what went wrong."""
        self.stage.context.engine.assistant.breaker.judge(self.clock.now(), ails=False)

    async def ask(self) -> None:
        """Have what waits asked of."""
        await handlers.assist(self.stage.context)

    async def queue(self) -> list[Any]:
        """Return what waits for a person."""
        items: list[Any] = (await self.http.get("/classify/v1/reviews")).json()["items"]
        return items

    async def state(self) -> dict[str, Any]:
        """Return how the language model is."""
        answer = await self.http.get("/classify/v1/language-model")
        assert answer.status_code == 200
        state: dict[str, Any] = answer.json()
        return state

    async def rows(self, table: str) -> str:
        """Return all that a table holds."""
        return str(await self.stage.context.database.pool.fetch(f"SELECT t::text FROM {table} t"))  # noqa: S608


@asynccontextmanager
async def assisted(home: Path, dsn: str, *, service: Any = QUIET, **more: Any) -> AsyncIterator[Assisted]:
    """Run the service with an endpoint, under these settings of the language model."""
    clock, bus = ManualClock(), MemoryBus()
    named = {f"language_model_{name}": value for name, value in more.items()}
    async with running_completions() as endpoint:
        url = {"language_model_url": endpoint.url, "language_model_name": "small", "language_model_key": "k3y"}
        settings = replace(settings_for(home, dsn), **(url | named))
        async with probing(bus, "jiesu.classify.v1") as probe, running(service, settings, bus, clock) as stage:
            world = Assisted(stage, bus, clock, probe, (home / "key").read_text(), endpoint)
            endpoint.will(chosen())
            async with world.http:
                yield world


async def suggested(world: Assisted, **more: object) -> dict[str, Any]:
    """Return what is suggested of an appeal that is no ticket."""
    answer = await world.http.post("/classify/v1/suggestions", json={"text": VAGUE, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
