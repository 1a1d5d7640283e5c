"""classify with a small catalogue of its own, whose versions and models are soon trained."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from libs.common.contracts.intake import TicketReceived
from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.process import Stage
from libs.common.runtime.settings import Settings
from services.classify.service import SERVICE
from tests.support.stages import CITY, NOON, ManualClock, Peer, Probe, client, probing, running
from tests.support.waiting import until

ROWS = 12
"""Questions of each file that the small city keeps: what is tested does not depend on how many there are."""
BY_QUESTION = (
    "services.csv", "attributes.csv", "duties.csv", "named.csv", "routing.toml", "categories.csv", "seasons.toml",
)  # fmt: skip
"""Files that name questions and categories, which the small city does not have."""
OUTAGE = "家里突然没水了"


def make_small_city(folder: Path) -> None:
    """Make a folder Beijing with the first questions of three files."""
    shutil.copytree(CITY, folder, dirs_exist_ok=True)
    for file in BY_QUESTION:
        (folder / file).unlink(missing_ok=True)
    for number, path in enumerate(sorted((folder / "catalogue").glob("*.csv"))):
        if number < 3:
            lines = path.read_text(encoding="utf-8").splitlines()[: ROWS + 1]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        else:
            path.unlink()


class Versioned:
    """The service under test and all around it."""

    def __init__(self, stage: Stage, bus: MemoryBus, clock: ManualClock, probe: Probe, settings: Settings) -> None:
        self.stage, self.bus, self.clock, self.probe, self.settings = stage, bus, clock, probe, settings
        self.peer = Peer(bus, clock)
        self.http = client([stage], (settings.home / "key").read_text())

    @property
    def judging_by(self) -> tuple[str, str]:
        """The catalogue and the model that judge now."""
        engine = self.stage.context.engine
        return engine.rules.catalogue.version, engine.model.name

    async def get(self, path: str) -> Any:
        """Return what is there."""
        answer = await self.http.get(f"/classify/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None) -> Any:
        """Return the answer to a command that is followed."""
        answer = await self.http.post(f"/classify/v1/{path}", json=body or {})
        assert answer.is_success, answer.text
        return answer.json()

    async def bring(self, files: dict[str, str], query: str = "") -> httpx.Response:
        """Import a catalogue."""
        parts = [("files", (name, text.encode(), "text/csv")) for name, text in files.items()]
        return await self.http.post(f"/classify/v1/catalogues{query}", files=parts)

    async def done(self, run: Any) -> Any:
        """Wait until a run ended, and return it."""
        return await until(lambda: self.get(f"models/runs/{run['run_id']}"), lambda seen: seen["ended_at"])

    async def judging(self, catalogue: str, model: str | None = None) -> None:
        """Wait until this judges."""

        async def now() -> tuple[str, str]:
            self.stage.context.loops["versions"].wake()
            return self.judging_by

        await until(now, lambda by: by[0] == catalogue and model in {None, by[1]})

    async def status(self, method: str, path: str, body: Any = None) -> int:
        """Return the status that a request is answered with."""
        answer = await self.http.request(method, f"/classify/v1/{path}", json=body)
        return answer.status_code

    async def trained(self, catalogue: str) -> str:
        """Train a model of a catalogue and return its name."""
        run = await self.done(await self.post("models/train", {"catalogue": catalogue}))
        assert run["state"] == "done", run
        return str(run["model"])


def received(text: str) -> TicketReceived:
    """Return an appeal in these words."""
    return TicketReceived(number="20260302-0000001", channel="web", text=text, received_at=NOON)


@asynccontextmanager
async def versioned(settings: Settings) -> AsyncIterator[Versioned]:
    """Run the service until the block ends, once its own catalogue is in force."""
    clock, bus = ManualClock(), MemoryBus()
    async with probing(bus, "jiesu.classify.v1") as probe, running(SERVICE, settings, bus, clock) as stage:
        world = Versioned(stage, bus, clock, probe, settings)
        async with world.http:
            await until(lambda: world.get("activations"), lambda seen: seen["in_force"])
            yield world
