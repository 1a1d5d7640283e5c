"""What is measured: Kafka, PostgreSQL and the five services in a folder of their own, stopped whatever happens."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from libs.common.local.home import key_file
from libs.common.local.kafka import LocalKafka
from libs.common.local.ports import free_port, is_taken
from libs.common.local.postgres import PrivatePostgres
from libs.common.local.processes import commands
from libs.common.runtime.settings import BARE, PREFIX, Settings
from services.cli.processes import NAMES, Machine, Running

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Usage:
    """What processes have used so far: CPU seconds, and the memory that is theirs alone or their share of it."""

    cpu: float
    memory: int


@dataclass(frozen=True, slots=True)
class Moment:
    """What processes had used at one time, and all the CPU seconds the machine had spent."""

    at: float
    used: Mapping[str, Usage]
    busy: float

    def until(self, later: "Moment") -> "Cost":
        """Return what was used from this moment to a later one, with the memory at the later one."""
        used = {name: Usage(now.cpu - self.used[name].cpu, now.memory) for name, now in later.used.items()}
        others = later.busy - self.busy - sum(usage.cpu for usage in used.values())
        return Cost(used, max(0.0, others) / (later.at - self.at))


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run used. `others` is how many cores everything else on the machine took meanwhile."""

    used: Mapping[str, Usage]
    others: float


@dataclass(frozen=True, slots=True)
class Platform:
    """The platform under test and what it stands on."""

    folder: Path
    kafka: LocalKafka
    postgres: PrivatePostgres
    services: Mapping[str, Running]
    key: str

    def port(self, name: str) -> int:
        """Return the port of a service."""
        return int(self.services[name].url.rpartition(":")[2])

    def stop(self, *names: str) -> None:
        """Stop some of the services for the rest of the bench."""
        stopping = [process for name in names if (process := self.services[name].process())]
        for process in stopping:
            process.terminate()
        psutil.wait_procs(stopping, 30)

    def usage(self) -> dict[str, Usage]:
        """Return what each service, the servers and the bench itself have used."""
        used = {name: usage_of(running.process()) for name, running in self.services.items() if name in NAMES}
        return {**used, **self.server_usage()}

    def server_usage(self) -> dict[str, Usage]:
        """Return what Kafka, PostgreSQL and the bench itself have used."""
        return {
            "kafka": usage_of(_with_argument(self.folder / "kafka" / "server.properties")),
            "postgres": _family_usage(_postmaster(self.postgres)),
            "load generator": usage_of(psutil.Process()),
        }


@contextmanager
def platform(tell: Tell) -> Iterator[Platform]:
    """Start everything, and stop everything at the end; after a failure the logs are kept."""
    _forget_settings()
    folder = Path(tempfile.mkdtemp(prefix="jiesu-bench-"))
    folder.chmod(0o711)  # for root, PostgreSQL runs as a lesser user, who must get through
    kafka, postgres = LocalKafka(folder / "kafka"), PrivatePostgres(folder / "postgres")
    logs = folder / "home" / "logs"
    try:
        tell("Starting Apache Kafka and PostgreSQL")
        kafka.start()
        postgres.start()
        postgres.ensure_database(NAMES)
        with _services(folder, kafka, postgres, tell) as running:
            yield running
    except Exception:
        if logs.exists():
            kept = shutil.move(logs, tempfile.mkdtemp(prefix="jiesu-bench-logs-"))
            tell(f"The services' logs are in {kept}")
        raise
    finally:
        postgres.stop()
        kafka.stop()
        shutil.rmtree(folder)


@contextmanager
def _services(folder: Path, kafka: LocalKafka, postgres: PrivatePostgres, tell: Tell) -> Iterator[Platform]:
    settings = Settings(
        home=folder / "home", port=_free_ports(len(NAMES) + 1), log_level="warning",
        kafka_bootstrap=kafka.bootstrap, database_url=postgres.dsn("postgres"),
    )  # fmt: skip
    machine = Machine(settings)
    try:
        running = {process.name: process for process in machine.up(tell)}
        yield Platform(folder, kafka, postgres, running, key_file(settings).read_text().strip())
    finally:
        machine.down(tell)


def _forget_settings() -> None:
    """What an operator set for a platform of their own is not for this one."""
    for name in [name for name in os.environ if name.startswith(PREFIX) or name in BARE]:
        del os.environ[name]


def _free_ports(count: int) -> int:
    """Return the first of so many free ports in a row."""
    while True:
        first = free_port()
        if first + count < 65536 and not any(is_taken(first + more) for more in range(count)):
            return first


def usage_of(process: psutil.Process | None) -> Usage:
    """Return what one process has used; nothing if it does not run."""
    if process is None:
        return Usage(0.0, 0)
    times = process.cpu_times()
    return Usage(times.user + times.system, process.memory_full_info().pss)


def moment(used: Mapping[str, Usage]) -> Moment:
    """Return this moment."""
    times = psutil.cpu_times()
    return Moment(time.time(), used, sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def _family_usage(process: psutil.Process) -> Usage:
    """Return what a process and its children, those that have ended included, have used."""
    ended = process.cpu_times()
    family = [usage_of(member) for member in (process, *process.children(recursive=True))]
    cpu = sum(usage.cpu for usage in family) + ended.children_user + ended.children_system
    return Usage(cpu, sum(usage.memory for usage in family))


def _postmaster(postgres: PrivatePostgres) -> psutil.Process:
    return psutil.Process(int((postgres.folder / "cluster" / "postmaster.pid").read_text().split()[0]))


def _with_argument(path: Path) -> psutil.Process | None:
    return next((process for process, words in commands() if words[-1:] == [str(path)]), None)
