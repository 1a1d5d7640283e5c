"""The commands of catalogue and model: what they ask of the platform, and how they tell its answers."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from services.cli import __main__ as cli
from services.cli import client as cli_client
from services.cli import model

AT = "2026-12-01T00:00:00Z"
V, M = "eaba134b408b", "63e8fb74c997"
DIFFERENCE = {
    "version": V, "against": "0" * 12, "counts": {"owner": 1},
    "changes": [{"code": "water-01-01", "category": ["供水"] * 3, "what": "owner", "before": "a", "after": "b"}],
}  # fmt: skip
TAKEN = {"new": True, "difference": DIFFERENCE, "catalogue": {"version": V}}
ACTIVATION = {"catalogue": V, "model": M, "from_at": "2026-03-02T04:00:00Z"}
MEASURES = {"texts": 9, "level1": 0.9, "level3": 0.8, "top3": 0.85, "owner": 0.88, "calibration_error": 0.02}
TALLY = {"champion": M, "tickets": 7, "agreed": 6, "confirmed": 5, "hits": 4, "champion_hits": 3}
STORY = {
    "name": M, "catalogue": V, "labels": 12, "data": "d" * 12, "challenges": [TALLY],
    "metrics": {"phrases": MEASURES, "confirmed": None, "later": None},
}  # fmt: skip
RUN = {"run_id": "r1", "state": "waiting", "ended_at": None, "model": None, "error": None}


class Platform:
    """Stands in for the platform: what it answers by method and path, and what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as told; of a list, one after the other."""
        self.asked.append(request)
        told = self.answers[f"{request.method} {request.url.path.removeprefix('/classify/v1/')}"]
        told = told.pop(0) if isinstance(told, list) and told and "state" in told[0] else told
        return told if isinstance(told, httpx.Response) else httpx.Response(200, json=told)


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    monkeypatch.setenv("JIESU_HOME", str(tmp_path))
    (tmp_path / "dev.key").write_text("jk_test")
    platform = Platform()

    def client(url: str, _: Path) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=url, transport=httpx.MockTransport(platform.answer))

    monkeypatch.setattr(cli_client, "client", client)
    monkeypatch.setattr(model, "LOOK_SECONDS", 0.0)
    return platform


def _type(*words: str) -> Result:
    return CliRunner().invoke(cli.app, words)


def _fails(*words: str) -> str:
    result = _type(*words)
    assert isinstance(result.exception, cli.EXPECTED)
    return str(result.exception)


def test_a_folder_is_imported_and_what_it_changes_is_shown(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "01-water.csv").write_text("code")
    platform.answers["POST catalogues"] = TAKEN
    told = _type("catalogue", "import", str(tmp_path), "--dry-run", "--note", "夏季").stdout
    assert f"It would be version {V}." in told
    assert "water-01-01" in told
    request = platform.asked[0]
    assert dict(request.url.params) == {"dry_run": "true", "note": "夏季"}
    assert b'filename="01-water.csv"' in request.content
    assert f"Version {V} is in." in _type("catalogue", "import", str(tmp_path)).stdout


def test_what_is_wrong_with_a_catalogue_is_listed_line_by_line(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "01-water.csv").write_text("code")
    wrong = {"detail": "the catalogue has 1 problems", "errors": [{"field": "01-water.csv:2 owner", "message": "no"}]}
    platform.answers["POST catalogues"] = httpx.Response(422, json=wrong)
    assert _fails("catalogue", "import", str(tmp_path)).splitlines()[1] == "  01-water.csv:2 owner: no"
    assert "cannot be read" in _fails("catalogue", "import", str(tmp_path / "nowhere.zip"))


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (("catalogue", "activate", V, "--at", AT), f"catalogues/{V}/activate", {"at": AT}),
        (("catalogue", "roll-back", "--reason", "错"), "catalogues/roll-back", {"reason": "错"}),
        (("model", "promote", M, "--reason", "更准"), f"models/{M}/promote", {"reason": "更准"}),
        (("model", "roll-back"), "models/roll-back", {}),
    ],
)  # fmt: skip
def test_what_judges_is_changed(platform: Platform, words: tuple[str, ...], path: str, body: dict[str, str]) -> None:
    platform.answers[f"POST {path}"] = ACTIVATION
    assert f"Catalogue {V} with model {M} judges from" in _type(*words).stdout
    assert json.loads(platform.asked[0].content) == body


def test_training_is_followed_to_its_end_and_measured(platform: Platform) -> None:
    done = {**RUN, "state": "done", "ended_at": "2026-03-02T04:01:00Z", "model": M}
    platform.answers = {"POST models/train": RUN, "GET models/runs/r1": [dict(RUN), done], f"GET models/{M}": STORY}
    told = [line.split() for line in _type("model", "train").stdout.splitlines()]
    assert ["held-out", "phrases", "9", "0.9", "0.8", "0.85", "0.88", "0.02"] in told
    assert [M, "7", "6", "5", "4", "3"] in told


def test_a_training_that_fails_says_why(platform: Platform) -> None:
    failed = {**RUN, "state": "failed", "ended_at": "2026-03-02T04:01:00Z", "error": "no memory"}
    platform.answers = {"POST models/train": RUN, "GET models/runs/r1": [failed]}
    assert _fails("model", "train") == "it failed: no memory"
    assert "model list" in _type("model", "train", "--no-wait").stdout


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ({"index": None}, "Too few tickets"),
        ({"index": 0.3, "drifting": True, "model": M, "reasons": ["level 1 has shifted"]}, "level 1 has shifted"),
    ],
)
def test_drift_is_told_with_its_reasons(platform: Platform, seen: dict[str, Any], said: str) -> None:
    platform.answers["GET models/drift"] = seen
    assert said in _type("model", "drift").stdout


def test_a_platform_that_is_away_is_told_as_such(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(platform, "answer", away)
    assert "does not answer: ConnectError" in _fails("model", "list")
