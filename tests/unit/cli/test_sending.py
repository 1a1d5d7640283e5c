"""A replay sends each record once, however often it is interrupted, and says what came of each."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest

from services.cli import sending
from services.cli.records import ColumnMap, Source, map_columns, open_source
from services.cli.sending import BATCH, Ledger, Replay, ReplayError, Report
from tests.support.stages import NOON, ManualClock


class Intake:
    """Plays intake's batch endpoint: one ticket for each external_ref, and whatever `refuse` says of a line."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.tickets: dict[str, UUID] = {}
        self.received: list[list[dict[str, Any]]] = []
        self.refuse: Callable[[dict[str, Any]], tuple[int, str] | None] = lambda _: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        bodies = [json.loads(line) for line in request.content.splitlines()]
        self.received.append(bodies)
        lines = [json.dumps({"line": number, **self._answer(body)}) for number, body in enumerate(bodies, 1)]
        return httpx.Response(200, text="\n".join(lines) + "\n")

    def _answer(self, body: dict[str, Any]) -> dict[str, Any]:
        if problem := self.refuse(body):
            return {"problem": {"status": problem[0], "detail": problem[1]}}
        ticket = self.tickets.setdefault(body["external_ref"], self.clock.new_id())
        return {"ticket_id": str(ticket), "number": "1", "query_code": "x", "status": "received"}


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "backoff", lambda _: 0)


def _source(folder: Path, rows: int) -> tuple[Source, ColumnMap]:
    path = folder / "records.csv"
    path.write_text("id,text\n" + "".join(f"{n},第{n}条\n" for n in range(1, rows + 1)))
    source = open_source(path)
    return source, map_columns(source, ["text=text"], "web", "id", "", ZoneInfo("UTC"), received=False)


async def _replay(
    folder: Path, transport: Callable[[httpx.Request], httpx.Response], rows: int = 3, started: datetime = NOON
) -> Report:
    source, columns = _source(folder, rows)
    async with httpx.AsyncClient(base_url="http://jiesu", transport=httpx.MockTransport(transport)) as http:
        replayed = Replay(http, Ledger(folder / "replays", source, columns, "http://jiesu"), started)
        return await replayed.run(source, columns, lambda _: None)


async def test_every_record_is_sent_in_batches(tmp_path: Path, intake: Intake) -> None:
    report = await _replay(tmp_path, intake, rows=BATCH + 2)
    assert [len(batch) for batch in intake.received] == [BATCH, 2]
    assert (report.sent, report.accepted, report.known, report.skipped) == (BATCH + 2, BATCH + 2, 0, 0)
    assert report.tickets == set(intake.tickets.values())


async def test_a_second_run_sends_nothing_and_knows_the_tickets(tmp_path: Path, intake: Intake) -> None:
    first = await _replay(tmp_path, intake)
    second = await _replay(tmp_path, intake)
    assert len(intake.received) == 1
    assert (second.sent, second.skipped, second.tickets) == (0, 3, first.tickets)


async def test_a_run_after_a_break_sends_only_the_rest(tmp_path: Path, intake: Intake) -> None:
    calls = iter([intake])

    def breaks_down(request: httpx.Request) -> httpx.Response:
        answers = next(calls, None)
        if answers is None:
            raise httpx.ConnectError("gone")
        return answers(request)

    with pytest.raises(ReplayError, match="http://jiesu cannot take appeals"):
        await _replay(tmp_path, breaks_down, rows=BATCH + 2)
    report = await _replay(tmp_path, intake, rows=BATCH + 2)
    assert (report.sent, report.skipped, len(report.tickets)) == (2, BATCH, BATCH + 2)


async def test_half_a_line_in_the_ledger_is_sent_again(tmp_path: Path, intake: Intake) -> None:
    await _replay(tmp_path, intake)
    (ledger,) = (tmp_path / "replays").iterdir()
    ledger.write_text(ledger.read_text()[:-10])
    report = await _replay(tmp_path, intake, started=NOON + timedelta(hours=1))
    assert (report.sent, report.known, report.skipped) == (1, 1, 2)


async def test_what_the_platform_had_before_is_told_apart(tmp_path: Path, intake: Intake) -> None:
    intake.clock.at = NOON - timedelta(days=1)
    intake.tickets["2"] = intake.clock.new_id()
    intake.clock.at = NOON
    report = await _replay(tmp_path, intake)
    assert (report.accepted, report.known) == (2, 1)


async def test_refusals_are_grouped_by_reason_with_their_lines(tmp_path: Path, intake: Intake) -> None:
    intake.refuse = lambda body: (422, "text: too long") if body["external_ref"] != "2" else None
    report = await _replay(tmp_path, intake)
    assert dict(report.refused) == {"text: too long": [2, 4]}
    assert report.accepted == 1


async def test_what_a_full_platform_puts_off_is_sent_again(tmp_path: Path, intake: Intake) -> None:
    busy = iter([(503, "too many appeals at once")])
    intake.refuse = lambda _: next(busy, None)
    report = await _replay(tmp_path, intake)
    assert [len(batch) for batch in intake.received] == [3, 1]
    assert (report.sent, report.accepted) == (3, 3)


async def test_a_key_that_may_not_send_is_told(tmp_path: Path) -> None:
    def forbids(_: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"detail": "this needs the role adapter"})

    with pytest.raises(ReplayError, match=r"403.*role adapter"):
        await _replay(tmp_path, forbids)
