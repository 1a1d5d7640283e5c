"""The embedded form as a newcomer meets it: one command, an appeal from end to end, every way to stop it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from libs.common.local.ports import free_port
from tests.support.operators import Citizen, Operator, operator, shown_curls, stop

LINES_OF_A_SCREEN = 24


@pytest.fixture(scope="module")
def platform(open_folder: Path) -> Iterator[Operator]:
    """A platform that runs for all tests that do not stop it."""
    with operator(open_folder, free_port()) as one, one.running():
        yield one


@pytest.fixture
def own(open_folder: Path) -> Iterator[Operator]:
    """A home and port for one test."""
    with operator(open_folder, free_port()) as one:
        yield one


def test_an_appeal_reaches_its_unit_and_is_closed_by_the_citizens_word(platform: Operator) -> None:
    with platform.client() as http:
        citizen = Citizen.appeals(http)
        led = citizen.sees(lambda view: view["status"] == "dispatched" and view["due_at"])
        assert led["category"][0] == "供热采暖"
        assert led["urgency"] == "livelihood"
        assert led["unit"] == {"code": "co-heating", "name": "北京市热力集团有限责任公司"}
        closed = citizen.is_helped()
        told = [line["type"] for line in closed["timeline"]]
        assert told[0] == "ticket.received"
        assert told[-1] == "ticket.closed"
        clocks = http.get(f"/sla/v1/tickets/{citizen.ticket}/clocks").json()
        assert {clock["state"] for clock in clocks} == {"met"}


def test_the_page_at_the_root_and_every_document_it_leads_to_are_there(platform: Operator) -> None:
    with platform.client() as http:
        assert "我要诉求" in http.get("/").text
        assert "我要诉求" in http.get("/intake/").text
        for service in ("intake", "classify", "dispatch", "sla", "feedback"):
            assert http.get(f"/{service}/docs").is_success
            assert http.get(f"/{service}/openapi.json").json()["paths"]


def test_a_taken_port_is_named(platform: Operator, open_folder: Path) -> None:
    with operator(open_folder, int(platform.url.rpartition(":")[2])) as late:
        refused = late.command("run")
        assert refused.returncode == 2
        assert "cannot listen on 127.0.0.1" in refused.stderr
        assert "JIESU_PORT" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_second_platform_on_the_same_home_is_refused(platform: Operator) -> None:
    refused = Operator(platform.home, free_port()).command("run")
    assert refused.returncode == 2
    assert f"runs on {platform.home}" in refused.stderr
    assert platform.url in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_first_screen_fits_and_its_lines_work_as_they_stand(platform: Operator) -> None:
    screen = platform.screen[platform.screen.index("接诉已启动") :]
    assert len(screen.splitlines()) <= LINES_OF_A_SCREEN
    assert str(platform.home / "dev.key") in screen
    assert f"{platform.url}/intake/" in screen
    assert "Ctrl-C" in screen
    post, get = shown_curls(screen)
    accepted = json.loads(subprocess.run(["sh", "-c", post], capture_output=True, check=True).stdout)
    get = get.replace("TICKET_ID", accepted["ticket_id"])
    shown = json.loads(subprocess.run(["sh", "-c", get], capture_output=True, check=True).stdout)
    assert shown["number"] == accepted["number"]


def test_sigterm_stops_it_cleanly_and_a_restart_keeps_what_was_there(own: Operator) -> None:
    with own.running() as child:
        with own.client() as http:
            citizen = Citizen.appeals(http)
            citizen.sees(lambda view: view["status"] == "dispatched")
        assert stop(child) == 0
    assert "Traceback" not in own.screen
    with pytest.raises(httpx.ConnectError):
        httpx.get(own.url, trust_env=False)
    with own.running(), own.client() as http:
        assert Citizen(http, citizen.ticket).look()["status"] == "dispatched"
        elsewhere = "海淀区上地街道信息路路灯不亮，晚上一片漆黑"
        Citizen.appeals(http, elsewhere).sees(lambda view: view["status"] == "dispatched")


def test_what_was_accepted_survives_a_kill_of_the_platform_with_its_database_and_alone(own: Operator) -> None:
    with own.running() as child, own.client() as http:
        accepted = _many(http)
        child.kill()
        own.kill_postgres("postgres")
    with own.running() as child, own.client() as http:
        accepted += _many(http)
        child.kill()
    with own.running(), own.client() as http:
        for ticket in accepted:
            Citizen(http, ticket).sees(lambda view: view["unit"])


def _many(http: httpx.Client) -> list[str]:
    return [Citizen.appeals(http, f"海淀区中关村街道{n}号楼突然停水了，家里没水").ticket for n in range(20)]
