"""Commands as they are typed: what they print, and what they answer to mistakes."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner, Result

from libs.common.runtime.security import KeyRing
from services.cli import __main__ as cli
from services.cli.processes import COMPACTED, NAMES, TOPICS, Running


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JIESU_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _type(*words: str) -> Result:
    return CliRunner().invoke(cli.app, words)


def test_an_issued_key_opens_what_it_was_issued_for(home: Path) -> None:
    key = _type("keys", "issue", "水务局", "--role", "unit", "--unit", "dept-water").stdout.strip()
    holder = KeyRing(home / "keys.json").holder(key)
    assert holder
    assert (holder.name, holder.roles, holder.units) == ("水务局", frozenset({"unit"}), frozenset({"dept-water"}))


def test_issuing_a_key_makes_no_other(home: Path) -> None:
    _type("keys", "issue", "operator", "--role", "operator")
    assert [key.holder.name for key in KeyRing(home / "keys.json").issued()] == ["operator"]
    assert not (home / "dev.key").exists()


def test_who_changed_which_key_is_logged_beside_what_is_printed(home: Path) -> None:
    key = _type("keys", "issue", "portal", "--role", "adapter", "--per-minute", "90")
    told = [key, _type("keys", "rotate", "portal"), _type("keys", "revoke", "portal")]
    lines = [json.loads(one.stderr) for one in told]
    assert [line["event"] for line in lines] == ["client registered", "key rotated", "client revoked"]
    assert {(line["client"], line["by"]) for line in lines} == {("portal", f"command of user {os.getuid()}")}
    assert (lines[0]["roles"], lines[0]["per_minute"]) == (["adapter"], 90)
    assert key.stdout.strip() not in key.stderr


def test_keys_are_listed_without_the_keys(home: Path) -> None:
    key = _type("keys", "issue", "web portal", "--role", "adapter", "--role", "seat").stdout.strip()
    shown = _type("keys", "list").stdout
    assert "web portal" in shown
    assert "adapter, seat" in shown
    assert key not in shown


def test_a_second_key_of_a_name_ends_the_first(home: Path) -> None:
    keys = [_type("keys", "issue", "web portal", "--role", "adapter").stdout.strip() for _ in range(2)]
    ring = KeyRing(home / "keys.json")
    assert [ring.holder(key) is not None for key in keys] == [False, True]


def test_a_key_is_limited_to_channels_and_a_quota_and_the_list_shows_it(home: Path) -> None:
    limits = ("--channel", "web", "--channel", "app", "--per-minute", "90")
    key = _type("keys", "issue", "portal", "--role", "adapter", *limits).stdout.strip()
    holder = KeyRing(home / "keys.json").holder(key)
    assert holder
    assert (holder.channels, holder.per_minute) == (frozenset({"web", "app"}), 90)
    (row,) = [line for line in _type("keys", "list").stdout.splitlines() if "portal" in line]
    assert "90" in row


def test_a_rotated_key_works_beside_the_new_one_unless_no_overlap_is_wished(home: Path) -> None:
    first = _type("keys", "issue", "portal", "--role", "adapter").stdout.strip()
    second = _type("keys", "rotate", "portal").stdout.strip()
    third = _type("keys", "rotate", "portal", "--overlap-hours", "0").stdout.strip()
    ring = KeyRing(home / "keys.json")
    assert len({first, second, third}) == 3
    assert [bool(ring.holder(key)) for key in (first, second, third)] == [False, False, True]


def test_a_revoked_client_has_no_key(home: Path) -> None:
    key = _type("keys", "issue", "portal", "--role", "adapter").stdout.strip()
    assert "portal has no key any more." in _type("keys", "revoke", "portal").stdout
    assert KeyRing(home / "keys.json").holder(key) is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("keys", "issue", "x", "--role", "king"), "unknown roles ['king']; there are adapter"),
        (("keys", "issue", "x", "--role", "seat", "--channel", "pigeon"), "unknown channels ['pigeon']; there are"),
        (("keys", "rotate", "nobody"), "there is no client 'nobody'"),
        (("keys", "revoke", "nobody"), "there is no client 'nobody'"),
        (("replay", "absent.csv", "--map", "text=x"), "absent.csv cannot be read"),
        (("simulate", "--duration", "long"), "write 90s, 10m, 2h or 1d"),
        (("simulate",), "no key in"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(
    words: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["jiesu", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert told in capsys.readouterr().err.replace("\n", " ")


def test_a_misspelt_setting_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("JIESU_PROT", "9000")
    monkeypatch.setattr(sys, "argv", ["jiesu", "down"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "unknown settings JIESU_PROT" in capsys.readouterr().err


def test_a_process_of_the_same_number_that_is_not_ours_is_left_alone() -> None:
    us = psutil.Process()
    recorded = Running("sla", os.getpid(), us.create_time(), "http://127.0.0.1:1", "log")
    assert recorded.process() is None, "we are no services.sla"
    assert replace(recorded, born=0).process() is None
    assert replace(recorded, pid=2**22 + 1).process() is None


def test_topics_are_every_services_and_its_dead_letters_and_the_compacted_one() -> None:
    expected = {f"jiesu.{name}.v1" for name in NAMES} | {f"jiesu.{name}.dead.v1" for name in NAMES}
    assert set(TOPICS) == expected
    assert COMPACTED == ("jiesu.tickets.v1",)


def test_nothing_is_stopped_where_nothing_runs(home: Path) -> None:
    assert "Nothing of it ran." in _type("down").stdout
    assert not (home / "up.json").exists()


def test_a_state_file_of_dead_processes_is_no_platform(home: Path) -> None:
    home.mkdir()
    dead = Running("sla", 2**22 + 1, 0, "http://127.0.0.1:1", "log")
    (home / "up.json").write_text(json.dumps([{name: getattr(dead, name) for name in dead.__slots__}]))
    assert "Nothing of it ran." in _type("down").stdout
