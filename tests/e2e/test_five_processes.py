"""The five-process form on real Apache Kafka: `up` and `down`, and what they do about a crash."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from libs.common.local.kafka import KafkaUnavailable, fetch_jars, find_java
from libs.common.local.processes import runs
from tests.support.operators import Citizen, Operator, operator, six_free_ports
from tests.support.servers import skip_without_kafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]


@pytest.fixture
def machine(open_folder: Path) -> Iterator[Operator]:
    try:
        find_java()
        fetch_jars(open_folder)
    except KafkaUnavailable as reason:
        skip_without_kafka(reason)
    with operator(open_folder, six_free_ports()) as one:
        yield one
        one.command("down")


def _processes(machine: Operator) -> dict[str, int]:
    rows: list[dict[str, Any]] = json.loads((machine.home / "up.json").read_text())
    return {row["name"]: row["pid"] for row in rows}


def _come_up(machine: Operator) -> str:
    up = machine.command("up")
    assert up.returncode == 0, up.stdout + up.stderr
    return up.stdout


def test_an_appeal_crosses_five_processes_and_outlives_their_crash(machine: Operator) -> None:
    assert "All are ready." in _come_up(machine)
    with machine.client() as http:
        citizen = Citizen.appeals(http)
        assert citizen.sees(lambda view: view["due_at"] and view["unit"])["unit"]["code"] == "co-heating"
        assert "It is up already." in _come_up(machine)

        before = _processes(machine)
        assert list(before) == ["intake", "classify", "dispatch", "sla", "feedback", "ingress"]
        for name in ("classify", "dispatch"):
            psutil.Process(before[name]).kill()
        late = Citizen.appeals(http, "丰台区右安门街道玉林东里18号楼突然停水，整栋楼都没有水")
        assert "starting again" in _come_up(machine)
        assert set(_processes(machine).values()).isdisjoint(before.values())

        late.sees(lambda view: view["unit"])
        assert citizen.is_helped()["status"] == "closed"

    assert machine.command("run").returncode == 2, "the home is in use"
    last = _processes(machine)
    down = machine.command("down")
    assert (down.returncode, down.stdout.splitlines()[-1]) == (0, "Stopped.")
    assert not any(psutil.pid_exists(pid) and runs(psutil.Process(pid)) for pid in last.values())
    assert machine.command("down").stdout.splitlines()[-1] == "Nothing of it ran."


def test_a_service_that_dies_at_the_start_is_shown_with_its_last_words(machine: Operator) -> None:
    broken = machine.command("up", city="no/such/city")
    assert broken.returncode == 2
    assert "ended with code 1; its last words:" in broken.stderr
    assert "city.toml" in broken.stderr
    assert not (machine.home / "up.json").exists(), "nothing is left running"
