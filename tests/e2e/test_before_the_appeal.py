"""Work before the appeal goes from feedback to the unit's list in dispatch, and its end too."""

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.memory import MemoryBus
from services.dispatch.service import SERVICE as DISPATCH
from services.feedback.service import SERVICE as FEEDBACK
from tests.support.stages import ManualClock, client, running, settings_for
from tests.support.waiting import until

NOBODY = "http://127.0.0.1:9"
WORK = {"unit": "co-gas", "codes": ["gas-01-05"], "what": "入户检查报警器", "by_date": "2026-04-01T00:00:00+08:00"}


async def test_what_feedback_proposes_stands_in_dispatch_until_the_unit_has_done_it(
    postgres_server: PrivatePostgres, tmp_path: Path
) -> None:
    names = [f"test_{uuid.uuid4().hex}" for _ in range(2)]
    postgres_server.ensure_database(names)
    homes = [replace(settings_for(tmp_path, postgres_server.dsn(name)), classify_url=NOBODY) for name in names]
    bus, clock = MemoryBus(), ManualClock()
    async with (
        running(FEEDBACK, homes[0], bus, clock) as feedback,
        running(DISPATCH, homes[1], bus, clock) as dispatch,
        client([feedback, dispatch], (tmp_path / "key").read_text()) as http,
    ):

        async def listed() -> list[tuple[str, str]]:
            works: dict[str, Any] = (await http.get("/dispatch/v1/proactive")).json()
            return [(work["order_id"], work["state"]) for work in works["items"]]

        order = (await http.post("/feedback/v1/proactive", json=WORK)).json()["order_id"]
        await until(listed, lambda works: works == [(order, "open")])
        done = await http.post(f"/feedback/v1/proactive/{order}/done", json={"note": "已查", "evidence": 3})
        assert done.json()["state"] == "done"
        await until(listed, lambda works: works == [(order, "done")])
