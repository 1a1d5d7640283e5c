"""The commands of the vault: masters in the secret file, the audit log over HTTP, one person's request."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from libs.common.runtime.privacy import Secrets
from services.cli import __main__ as cli
from services.cli import client as door

Answers = dict[str, Any]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JIESU_HOME", str(tmp_path))
    Secrets.create(tmp_path / "secret")
    (tmp_path / "dev.key").write_text("jk_test")
    return tmp_path


@pytest.fixture
def platform(home: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Answers, list[httpx.Request]]:
    """Stand in for the platform: what it answers by path and query, and what it was asked."""
    answers: Answers = {}
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        told = answers[request.url.raw_path.decode().removeprefix("/intake/v1/")]
        return told if isinstance(told, httpx.Response) else httpx.Response(200, json=told)

    def client(url: str, _: Path) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=url, transport=httpx.MockTransport(answer))

    monkeypatch.setattr(door, "client", client)
    return answers, asked


def _type(*words: str, input_: str | None = None) -> Result:
    return CliRunner().invoke(cli.app, ("vault", *words), input=input_)


def _fails(*words: str) -> str:
    result = _type(*words)
    assert isinstance(result.exception, cli.EXPECTED)
    return str(result.exception)


def _old(file: Path) -> None:
    os.utime(file, (0, 0))


def test_a_rotation_adds_a_master_that_seals_and_says_to_copy_the_file(home: Path) -> None:
    told = _type("rotate").stdout
    assert "Master 2 seals." in told
    assert f"Copy {home / 'secret'} now" in told
    assert Secrets.load(home / "secret").current == 2


def test_a_prepared_master_seals_after_the_next_rotation(home: Path) -> None:
    assert "Master 2 opens." in _type("rotate", "--prepare").stdout
    assert Secrets.load(home / "secret").current == 1
    assert "Master 2 seals." in _type("rotate").stdout


def test_masters_are_shown_with_what_they_wrap(platform: tuple[Answers, list[httpx.Request]]) -> None:
    _type("rotate")
    _type("rotate", "--prepare")
    sweep = {"name": "wrap-2", "done": 3, "total": 10, "finished_at": None}
    platform[0]["vault/keys"] = {"current": 2, "wraps": {"1": 7, "2": 3}, "sweeps": [sweep]}
    rows = [line.split() for line in _type("masters").stdout.splitlines()]
    assert ["2", "seals", "3"] in rows
    assert ["1", "opens", "7"] in rows
    assert ["3", "is", "prepared", "0"] in rows
    assert ["wrap-2", "3", "10", "under", "way"] in rows


@pytest.mark.parametrize(
    ("wraps", "current", "told"),
    [({"1": 7}, 2, "still wraps 7 keys"), ({}, 1, "the platform still seals by master 1")],
)
def test_a_master_that_is_needed_is_not_retired(
    home: Path, platform: tuple[Answers, list[httpx.Request]], wraps: dict[str, int], current: int, told: str
) -> None:
    _type("rotate")
    platform[0]["vault/keys"] = {"current": current, "wraps": wraps, "sweeps": []}
    assert "in a minute every process knows it" in _fails("retire", "1")
    _old(home / "secret")
    assert told in _fails("retire", "1")
    assert Secrets.load(home / "secret").masters[1][0] == 1


def test_a_master_that_wraps_nothing_is_retired(home: Path, platform: tuple[Answers, list[httpx.Request]]) -> None:
    _type("rotate")
    _old(home / "secret")
    platform[0]["vault/keys"] = {"current": 2, "wraps": {"2": 7}, "sweeps": []}
    assert "Master 1 is gone." in _type("retire", "1").stdout
    assert [number for number, _ in Secrets.load(home / "secret").masters] == [2]


def _checked(after: int, upto: int, *, whole: bool = True, broken_at: int | None = None) -> dict[str, Any]:
    return {
        "intact": broken_at is None, "after": after, "after_seal": f"s{after}", "upto": upto, "upto_seal": f"s{upto}",
        "broken_at": broken_at, "whole": whole,
    }  # fmt: skip


def test_the_whole_log_is_checked_stretch_by_stretch_and_its_head_printed(
    platform: tuple[Answers, list[httpx.Request]],
) -> None:
    platform[0]["audit/verify"] = _checked(10, 50, whole=False)
    platform[0]["audit/verify?after=50"] = _checked(50, 60)
    told = _type("verify-audit").stdout
    assert "whole: 50 entries" in told
    assert "Head 60:s60" in told


def test_a_broken_log_is_told_with_its_first_broken_entry(platform: tuple[Answers, list[httpx.Request]]) -> None:
    platform[0]["audit/verify"] = _checked(0, 50, broken_at=37)
    assert "broken at entry 37" in _fails("verify-audit")


@pytest.mark.parametrize(("head", "right"), [("40:S40", True), ("40:x", False), ("70:s60", False), ("abc", False)])
def test_a_published_head_must_still_be_there(
    platform: tuple[Answers, list[httpx.Request]], head: str, right: bool
) -> None:
    platform[0]["audit/verify"] = _checked(0, 60)
    platform[0]["audit/verify?after=40"] = _checked(40, 60)
    platform[0]["audit/verify?after=70"] = _checked(0, 60)
    assert (_type("verify-audit", "--head", head).exit_code == 0) is right


def test_a_copy_of_a_persons_data_is_written_where_only_its_owner_can_read(
    home: Path, platform: tuple[Answers, list[httpx.Request]]
) -> None:
    answers, asked = platform
    answers["persons/export"] = {"tickets": [{"number": "1"}]}
    told = _type("export", "--out", str(home / "copy.json"), "--note", "来电", input_="13800138000\n").stdout
    assert json.loads(asked[0].content) == {"purpose": "person_request", "note": "来电", "phone": "13800138000"}
    assert "1 tickets are in" in told
    assert (home / "copy.json").stat().st_mode & 0o777 == 0o600


def test_an_erasure_says_what_stays(platform: tuple[Answers, list[httpx.Request]]) -> None:
    answers, asked = platform
    answers["persons/erase"] = {
        "tickets": [{"ticket_id": "t1", "stays": None}, {"ticket_id": "t2", "stays": "goes_on"}]
    }
    rows = [
        line.split() for line in _type("erase", "--ticket", "20260302-0000001=ABC", "--withdraw").stdout.splitlines()
    ]
    assert json.loads(asked[0].content) == {
        "purpose": "person_request", "tickets": [{"number": "20260302-0000001", "code": "ABC"}], "withdraw": True,
    }  # fmt: skip
    assert ["t1", "deleted"] in rows
    assert ["t2", "goes_on"] in rows


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda _: httpx.Response(403, json={"detail": "this needs the role operator"}), "403: this needs the role"),
        (lambda _: (_ for _ in ()).throw(httpx.ConnectError("refused")), "does not answer: ConnectError"),
    ],
)
def test_what_the_platform_refuses_is_told_in_its_words(
    home: Path, monkeypatch: pytest.MonkeyPatch, answer: Callable[[httpx.Request], httpx.Response], told: str
) -> None:
    monkeypatch.setattr(
        door, "client", lambda url, _: httpx.AsyncClient(base_url=url, transport=httpx.MockTransport(answer))
    )
    assert told in _fails("masters")
