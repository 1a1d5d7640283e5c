"""The platform as an operator runs it: commands as real processes, on a home and ports of their own."""

import itertools
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from libs.common.local.ports import is_taken
from libs.common.local.postgres import PrivatePostgres
from libs.common.local.processes import wait_until
from libs.common.runtime.settings import variable

START_SECONDS = 90
STOP_SECONDS = 60


def six_free_ports() -> int:
    """Return the first of six ports in a row that nobody listens on."""
    rows = range(21000, 32000, 10)
    # By our own number, so that suites side by side look in different places.
    first = os.getpid() % len(rows)
    for start in itertools.chain(rows[first:], rows[:first]):
        if not any(map(is_taken, range(start, start + 6))):
            return start
    raise AssertionError("no six free ports in a row")


class Operator:
    """Runs commands on one home and port, and speaks to what they start."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self._screen = home.with_suffix(".screen")
        self.url = f"http://127.0.0.1:{port}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("JIESU_", "KAFKA_"))}
        self._environment = {
            **kept,
            "JIESU_HOME": str(home),
            "JIESU_PORT": str(port),
            "JIESU_MODELS": os.environ["JIESU_MODELS"],
        }

    def command(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with settings such as `city="…"`."""
        environment = self._environment | {variable(name): value for name, value in settings.items()}
        return subprocess.run(self._words(words), env=environment, capture_output=True, text=True, check=False)

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Have `run` in the background, up and ready; what is left of it at the end is killed."""
        with self._screen.open("wb") as screen:
            child = subprocess.Popen(self._words(["run"]), env=self._environment, stdout=screen, stderr=screen)
        try:
            assert wait_until(lambda: child.poll() is not None or self._ready(), START_SECONDS), "not ready in time"
            assert child.poll() is None, self.screen
            yield child
        finally:
            child.kill()
            child.wait()

    @property
    def screen(self) -> str:
        """All that the last `run` has printed."""
        return self._screen.read_text()

    def client(self) -> httpx.Client:
        """Return a client with the development key."""
        key = (self.home / "dev.key").read_text().strip()
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False)

    def clean_up(self) -> None:
        """End what may still run, and remove the data wherever it is."""
        for postgres in (PrivatePostgres(self.home / "postgres"), PrivatePostgres(self.home / "up" / "postgres")):
            postgres.stop()
            shutil.rmtree(postgres.folder, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def kill_postgres(self, data: str) -> None:
        """Kill the private PostgreSQL of this home with all its processes, as a crash of the machine would."""
        number = (PrivatePostgres(self.home / data).folder / "cluster" / "postmaster.pid").read_text().split()[0]
        server = psutil.Process(int(number))
        for process in (server, *server.children(recursive=True)):
            process.kill()

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False).is_success
        except httpx.TransportError:
            return False

    @staticmethod
    def _words(words: Any) -> list[str]:
        return [sys.executable, "-m", "services.cli", *words]


@contextmanager
def operator(folder: Path, port: int) -> Iterator[Operator]:
    """Give an operator with a home of its own, in a folder that everybody can enter."""
    one = Operator(folder / f"home-{uuid.uuid4().hex[:12]}", port)
    try:
        yield one
    finally:
        one.clean_up()


@contextmanager
def five_processes(folder: Path) -> Iterator[Operator]:
    """Give an operator whose five processes are up, and bring them down again."""
    with operator(folder, six_free_ports()) as one:
        done = one.command("up")
        assert done.returncode == 0, done.stdout + done.stderr
        try:
            yield one
        finally:
            one.command("down")


def stop(child: subprocess.Popen[bytes]) -> int:
    """Send SIGTERM and return the exit code."""
    child.terminate()
    return child.wait(STOP_SECONDS)


APPEAL = "朝阳区望京街道花家地小区3号楼暖气不热，家里只有十五度"


class Citizen:
    """Follows one appeal through the public interfaces of a platform."""

    def __init__(self, http: httpx.Client, ticket: str) -> None:
        self.ticket = ticket
        self._http = http

    @classmethod
    def appeals(cls, http: httpx.Client, text: str = APPEAL) -> "Citizen":
        """Send an appeal and follow it."""
        answer = http.post("/intake/v1/tickets", json={"channel": "web", "text": text})
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return cls(http, answer.json()["ticket_id"])

    def look(self) -> dict[str, Any]:
        """Return the ticket as its sender sees it."""
        answer = self._http.get(f"/intake/v1/tickets/{self.ticket}")
        answer.raise_for_status()
        view: dict[str, Any] = answer.json()
        return view

    def sees(self, what: Callable[[dict[str, Any]], object], seconds: float = 20) -> dict[str, Any]:
        """Look until `what` holds; fails with what is seen when it does not hold in time."""
        assert wait_until(lambda: bool(what(self.look())), seconds), self.look()
        return self.look()

    def unit(self, deed: str, **body: object) -> None:
        """Have the unit do something with the order."""
        answer = self._http.post(f"/dispatch/v1/orders/{self.ticket}/{deed}", json=body)
        assert answer.is_success, answer.text

    def is_helped(self) -> dict[str, Any]:
        """Have the unit work from signing to its answer, say that it is solved, and return the closed ticket."""
        self.unit("accept")
        self.unit("contact", method="phone", note="已联系，今天上门")
        self.unit("resolve", reply="已排气并调高供水温度，室温十九度")
        self.sees(lambda view: view["status"] == "resolved" and view["timeline"][-1]["type"] == "review.requested")
        said = self._http.post(f"/feedback/v1/tickets/{self.ticket}/review", json={"resolved": "yes", "satisfied": 5})
        assert said.is_success, said.text
        return self.sees(lambda view: view["status"] == "closed")


def shown_curls(screen: str) -> list[str]:
    """Return the curl lines of a screen."""
    return re.findall(r"^\s*(curl .+)$", screen, re.MULTILINE)
