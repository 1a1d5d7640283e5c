import base64
from pathlib import Path

import pytest

from libs.common.runtime.privacy import Secrets, SecretsError

LASTING = ("pseudonyms", "query-codes", "review")


def test_a_created_secret_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    Secrets.create(tmp_path / "master")
    assert (tmp_path / "master").stat().st_mode & 0o777 == 0o600


def test_a_loaded_secret_derives_the_keys_of_the_created_one(tmp_path: Path) -> None:
    created = Secrets.create(tmp_path / "master")
    loaded = Secrets.load(tmp_path / "master")
    assert loaded.key("pseudonyms") == created.key("pseudonyms")
    assert loaded.ring("vault") == created.ring("vault")


def test_each_purpose_has_a_key_of_its_own() -> None:
    secrets = Secrets.of(bytes(32))
    keys = {secrets.key(name) for name in ("vault", *LASTING)}
    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}


def test_a_file_of_an_earlier_release_is_the_root_and_master_1_and_derives_what_it_always_did(tmp_path: Path) -> None:
    (tmp_path / "master").write_bytes(base64.b64encode(b"m" * 32) + b"\n")
    (tmp_path / "master").chmod(0o600)
    loaded = Secrets.load(tmp_path / "master")
    assert loaded.ring("vault") == ({1: loaded.key("vault")}, 1)
    assert loaded.key("vault").hex() == "355b93338a8fc38bc4244a104e1bd08653d0d56a3b27d1424626d8ad8cc03e51"


def test_a_rotation_makes_another_master_seal_and_changes_no_lasting_key(tmp_path: Path) -> None:
    before = Secrets.create(tmp_path / "master")
    Secrets.change(tmp_path / "master", lambda secrets: secrets.rotate())
    after = Secrets.load(tmp_path / "master")
    assert (before.current, after.current) == (1, 2)
    assert after.ring("vault")[0].items() > before.ring("vault")[0].items()
    assert [after.key(name) for name in LASTING] == [before.key(name) for name in LASTING]


def test_a_file_of_an_earlier_release_is_rotated_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "master").write_bytes(base64.b64encode(b"m" * 32))
    (tmp_path / "master").chmod(0o600)
    Secrets.change(tmp_path / "master", lambda secrets: secrets.rotate().retire(1))
    after = Secrets.load(tmp_path / "master")
    assert (after.root, [number for number, _ in after.masters]) == (b"m" * 32, [2])
    assert (tmp_path / "master").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["master"]


def test_a_prepared_master_opens_and_seals_only_after_the_next_rotation() -> None:
    prepared = Secrets.of(bytes(32)).prepare()
    assert (prepared.current, prepared.prepared, set(prepared.ring("vault")[0])) == (1, 2, {1, 2})
    rotated = prepared.rotate()
    assert (rotated.current, rotated.prepared) == (2, None)
    assert rotated.ring("vault")[0] == prepared.ring("vault")[0]
    with pytest.raises(SecretsError, match="prepared already"):
        prepared.prepare()


def test_only_a_master_that_does_not_seal_is_retired_and_its_number_is_not_given_again() -> None:
    rotated = Secrets.of(bytes(32)).rotate()
    with pytest.raises(SecretsError, match="the one that seals"):
        rotated.retire(2)
    with pytest.raises(SecretsError, match="no master 7"):
        rotated.retire(7)
    assert rotated.retire(1).rotate().current == 3


def test_there_is_an_end_to_the_numbers() -> None:
    with pytest.raises(SecretsError, match="no master after number 255"):
        Secrets(bytes(32), ((255, bytes(32)),)).rotate()


def test_creating_never_replaces_a_secret(tmp_path: Path) -> None:
    first = Secrets.create(tmp_path / "master")
    with pytest.raises(FileExistsError):
        Secrets.create(tmp_path / "master")
    assert Secrets.load(tmp_path / "master") == first
    assert [path.name for path in tmp_path.iterdir()] == ["master"]


def test_a_change_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    first = Secrets.create(tmp_path / "master")
    with pytest.raises(SecretsError):
        Secrets.change(tmp_path / "master", lambda secrets: secrets.retire(1))
    assert Secrets.load(tmp_path / "master") == first


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_file_others_may_touch_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    Secrets.create(tmp_path / "master")
    (tmp_path / "master").chmod(mode)
    with pytest.raises(SecretsError, match="chmod 600"):
        Secrets.load(tmp_path / "master")


GOOD = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "not base64!",
        base64.b64encode(b"too short").decode(),
        "",
        f"root {GOOD}",
        f"1 {GOOD}",
        f"root {GOOD}\nroot {GOOD}\n1 {GOOD}",
        f"root {GOOD}\n1 {GOOD}\n1 {GOOD}",
        f"root {GOOD}\n256 {GOOD}",
        f"root {GOOD}\n1 AAAA",
        f"root {GOOD}\nseven {GOOD}",
    ],
)
def test_a_file_that_holds_no_secret_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "master").write_text(text)
    (tmp_path / "master").chmod(0o600)
    with pytest.raises(SecretsError):
        Secrets.load(tmp_path / "master")


def test_a_secret_does_not_show_itself() -> None:
    assert "AAAA" not in repr(Secrets.of(b"A" * 32))
