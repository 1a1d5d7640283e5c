"""`up` and `down`: five processes and an ingress on this machine, with Apache Kafka and PostgreSQL, as in a cluster."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import psutil

from libs.common.contracts import classify, dispatch, feedback, intake, sla  # noqa: F401 each registers its events
from libs.common.contracts.envelope import EVENTS
from libs.common.contracts.intake import TicketSnapshot
from libs.common.local.home import keep_clock, prepare_home, sole_user
from libs.common.local.ingress import SERVICES
from libs.common.local.kafka import LocalKafka
from libs.common.local.ports import is_taken
from libs.common.local.postgres import PrivatePostgres
from libs.common.local.processes import runs, wait_until
from libs.common.messaging.consumer import dead_topic
from libs.common.messaging.kafka import ensure_topics
from libs.common.runtime.process import PortTakenError
from libs.common.runtime.run import kafka_address
from libs.common.runtime.settings import Settings

Tell = Callable[[str], None]
Child = tuple["Running", subprocess.Popen[bytes]]
NAMES = tuple(name for name, _, _ in SERVICES)
INGRESS = "ingress"
COMPACTED = (TicketSnapshot.topic,)
TOPICS = sorted({event.topic for event in EVENTS.values()} - {*COMPACTED} | {dead_topic(name) for name in NAMES})
START_SECONDS = 120
STOP_SECONDS = 45
TAIL_LINES = 12


class NotUpError(RuntimeError):
    """The platform did not come up; the text says which process ended, and with which last words."""


@dataclass(frozen=True, slots=True)
class Running:
    """One process that `up` started. `born` tells it from a later process of the same number."""

    name: str
    pid: int
    born: float
    url: str
    log: str

    def process(self) -> psutil.Process | None:
        """Return the process if it still runs."""
        try:
            process = psutil.Process(self.pid)
            ours = process.create_time() == self.born and module_of(self.name) in process.cmdline()
            return process if ours and runs(process) else None
        except psutil.NoSuchProcess:
            return None

    def ready(self) -> bool:
        """Say whether it answers that it can do its work."""
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False


def module_of(name: str) -> str:
    """Return the Python module of a process."""
    return "libs.common.local.ingress" if name == INGRESS else f"services.{name}"


class Machine:
    """The five-process form on this machine, as its home knows it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._home = settings.home.absolute()
        self._state = self._home / "up.json"
        # Not the embedded form's: what one form's bus still holds, the other would never hear of.
        self._kafka = LocalKafka(self._home / "up" / "kafka")
        self._postgres = PrivatePostgres(self._home / "up" / "postgres")

    def running(self) -> list[Running]:
        """Return the processes that run now, in the order of the loop."""
        if not self._state.exists():
            return []
        rows = json.loads(self._state.read_text())
        return [running for row in rows if (running := Running(**row)).process()]

    def is_up(self) -> bool:
        """Say whether every process runs and is ready."""
        now = self.running()
        return len(now) == len(NAMES) + 1 and all(process.ready() for process in now)

    def up(self, tell: Tell) -> list[Running]:
        """Start everything, afresh if something of it still runs, and wait until all is ready.

        Raises:
            NotUpError: a process ended or did not become ready; everything is stopped again.
            HomeTakenError, PortTakenError, PostgresError, KafkaUnavailable: as they say.
        """
        if left := self.running():
            tell(f"Not all of it runs, only {', '.join(process.name for process in left)}: starting again")
            self._end(left)
        prepare_home(self._settings)
        with sole_user(self._home, f"make up on {self._settings.base_url}") as hold:
            clock = keep_clock(self._home, self._settings.clock)
            self._check_ports()
            try:
                environments = self._environments(clock, tell)
                started = list(self._start(environments, hold))
                tell(f"Starting {len(started)} processes")
                _wait(started)
            except BaseException:
                self.down(lambda _: None)
                raise
        return [running for running, _ in started]

    def down(self, tell: Tell) -> bool:
        """Stop the ingress, the services, Kafka, PostgreSQL, in that order. Returns whether any process ran."""
        running = self.running()
        if running:
            tell(f"Stopping {len(running)} processes")
        self._end(running)
        tell("Stopping what they stood on")
        self._kafka.stop()
        self._postgres.stop()
        self._state.unlink(missing_ok=True)
        return bool(running)

    def _end(self, running: Sequence[Running]) -> None:
        """Stop processes: the ingress first, for nothing new may come in, then the services together."""
        doors = [process for process in running if process.name == INGRESS]
        for group in (doors, [process for process in running if process.name != INGRESS]):
            processes = [process for entry in group if (process := entry.process())]
            for process in processes:
                process.terminate()
            _, late = psutil.wait_procs(processes, STOP_SECONDS)
            for process in late:
                # Nothing is lost: what is not committed is delivered again.
                process.kill()

    def _check_ports(self) -> None:
        for port in range(self._settings.port, self._settings.port + 1 + len(NAMES)):
            if is_taken(port):
                raise PortTakenError(
                    f"port {port} is taken; stop what uses it, or set JIESU_PORT to the first of six free ones"
                )

    def _port(self, name: str) -> int:
        return self._settings.port + (0 if name == INGRESS else 1 + NAMES.index(name))

    def _url(self, name: str) -> str:
        return f"http://{self._settings.host}:{self._port(name)}"

    def _environments(self, clock: str, tell: Tell) -> dict[str, dict[str, str]]:
        """Bring up what the services stand on, and return the environment of each."""
        brokers = self._brokers(tell)
        dsn = self._database(tell)
        common = {
            **os.environ,
            "JIESU_HOME": str(self._home),
            "JIESU_CLOCK": clock,
            "JIESU_PUBLIC_URL": self._settings.base_url,
            "JIESU_CLASSIFY_URL": self._url("classify"),
            "KAFKA_BOOTSTRAP": brokers,
        }
        own = {name: {**common, "JIESU_DATABASE_URL": dsn(name)} for name in NAMES} | {INGRESS: common}
        return {name: {**mine, "JIESU_PORT": str(self._port(name))} for name, mine in own.items()}

    def _brokers(self, tell: Tell) -> str:
        """Return the address of a broker with all topics: the one that is named, or one of our own."""
        settings = self._settings
        if not settings.kafka_bootstrap:
            tell("Starting Apache Kafka (the first time, Maven fetches it)")
            self._kafka.start()
            settings = replace(settings, kafka_bootstrap=self._kafka.bootstrap)
        address = kafka_address(settings)
        asyncio.run(ensure_topics(address, TOPICS, COMPACTED, settings.kafka_partitions, settings.kafka_replication))
        return address.bootstrap

    def _database(self, tell: Tell) -> Callable[[str], str]:
        """Return how to address each service's database: on the server that is named, or a private one."""
        server = urlsplit(self._settings.database_url)
        if server.scheme:
            return lambda name: urlunsplit(server._replace(path=f"/{name}"))
        tell("Starting PostgreSQL")
        self._postgres.start()
        self._postgres.ensure_database(NAMES)
        return self._postgres.dsn

    def _start(self, environments: dict[str, dict[str, str]], hold: int) -> Iterator[Child]:
        logs = self._home / "logs"
        logs.mkdir(exist_ok=True)
        started: list[Running] = []
        for name in (*NAMES, INGRESS):
            targets = [f"{target}={self._url(target)}" for target in NAMES] if name == INGRESS else []
            log = logs / f"{name}.log"
            with log.open("wb") as file:
                child = subprocess.Popen(
                    [sys.executable, "-m", module_of(name), *targets],
                    env=environments[name], stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                    start_new_session=True, pass_fds=[hold],
                )  # fmt: skip
            born = psutil.Process(child.pid).create_time()
            started.append(Running(name, child.pid, born, self._url(name), str(log)))
            # After each: whoever kills us now, `down` finds what runs.
            self._state.write_text(json.dumps([asdict(running) for running in started], indent=1))
            yield started[-1], child


def _wait(children: Sequence[Child]) -> None:
    """Return when all are ready. Raises NotUpError as soon as one has ended, or when it takes too long."""
    waiting = list(children)

    def settled() -> bool:
        for running, child in children:
            if child.poll() is not None:
                raise NotUpError(
                    f"{running.name} ended with code {child.returncode}; its last words:\n{_tail(running)}"
                )
        waiting[:] = [pair for pair in waiting if not pair[0].ready()]
        return not waiting

    if not wait_until(settled, START_SECONDS):
        late = waiting[0][0]
        raise NotUpError(f"{late.name} is not ready after {START_SECONDS} s; its last words:\n{_tail(late)}")


def _tail(running: Running) -> str:
    lines = Path(running.log).read_text(errors="replace").splitlines()
    return "\n".join([*(f"  {line}" for line in lines[-TAIL_LINES:]), f"  (all of it: {running.log})"])
