"""Keys: made once, kept as hashes, read anew when their file changes; and what their holders may do."""

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from structlog.testing import capture_logs

from libs.common.runtime.keyfile import KeysError, KeysRefusedError
from libs.common.runtime.problems import HANDLERS, Problem
from libs.common.runtime.security import (
    LOOK_SECONDS,
    ROLES,
    KeyRing,
    Principal,
    UnknownClientError,
    require,
)

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


@dataclass
class Time:
    """Real time, as a test lets it pass."""

    passed: float = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def ticks(self) -> float:
        return self.passed

    def ring(self, path: Path) -> KeyRing:
        return KeyRing(path, self.now, self.ticks)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys.json"


@pytest.fixture
def time() -> Time:
    return Time()


def test_an_issued_key_is_known_with_its_roles_and_units(path: Path) -> None:
    key = KeyRing(path).issue("water", ["unit", "analyst"], ["dept-water"])
    assert KeyRing(path).holder(key) == Principal("water", frozenset({"unit", "analyst"}), frozenset({"dept-water"}))


def test_the_file_holds_no_key_and_only_its_owner_may_read_it(path: Path) -> None:
    key = KeyRing(path).issue("water", ROLES)
    assert key.removeprefix("jk_") not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_key_is_another_and_long(path: Path) -> None:
    keys = {KeyRing(path).issue(f"n{n}", ["seat"]) for n in range(10)}
    assert len(keys) == 10
    assert {len(key) for key in keys} == {len("jk_") + 40}


@pytest.mark.parametrize("key", ["", "jk_", "jk_" + "0" * 40, "\0", "字"])
def test_a_wrong_key_is_nobodys(path: Path, key: str) -> None:
    ring = KeyRing(path)
    ring.issue("water", ["unit"])
    assert ring.holder(key) is None


def test_without_a_file_nobody_holds_a_key(path: Path, time: Time) -> None:
    ring = time.ring(path)
    assert ring.holder("jk_x") is None
    key = KeyRing(path).issue("a", ["seat"])
    assert ring.holder(key)
    path.unlink()
    time.passed += LOOK_SECONDS
    assert ring.holder(key) is None


def test_what_another_process_issues_counts_at_once_and_what_it_revokes_within_a_second(path: Path, time: Time) -> None:
    ring, other = time.ring(path), time.ring(path)
    first = ring.issue("first", ["seat"])
    second = other.issue("second", ["unit"])
    assert [holder.name if holder else None for holder in map(ring.holder, (first, second))] == ["first", "second"]
    other.revoke("first")
    assert other.holder(first) is None
    time.passed += LOOK_SECONDS
    assert ring.holder(first) is None
    assert ring.holder(second)


def test_what_another_process_changed_is_logged_by_client(path: Path) -> None:
    mine, other = KeyRing(path), KeyRing(path)
    other.issue("seat", ["seat"])
    other.issue("gone", ["seat"])
    mine.issued()
    with capture_logs() as logs:
        other.revoke("gone")
        other.issue("web", ["adapter"])
        other.change(Principal("seat", frozenset({"seat"}), per_minute=5))
        mine.issued()
    told = {"event": "keys changed", "issued": ["web"], "ended": ["gone"], "changed": ["seat"], "log_level": "info"}
    assert logs[-1] == told


def test_the_file_is_looked_at_once_a_second_and_not_at_each_request(path: Path, time: Time) -> None:
    ring = time.ring(path)
    key = ring.issue("water", ["unit"])
    assert ring.holder(key)
    path.unlink()
    assert all(ring.holder(key) for _ in range(3))
    time.passed += LOOK_SECONDS
    assert ring.holder(key) is None


def test_the_file_of_the_first_release_still_works(path: Path) -> None:
    key = KeyRing(path).issue("water", ["unit"])
    (row,) = json.loads(path.read_text())
    path.write_text(json.dumps([{name: row[name] for name in ("name", "hash", "roles", "units")}]))
    ring = KeyRing(path)
    assert ring.holder(key) == Principal("water", frozenset({"unit"}))
    ring.issue("heat", ["unit"])
    assert KeyRing(path).holder(key)


def test_a_role_of_a_newer_release_is_kept_when_the_file_is_rewritten(path: Path) -> None:
    KeyRing(path).issue("water", ["unit"])
    (row,) = json.loads(path.read_text())
    path.write_text(json.dumps([row | {"roles": ["auditor", "unit"]}]))
    KeyRing(path).issue("heat", ["unit"])
    assert json.loads(path.read_text())[0]["roles"] == ["auditor", "unit"]


def test_a_rotated_key_works_for_the_overlap_yet_and_no_longer(path: Path, time: Time) -> None:
    ring = time.ring(path)
    old = ring.issue("web", ["adapter"], channels=["web"], per_minute=60)
    new = ring.rotate("web", 2)
    assert (
        ring.holder(old)
        == ring.holder(new)
        == Principal("web", frozenset({"adapter"}), channels=frozenset({"web"}), per_minute=60)
    )
    time.passed += 2 * 3600
    assert ring.holder(old) is None
    assert ring.holder(new)
    assert len(ring.issued()) == 1


