"""Keys: made once, kept as hashes, read anew when their file changes; and what their holders may do."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI

from libs.common.runtime.problems import HANDLERS
from libs.common.runtime.security import ROLES, KeyRing, KeysError, Principal, require


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys.json"


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


def test_without_a_file_nobody_holds_a_key(path: Path) -> None:
    ring = KeyRing(path)
    assert ring.holder("jk_x") is None
    key = KeyRing(path).issue("a", ["seat"])
    assert ring.holder(key)
    path.unlink()
    assert ring.holder(key) is None


def test_what_another_process_issues_or_revokes_counts_at_once(path: Path) -> None:
    ring, other = KeyRing(path), KeyRing(path)
    first = ring.issue("first", ["seat"])
    second = other.issue("second", ["unit"])
    assert [holder.name if holder else None for holder in map(ring.holder, (first, second))] == ["first", "second"]
    path.write_text(json.dumps([row for row in json.loads(path.read_text()) if row["name"] != "first"]))
    assert ring.holder(first) is None
    assert ring.holder(second)


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
        ({"supervisor"}, {"dept-heat"}, True),
        ({"seat"}, {"dept-water"}, False),
    ],
)
def test_a_unit_acts_for_its_own_units_and_a_supervisor_for_any(roles: set[str], units: set[str], acts: bool) -> None:
    holder = Principal("x", frozenset(roles), frozenset(units))  # type: ignore[arg-type]
    assert holder.acts_for("dept-water") is acts


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
