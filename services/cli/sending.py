"""Sends records through intake's batch endpoint, each once however often it is tried, and keeps which got through."""

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from libs.common.messaging.retry import backoff
from libs.common.runtime.clock import born
from services.cli.records import ColumnMap, RowError, Source

BATCH = 500
PATH = "/intake/v1/tickets/batch"
MOST_TRIES = 12
"""With pauses that grow to 15 s this waits more than a minute for a platform that is away or full."""
Record = tuple[int, dict[str, Any]]


class ReplayError(RuntimeError):
    """The replay cannot go on; the text says why. What was accepted is kept: the same command goes on from there."""


class Ledger:
    """Which lines of a file became which tickets, so that a second run sends nothing twice."""

    def __init__(self, folder: Path, source: Source, columns: ColumnMap, url: str) -> None:
        told = json.dumps([source.digest, url, columns.channel, columns.ref]).encode()
        self.path = folder / f"{source.path.name.partition('.')[0]}-{hashlib.sha256(told).hexdigest()[:12]}.tsv"
        self.tickets: dict[int, UUID] = {}
        if self.path.exists():
            cells = (line.split("\t") for line in self.path.read_text().splitlines())
            # A killed run may leave half a line: that record is sent again, and intake knows it.
            self.tickets = {int(pair[0]): UUID(pair[1]) for pair in cells if len(pair) == 2 and len(pair[1]) == 36}

    def keep(self, tickets: dict[int, UUID]) -> None:
        """Add lines that were accepted."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.writelines(f"{line}\t{ticket}\n" for line, ticket in tickets.items())
        self.tickets |= tickets


@dataclass(slots=True)
class Report:
    """What came of a file. `known` were sent and found to be there already; `skipped` were sent by an earlier run."""

    sent: int = 0
    accepted: int = 0
    known: int = 0
    skipped: int = 0
    refused: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    tickets: set[UUID] = field(default_factory=set)


class Replay:
    """One replay of a file. `started` is the platform's time: a ticket that is older was there before."""

    def __init__(self, http: httpx.AsyncClient, ledger: Ledger, started: datetime) -> None:
        self._http = http
        self._ledger = ledger
        self._started = started
        self.report = Report(tickets=set(ledger.tickets.values()))

    async def run(self, source: Source, columns: ColumnMap, on_lines: Callable[[int], None]) -> Report:
        """Send what was not sent before; `on_lines` is told how many more records are done. Raises ReplayError."""
        records = self._records(source, columns, on_lines)
        while batch := list(islice(records, BATCH)):
            await self._send(batch)
            on_lines(len(batch))
        return self.report

    def _records(self, source: Source, columns: ColumnMap, on_lines: Callable[[int], None]) -> Iterator[Record]:
        for line, row in source:
            try:
                if line not in self._ledger.tickets:
                    yield line, columns.appeal(source, line, row)
                    continue
                self.report.skipped += 1
            except RowError as error:
                self.report.refused[str(error)].append(line)
            on_lines(1)

    async def _send(self, batch: Sequence[Record]) -> None:
        """Send until every record has an answer that stands: a full platform asks for some of them again."""
        self.report.sent += len(batch)
        for attempt in range(1, MOST_TRIES + 1):
            answers = dict(zip((line for line, _ in batch), await self._post(batch), strict=True))
            self._take(answers)
            batch = [record for record in batch if _put_off(answers[record[0]])]
            if not batch:
                return
            await asyncio.sleep(backoff(attempt))
        raise ReplayError(f"{len(batch)} records were put off {MOST_TRIES} times; the platform is full")

    async def _post(self, batch: Sequence[Record]) -> list[dict[str, Any]]:
        lines = "".join(json.dumps(body, ensure_ascii=False) + "\n" for _, body in batch).encode()
        attempt = 0
        while True:
            try:
                answer = await self._http.post(PATH, content=lines, headers={"content-type": "application/x-ndjson"})
                if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    return _read(answer)
                wrong = f"it answered {answer.status_code}"
            except httpx.TransportError as error:
                wrong = repr(error)
            attempt += 1
            if attempt == MOST_TRIES:
                raise ReplayError(f"{self._http.base_url} cannot take appeals: {wrong}")
            await asyncio.sleep(backoff(attempt))

    def _take(self, answers: Mapping[int, dict[str, Any]]) -> None:
        """Count the answers to a batch, by line, and keep what was accepted."""
        tickets = {line: UUID(answer["ticket_id"]) for line, answer in answers.items() if "problem" not in answer}
        self._ledger.keep(tickets)
        for ticket in tickets.values():
            if ticket in self.report.tickets or born(ticket) < self._started:
                self.report.known += 1
            else:
                self.report.accepted += 1
            self.report.tickets.add(ticket)
        for line, answer in answers.items():
            if line not in tickets and not _put_off(answer):
                self.report.refused[answer["problem"]["detail"]].append(line)


def _put_off(answer: dict[str, Any]) -> bool:
    """Say whether a record is to come back: its problem is the platform's."""
    return "problem" in answer and answer["problem"]["status"] >= httpx.codes.INTERNAL_SERVER_ERROR


def _read(answer: httpx.Response) -> list[dict[str, Any]]:
    """Return the answers to a batch. Raises ReplayError if the whole of it was refused."""
    if not answer.is_success:
        try:
            why = answer.json()["detail"]
        except (ValueError, KeyError):
            why = answer.text[:200]
        raise ReplayError(f"the platform refuses the batch ({answer.status_code}): {why}")
    return [json.loads(line) for line in answer.text.splitlines()]