def test_a_second_rotation_does_not_lengthen_the_life_of_the_first_key(path: Path, time: Time) -> None:
    ring = time.ring(path)
    first = ring.issue("web", ["adapter"])
    second = ring.rotate("web", 1)
    third = ring.rotate("web", 24)
    time.passed += 3600
    assert [bool(ring.holder(key)) for key in (first, second, third)] == [False, True, True]


def test_without_an_overlap_the_old_key_ends_at_once(path: Path) -> None:
    ring = KeyRing(path)
    old = ring.issue("web", ["adapter"])
    new = ring.rotate("web", 0)
    assert ring.holder(old) is None
    assert ring.holder(new)


def test_other_rights_go_to_every_key_of_the_client(path: Path) -> None:
    ring = KeyRing(path)
    keys = [ring.issue("web", ["adapter"]), ring.rotate("web")]
    changed = Principal("web", frozenset({"adapter", "seat"}), per_minute=5)
    ring.change(changed)
    assert [ring.holder(key) for key in keys] == [changed, changed]


def test_a_revoked_client_has_no_key_and_cannot_be_revoked_rotated_or_changed(path: Path) -> None:
    ring = KeyRing(path)
    keys = [ring.issue("web", ["adapter"]), ring.rotate("web")]
    ring.revoke("web")
    assert [ring.holder(key) for key in keys] == [None, None]
    for work in (ring.revoke, ring.rotate, lambda name: ring.change(Principal(name, frozenset()))):
        with pytest.raises(UnknownClientError, match="there is no client 'web'"):
            work("web")


def test_the_last_operator_cannot_be_lost_by_accident(path: Path) -> None:
    ring = KeyRing(path)
    key = ring.issue("head", ["operator"])
    lost: list[Any] = [
        lambda: ring.revoke("head"),
        lambda: ring.change(Principal("head", frozenset({"seat"}))),
        lambda: ring.issue("head", ["seat"]),
    ]
    for lose in lost:
        with pytest.raises(KeysRefusedError, match="no client with the role operator would be left"):
            lose()
    assert ring.holder(key)
    ring.issue("second", ["operator"])
    ring.revoke("head")
    assert ring.holder(key) is None


def test_the_old_key_of_a_rotated_operator_is_no_operator_to_rely_on(path: Path) -> None:
    ring = KeyRing(path)
    ring.issue("head", ["operator"])
    ring.rotate("head")
    with pytest.raises(KeysRefusedError):
        ring.revoke("head")


