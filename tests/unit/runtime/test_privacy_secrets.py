import base64
from pathlib import Path

import pytest

from libs.common.runtime.privacy import Secrets, SecretsError


def test_a_created_secret_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    Secrets.create(tmp_path / "master")
    assert (tmp_path / "master").stat().st_mode & 0o777 == 0o600


def test_a_loaded_secret_derives_the_keys_of_the_created_one(tmp_path: Path) -> None:
    created = Secrets.create(tmp_path / "master")
    assert Secrets.load(tmp_path / "master").key("vault") == created.key("vault")


def test_each_purpose_has_a_key_of_its_own() -> None:
    secrets = Secrets(bytes(32))
    keys = {secrets.key(name) for name in ("vault", "pseudonyms", "query-codes")}
    assert len(keys) == 3
    assert {len(key) for key in keys} == {32}


def test_creating_never_replaces_a_secret(tmp_path: Path) -> None:
    first = Secrets.create(tmp_path / "master")
    with pytest.raises(FileExistsError):
        Secrets.create(tmp_path / "master")
    assert Secrets.load(tmp_path / "master") == first
    assert [path.name for path in tmp_path.iterdir()] == ["master"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_file_others_may_touch_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    Secrets.create(tmp_path / "master")
    (tmp_path / "master").chmod(mode)
    with pytest.raises(SecretsError, match="chmod 600"):
        Secrets.load(tmp_path / "master")


@pytest.mark.parametrize("text", [b"not base64!", base64.b64encode(b"too short")])
def test_a_file_that_holds_no_secret_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "master").write_bytes(text)
    (tmp_path / "master").chmod(0o600)
    with pytest.raises(SecretsError):
        Secrets.load(tmp_path / "master")


def test_a_secret_does_not_show_itself() -> None:
    assert "AAAA" not in repr(Secrets(b"A" * 32))
