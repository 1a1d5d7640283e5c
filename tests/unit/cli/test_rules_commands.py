"""The commands of rules: what they ask of the platform, and how they tell its answers."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from services.cli import __main__ as cli
from services.cli import client as cli_client
from services.cli import rules

V = "eaba134b408b"
DIFFERENCE = {
    "version": V, "against": "0" * 12, "counts": {"lead": 1},
    "changes": [{"rule": "bda", "what": "lead", "before": "district", "after": "dept-bda"}],
}  # fmt: skip
TAKEN = {"new": True, "difference": DIFFERENCE, "rules": {"version": V}}
REPORT = {
    "tickets": 200, "moved": 50, "share": 0.25, "ways": 1, "unmeasured": 3,
    "moves": [
        {"from": {"name": "热力集团"}, "to": {"name": "望京街道"}, "tickets": 50, "share": 0.25, "examples": ["N-1"]},
    ],
    "by_category": [{"name": "供热采暖", "tickets": 60, "moved": 50}],
    "by_rule": [{"name": "heating", "tickets": 50, "moved": 50}],
}  # fmt: skip
TEST = {"backtest_id": "b1", "state": "waiting", "report": None, "error": None}
HANDOVER = {"handover_id": "h1", "state": "waiting", "found": 7, "moved": 0, "by_code": {"heating-01-01": 7}}
ROUTE = {
    "unit": {"code": "co-heating", "name": "热力集团"}, "rule": "duty", "rules": V, "why": ["职责清楚"],
    "tried": [
        {"rule": "outside", "applies": False, "why_not": ["在本市", "另一条"]},
        {"rule": "duty", "applies": True, "why_not": []},
    ],
    "opinions": [{"unit": {"code": "co-water", "name": "自来水"}, "probability": 0.7}],
}  # fmt: skip
LOAD = {
    "unit": {"code": "co-heating", "name": "热力集团"}, "open": 40, "by_urgency": {"urgent": 2}, "by_age": {},
    "per_day": 20.0, "days": 2.0, "forecast": [{"day": "2026-03-02", "expected": 40.5, "low": 31.9, "high": 48.1}],
}  # fmt: skip


class Platform:
    """Stands in for the platform: what it answers by method and path, one after the other, and what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = {}
        self.asked: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        told = self.answers[f"{request.method} {request.url.path.removeprefix('/dispatch/v1/')}"]
        return httpx.Response(200, json=told.pop(0) if len(told) > 1 else told[0])

    @property
    def sent(self) -> Any:
        """The body of what was asked first."""
        return json.loads(self.asked[0].content)


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    monkeypatch.setenv("JIESU_HOME", str(tmp_path))
    (tmp_path / "dev.key").write_text("jk_test")
    platform = Platform()

    def client(url: str, _: Path) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=url, transport=httpx.MockTransport(platform.answer))

    monkeypatch.setattr(cli_client, "client", client)
    monkeypatch.setattr(rules, "LOOK_SECONDS", 0.0)
    return platform


def _type(*words: str) -> Result:
    return CliRunner().invoke(cli.app, ["rules", *words])


def test_a_file_is_imported_and_what_it_changes_is_shown(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "routing.toml"
    file.write_text("rule = []")
    platform.answers["POST rules"] = [TAKEN]
    told = _type("import", str(file), "--dry-run", "--note", "冬季").stdout
    assert f"It would be version {V}." in told
    assert "dept-bda" in told
    assert dict(platform.asked[0].url.params) == {"dry_run": "true", "note": "冬季"}
    assert f"Version {V} is in." in _type("import", str(file)).stdout
    missing = _type("import", str(tmp_path / "none.toml"))
    assert isinstance(missing.exception, cli_client.RefusedError)


def test_versions_are_listed_compared_put_in_force_and_taken_back(platform: Platform) -> None:
    activation = {
        "activation_id": "a", "version": V, "from_at": "2026-03-02T04:00:00Z", "by": None, "reason": None,
        "back_to": None, "cancelled_at": None,
    }  # fmt: skip
    one = {"version": V, "rules": 8, "imported_at": "2026-03-02T04:00", "by": None, "in_force": True, "note": None}
    platform.answers = {
        "GET rules": [[one]],
        "GET rules/activations": [{"in_force": activation, "activations": [activation]}],
        f"GET rules/{V}": [{"text": "[[rule]]"}],
        f"GET rules/{V}/diff": [DIFFERENCE],
        f"POST rules/{V}/activate": [activation],
        "POST rules/roll-back": [activation],
    }
    assert "city pack" in _type("list").stdout
    assert "[[rule]]" in _type("show", V).stdout
    assert "dept-bda" in _type("diff", V, "--against", "0" * 12).stdout
    for words in (("activate", V, "--at", "2026-12-01T00:00:00Z"), ("roll-back", "--reason", "错派")):
        assert f"Rules {V} decide from 2026-03-02T04:00:00Z on." in _type(*words).stdout


def test_a_route_is_explained_rule_by_rule(platform: Platform) -> None:
    platform.answers["POST routes"] = [ROUTE]
    told = _type("explain", "heating-01-01", "--address", "望京").stdout
    assert platform.sent == {"code": "heating-01-01", "address": "望京"}
    for part in ("co-heating 热力集团, by rule duty", "在本市；另一条", "applies", "0.7"):
        assert part in told


def test_a_backtest_is_waited_for_and_its_report_shown(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "01-water.csv").write_text(
        "code,owner_kind,owner,co_handlers\nwater-01,company,co-water,a | b\nw-2,street,,\n"
    )
    platform.answers[f"POST rules/{V}/backtest"] = [TEST]
    platform.answers["GET rules/backtests/b1"] = [TEST, {**TEST, "state": "done", "report": REPORT}]
    told = _type(
        "backtest", V, "--from", "2026-02-01T00:00:00Z", "--until", "2026-03-01T00:00:00Z", "--catalogue", str(tmp_path)
    ).stdout
    assert platform.sent["catalogue"] == {
        "water-01": {"owner_kind": "company", "owner": "co-water", "co_handlers": ["a", "b"]},
        "w-2": {"owner_kind": "street", "owner": None, "co_handlers": []},
    }
    for part in ("Of 200 tickets 50 would move (25.0 %)", "热力集团", "望京街道", "N-1", "供热采暖", "3 hang on"):
        assert part in told
    platform.answers["GET rules/backtests/b1"] = [{**TEST, "state": "failed", "error": "import them anew"}]
    assert "import them anew" in _type("backtest", V, "--from", "a", "--until", "b").stdout


def test_orders_are_handed_over_or_only_counted(platform: Platform) -> None:
    platform.answers["POST handovers"] = [HANDOVER]
    platform.answers["GET handovers/h1"] = [HANDOVER, {**HANDOVER, "state": "done", "moved": 7}]
    words = ("hand-over", "co-a", "co-b", "--note", "合并", "--code", "heating", "--street", "s-1")
    assert "7 orders would go from co-a to co-b." in _type(*words, "--dry-run").stdout
    assert "7 of 7 orders went from co-a to co-b." in _type(*words).stdout
    assert platform.sent == {
        "from_unit": "co-a", "to_unit": "co-b", "note": "合并", "codes": ["heating"], "dry_run": True, "street": "s-1",
    }  # fmt: skip


def test_loads_are_shown_with_the_forecast_of_one_unit(platform: Platform) -> None:
    platform.answers["GET loads"] = [[LOAD]]
    told = _type("loads", "co-heating").stdout
    assert dict(platform.asked[0].url.params) == {"unit": "co-heating"}
    for part in ("热力集团", "20.0", "2026-03-02", "48.1"):
        assert part in told