def test_writers_do_not_lose_each_others_keys(path: Path) -> None:
    rings = [KeyRing(path) for _ in range(4)]
    keys: list[str] = []

    def issue(number: int) -> None:
        keys.extend(rings[number].issue(f"c{number}-{n}", ["seat"]) for n in range(10))

    threads = [threading.Thread(target=issue, args=(number,)) for number in range(len(rings))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 40
    assert all(KeyRing(path).holder(key) for key in keys)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_told_with_what_to_do(path: Path) -> None:
    path.parent.mkdir()
    path.with_suffix(".lock").mkdir()
    with pytest.raises(KeysRefusedError, match=r"keys\.json cannot be written here .*: change keys where it is kept"):
        KeyRing(path).issue("web", ["adapter"])


@pytest.mark.parametrize("name", ["", " web", "a/b", "a\0b", "a\nb", "..", "w" * 101])
def test_a_name_that_fits_no_path_and_no_line_of_a_log_is_refused(path: Path, name: str) -> None:
    with pytest.raises(KeysError, match="a client's name begins with a letter or digit"):
        KeyRing(path).issue(name, ["seat"])


def test_an_unknown_channel_or_a_quota_of_nothing_is_refused(path: Path) -> None:
    with pytest.raises(KeysError, match=r"unknown channels \['pigeon'\]; there are phone, web"):
        KeyRing(path).issue("x", ["adapter"], channels=["pigeon"])  # type: ignore[list-item]
    with pytest.raises(KeysError, match="a quota is at least 1 in a minute"):
        KeyRing(path).issue("x", ["adapter"], per_minute=0)


def _refused(ring: KeyRing, holder: Principal, channel: Any = None) -> Problem | None:
    try:
        ring.admit(holder, channel)
    except Problem as problem:
        return problem
    return None


def test_a_client_posts_by_its_channels_only_and_the_field_is_named(path: Path) -> None:
    ring, web = KeyRing(path), Principal("web", frozenset({"adapter"}), channels=frozenset({"web", "app"}))
    assert [_refused(ring, web, channel) for channel in ("web", "app", None)] == [None] * 3
    problem = _refused(ring, web, "phone")
    assert problem
    assert (problem.status, problem.errors[0].field) == (403, "channel")
    assert problem.detail == "channel: this client may send app, web only"
    assert _refused(ring, Principal("any", frozenset({"adapter"})), "phone") is None


def test_a_client_posts_a_minutes_worth_at_once_and_then_as_its_quota_refills(path: Path, time: Time) -> None:
    ring, web = time.ring(path), Principal("web", frozenset({"adapter"}), per_minute=30)
    assert [_refused(ring, web) for _ in range(30)] == [None] * 30
    problem = _refused(ring, web)
    assert problem
    assert (problem.status, problem.headers) == (429, {"Retry-After": "2"})
    time.passed += 2
    assert _refused(ring, web) is None
    assert _refused(ring, web)
    time.passed += 3600
    assert sum(_refused(ring, web) is None for _ in range(100)) == 30


def test_who_waits_as_long_as_it_was_told_gets_through(path: Path, time: Time) -> None:
    ring, slow = time.ring(path), Principal("slow", frozenset({"adapter"}), per_minute=7)
    for _ in range(20):
        problem = _refused(ring, slow)
        if problem:
            time.passed += int(problem.headers["Retry-After"])
            assert _refused(ring, slow) is None


def test_one_clients_quota_is_not_anothers(path: Path, time: Time) -> None:
    ring = time.ring(path)
    one, other = (Principal(name, frozenset({"adapter"}), per_minute=1) for name in ("one", "other"))
    assert [bool(_refused(ring, who)) for who in (one, one, other)] == [False, True, False]


def test_a_new_key_of_the_same_name_ends_the_old(path: Path) -> None:
    ring = KeyRing(path)
    old, new = ring.issue("water", ["unit"]), ring.issue("water", ["seat"])
    assert ring.holder(old) is None
    assert ring.holder(new) == Principal("water", frozenset({"seat"}))


def test_an_unknown_role_is_refused_and_the_known_ones_are_named(path: Path) -> None:
    with pytest.raises(KeysError, match=r"unknown roles \['mayor'\]; there are adapter, importer, seat"):
        KeyRing(path).issue("x", ["seat", "mayor"])  # type: ignore[list-item]
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "{", "5", '{"a": 1}', '[{"hash": "x"}]', '["x"]'])
def test_a_file_that_is_no_list_of_keys_is_told(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(KeysError, match=r"keys\.json is not a list of keys"):
        KeyRing(path).holder("jk_x")


def test_a_holder_may_what_one_of_its_roles_may() -> None:
    holder = Principal("x", frozenset({"seat", "analyst"}))
    assert holder.may("unit", "seat")
    assert not holder.may("unit", "supervisor")
    assert not holder.may()


@pytest.mark.parametrize(
    ("roles", "units", "acts"),
    [
        ({"unit"}, {"dept-water"}, True),
        ({"unit"}, {"dept-heat"}, False),
        ({"unit"}, set(), True),
        ({"supervisor"}, {"dept-heat"}, False),
        ({"supervisor"}, set(), True),
        ({"seat"}, {"dept-water"}, False),
    ],
)
def test_a_unit_or_a_supervisor_acts_for_its_own_units_and_without_any_for_all(
    roles: set[str], units: set[str], acts: bool
) -> None:
    holder = Principal("x", frozenset(roles), frozenset(units))  # type: ignore[arg-type]
    assert holder.acts_for("dept-water") is acts


@pytest.mark.parametrize(
    ("roles", "units", "may"),
    [
        ({"supervisor"}, set(), True),
        ({"supervisor"}, {"d-110105"}, False),
        ({"operator"}, {"d-110105"}, True),
        ({"supervisor", "operator"}, {"d-110105"}, True),
        ({"seat"}, set(), False),
    ],
)
def test_a_supervisor_of_some_units_has_no_say_in_what_holds_for_the_whole_city(
    roles: set[str], units: set[str], may: bool
) -> None:
    holder = Principal("x", frozenset(roles), frozenset(units))  # type: ignore[arg-type]
    assert holder.may_everywhere("supervisor", "operator") is may


@dataclass
class _Context:
    """As much of a context as a key needs."""

    keys: KeyRing


async def test_a_route_lets_in_who_holds_one_of_its_roles(path: Path) -> None:
    ring = KeyRing(path)
    app = FastAPI(exception_handlers=HANDLERS)
    app.state.context = _Context(ring)

    @app.get("/who")
    async def who(sender: Annotated[Principal, Depends(require("unit", "supervisor"))]) -> str:
        return sender.name

    unit, seat = ring.issue("water", ["unit"]), ring.issue("seat-7", ["seat"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://jiesu") as http:

        async def ask(authorization: str | None) -> httpx.Response:
            return await http.get("/who", headers={"Authorization": authorization} if authorization else {})

        let_in = [await ask(f"Bearer {unit}"), await ask(f"bearer  {unit} ")]
        unknown = [await ask(a) for a in (None, "Bearer", "Bearer jk_no", f"Basic {unit}", unit)]
        forbidden = await ask(f"Bearer {seat}")
    assert [answer.json() for answer in let_in] == ["water", "water"]
    assert {(a.status_code, a.headers["www-authenticate"]) for a in unknown} == {(401, "Bearer")}
    assert (forbidden.status_code, forbidden.json()["detail"]) == (403, "this needs the role unit or supervisor")
    assert not [a for a in [*unknown, forbidden] if unit in a.text or seat in a.text]
