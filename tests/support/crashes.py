"""Load on a running platform, processes that are killed under it, and what must hold afterwards."""

import asyncio
import itertools
import signal
import subprocess
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from aiokafka import AIOKafkaConsumer

from libs.common.local.processes import wait_until
from services.cli.processes import NAMES, TOPICS
from tests.support.consistency import unsettled
from tests.support.operators import Operator

PLACES = ("朝阳区望京街道", "海淀区中关村街道", "东城区东直门街道", "丰台区卢沟桥街道")
MATTERS = ("暖气不热", "突然停水了", "路灯不亮", "井盖丢了", "垃圾没人清运")
SETTLE_SECONDS = 90


class Load:
    """Citizens who appeal without pause, whatever happens to the platform, and remember what was accepted."""

    def __init__(self, one: Operator) -> None:
        self.accepted: list[str] = []
        self._one = one
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._appeal)

    @contextmanager
    def going(self) -> Iterator["Load"]:
        """Keep appealing until the block ends."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join()

    def _appeal(self) -> None:
        with self._one.client() as http:
            for number in itertools.count():
                if self._stop.is_set():
                    return
                text = f"{PLACES[number % 4]}{number}号楼{MATTERS[number % 5]}，请尽快处理"
                try:
                    answer = http.post("/intake/v1/tickets", json={"channel": "web", "text": text})
                except httpx.TransportError:
                    continue
                if answer.status_code == httpx.codes.ACCEPTED:
                    self.accepted.append(answer.json()["ticket_id"])

    def until_more(self, count: int) -> None:
        """Wait until so many more were accepted."""
        wanted = len(self.accepted) + count
        assert wait_until(lambda: len(self.accepted) >= wanted, SETTLE_SECONDS), "the platform takes no appeals"


def settles(address: Callable[[str], str], accepted: list[str]) -> None:
    """Wait until the five databases agree about every accepted appeal; fails with what they disagree about."""
    databases = {name: address(name) for name in NAMES}
    wrong: list[str] = []

    def agreed() -> bool:
        wrong[:] = asyncio.run(unsettled(databases, accepted))
        return not wrong

    assert wait_until(agreed, SETTLE_SECONDS), wrong[:20]


def process_of(five: Operator, name: str) -> psutil.Process:
    """Return a service's process: the one with its module and this home."""
    for process in psutil.process_iter(["cmdline"]):
        if f"services.{name}" in (process.info["cmdline"] or []) and _home(process) == str(five.home):
            return process
    raise AssertionError(f"{name} does not run")


def _home(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("JIESU_HOME")
    except psutil.Error:
        return None


@contextmanager
def killed_and_started_again(five: Operator, name: str) -> Iterator[None]:
    """Do what a crash does, and then the one who supervises processes: kill, and start the same again."""
    process = process_of(five, name)
    words, environment = process.cmdline(), process.environ()
    process.send_signal(signal.SIGKILL)
    process.wait()
    with (five.home / "logs" / f"{name}-again.log").open("wb") as log:
        child = subprocess.Popen(words, env=environment, cwd=Path.cwd(), stdout=log, stderr=log)
    try:
        yield
    finally:
        child.terminate()
        child.wait()


def bootstrap_of(five: Operator) -> str:
    """Return the address of the broker that the five processes use."""
    return process_of(five, "sla").environ()["KAFKA_BOOTSTRAP"]


async def out_of_order(bootstrap: str) -> list[str]:
    """Return each event that stands behind a later one of its ticket, unless it repeats one that was there before."""
    consumer = AIOKafkaConsumer(*TOPICS, bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None)
    await consumer.start()
    highest: dict[tuple[str, bytes], int] = defaultdict(int)
    seen: set[bytes] = set()
    wrong = []
    try:
        while batch := await consumer.getmany(timeout_ms=3000):
            for record in (record for records in batch.values() for record in records):
                headers = dict(record.headers)
                place, sequence = (record.topic, record.key), int(headers["ce_sequence"])
                if sequence < highest[place] and headers["ce_id"] not in seen:
                    wrong.append(f"{record.topic} {record.key!r}: {sequence} after {highest[place]}")
                seen.add(headers["ce_id"])
                highest[place] = max(highest[place], sequence)
    finally:
        await consumer.stop()
    return wrong
