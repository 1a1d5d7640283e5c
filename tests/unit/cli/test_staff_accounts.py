"""Staff accounts of units from a file: all of it, or nothing with every mistake named."""

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from libs.common.runtime.security import KeyRing
from services.cli import __main__ as cli

ACCOUNTS = """name,roles,units
望京街道 值班,unit,s-110105026
水务集团 客服,unit | analyst,co-water | dept-water
督办科,supervisor,
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JIESU_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.csv"
    path.write_text(ACCOUNTS, encoding="utf-8")
    return path


def _type(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def test_each_account_gets_a_key_in_a_file_of_its_owner(home: Path, accounts: Path, tmp_path: Path) -> None:
    into = tmp_path / "keys.csv"
    said = _type("keys", "staff", accounts, into)
    assert said.exit_code == 0, said.exception
    assert into.stat().st_mode & 0o777 == 0o600
    with into.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["望京街道 值班", "水务集团 客服", "督办科"]
    ring = KeyRing(home / "keys.json")
    holders = [ring.holder(row["key"]) for row in rows]
    assert [sorted(holder.roles) for holder in holders if holder] == [["unit"], ["analyst", "unit"], ["supervisor"]]
    assert holders[1]
    assert [holders[1].acts_for(unit) for unit in ("co-water", "dept-water", "co-gas")] == [True, True, False]
    assert all(row["key"] not in said.output for row in rows)


def test_the_accounts_of_one_unit_are_listed(accounts: Path, tmp_path: Path) -> None:
    _type("keys", "staff", accounts, tmp_path / "keys.csv")
    shown = _type("keys", "list", "--unit", "co-water").stdout
    assert "水务集团" in shown
    assert "望京街道" not in shown


def test_nothing_is_issued_while_anything_is_wrong(home: Path, accounts: Path, tmp_path: Path) -> None:
    accounts.write_text(
        ACCOUNTS + "督办科,unit,\n/某处,chief,s-999\n",
        encoding="utf-8",
    )
    problems = str(_type("keys", "staff", accounts, tmp_path / "keys.csv").exception).splitlines()
    assert [problem.split(":", 2)[1].split()[1] for problem in problems] == ["name", "units", "name", "roles", "units"]
    assert problems[0].startswith("accounts.csv:5 name")
    assert KeyRing(home / "keys.json").issued() == []
    assert not (tmp_path / "keys.csv").exists()


def test_who_has_a_key_and_a_file_that_exists_are_left_alone(accounts: Path, tmp_path: Path) -> None:
    into = tmp_path / "keys.csv"
    into.write_text("mine", encoding="utf-8")
    assert "exists" in str(_type("keys", "staff", accounts, into).exception)
    assert into.read_text(encoding="utf-8") == "mine"
    _type("keys", "staff", accounts, tmp_path / "other.csv")
    assert "has a key" in str(_type("keys", "staff", accounts, tmp_path / "third.csv").exception)
