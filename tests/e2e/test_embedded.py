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


def test_an_appeal_reaches_its_unit_within_two_seconds_and_is_closed_by_the_citizens_word(platform: Operator) -> None:
    with platform.client() as http:
        citizen = Citizen(http)
        led = citizen.sees(lambda view: view["status"] == "dispatched" and view["due_at"], seconds=2)
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


def test_the_first_screen_fits_and_its_lines_work_as_they_stand(own: Operator) -> None:
    with own.running() as child:
        _, screen = stop(child)
    lines = screen.splitlines()
    assert len(lines) <= LINES_OF_A_SCREEN
    assert "Traceback" not in screen
    assert own.url in screen
    assert str(own.home / "dev.key") in screen
    with own.running():
        post, get = shown_curls(screen)
        accepted = json.loads(subprocess.run(["sh", "-c", post], capture_output=True, check=True).stdout)
        shown = subprocess.run(
            ["sh", "-c", get.replace("TICKET_ID", accepted["ticket_id"])], capture_output=True, check=True
        )
        assert json.loads(shown.stdout)["number"] == accepted["number"]


def test_sigterm_stops_it_cleanly_and_a_restart_keeps_what_was_there(own: Operator) -> None:
    with own.running() as child:
        with own.client() as http:
            citizen = Citizen(http)
            citizen.sees(lambda view: view["status"] == "dispatched")
        code, said = stop(child)
    assert (code, "Traceback" in said) == (0, False), said
    with pytest.raises(httpx.ConnectError):
        httpx.get(own.url, trust_env=False)
    with own.running(), own.client() as http:
        citizen_again = Citizen(http)
        citizen_again.sees(lambda view: view["status"] == "dispatched")
        before = http.get(f"/intake/v1/tickets/{citizen.ticket}").json()
        assert before["status"] == "dispatched"


@pytest.mark.parametrize("with_database", [False, True], ids=["the platform", "the platform and its database"])
def test_it_recovers_from_a_kill_of_(own: Operator, with_database: bool) -> None:
    with own.running() as child, own.client() as http:
        accepted = [http.post("/intake/v1/tickets", json=_appeal(n)).json()["ticket_id"] for n in range(20)]
        child.kill()
        child.wait()
        if with_database:
            own.kill_postgres("postgres")
    with own.running(), own.client() as http:
        for ticket in accepted:
            Citizen.of(http, ticket).sees(lambda view: view["unit"])


def _appeal(number: int) -> dict[str, str]:
    return {"channel": "phone", "text": f"海淀区中关村街道{number}号楼突然停水了，家里一点水都没有"}
