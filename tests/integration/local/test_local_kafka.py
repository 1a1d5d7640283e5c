import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from libs.common.local.kafka import KafkaUnavailable, LocalKafka, fetch_jars, find_java
from libs.common.local.processes import commands, runs, wait_until
from tests.support.servers import skip_without_kafka, start_and_kill_parent


@pytest.fixture
def home(open_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = open_folder / f"kafka-{abs(hash(request.node.nodeid)):x}"
    yield folder
    LocalKafka(folder).stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def kafka_is_here(tmp_path: Path) -> None:
    try:
        find_java()
        fetch_jars(tmp_path)
    except KafkaUnavailable as reason:
        skip_without_kafka(reason)


def _server(home: Path) -> psutil.Process:
    return next(p for p, words in commands() if words[-1:] == [str(home / "server.properties")])


def _cluster(home: Path) -> str:
    lines = (home / "data" / "meta.properties").read_text().splitlines()
    return next(line for line in lines if line.startswith("cluster.id"))


@pytest.mark.kafka
@pytest.mark.usefixtures("kafka_is_here")
class TestARunningBroker:
    def test_listens_on_this_machine_only(self, home: Path) -> None:
        broker = LocalKafka(home)
        broker.start()
        listening = [c.laddr for c in _server(home).net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
        assert int(broker.bootstrap.split(":")[1]) in {address.port for address in listening}

    def test_a_restart_keeps_the_cluster_and_its_data(self, home: Path) -> None:
        broker = LocalKafka(home)
        broker.start()
        before, server = _cluster(home), _server(home)
        broker.stop()
        assert not runs(server)
        broker.start()
        assert _cluster(home) == before

    def test_the_broker_of_a_killed_parent_is_taken_over(self, home: Path) -> None:
        start_and_kill_parent("kafka", home)
        before = _server(home)
        heir = LocalKafka(home)
        heir.start()
        assert _server(home) == before
        heir.stop()
        assert wait_until(lambda: not runs(before), 10)

    def test_a_killed_broker_starts_again(self, home: Path) -> None:
        broker = LocalKafka(home)
        broker.start()
        before = _server(home)
        before.kill()
        broker.start()
        assert _server(home) != before

    def test_another_port_restarts_it_there(self, home: Path, free_tcp_port: int) -> None:
        LocalKafka(home).start()
        moved = LocalKafka(home, port=free_tcp_port)
        moved.start()
        assert moved.bootstrap == f"127.0.0.1:{free_tcp_port}"

    def test_a_taken_port_is_named(self, home: Path) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            with pytest.raises(KafkaUnavailable, match=f"port {port} .* is taken"):
                LocalKafka(home, port=port).start()


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)


@pytest.mark.usefixtures("bare_machine")
def test_a_machine_without_maven_is_told_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(KafkaUnavailable, match="install maven"):
        fetch_jars(tmp_path)


@pytest.mark.usefixtures("bare_machine")
def test_a_java_too_old_for_kafka_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(KafkaUnavailable, match="Java 17 or newer"):
        find_java()
