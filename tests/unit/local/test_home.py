"""The home folder: secret, key and clock are made once and kept, and one Jiesu uses it at a time."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from libs.common.local.home import DEVELOPER, HomeTakenError, clock_of, keep_clock, key_file, prepare_home, sole_user
from libs.common.runtime.clock import Clock
from libs.common.runtime.security import ROLES, KeyRing
from libs.common.runtime.settings import Settings


def test_a_new_home_has_a_secret_and_a_key_of_every_role_that_only_its_owner_reads(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    prepare_home(settings)
    holder = KeyRing(settings.keys_file).holder(key_file(settings).read_text().strip())
    assert holder
    assert holder.roles == frozenset(ROLES)
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700
    assert stat.S_IMODE(key_file(settings).stat().st_mode) == 0o600


def test_a_home_that_is_prepared_again_keeps_its_secret_and_its_key(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    prepare_home(settings)
    before = settings.secret_file.read_bytes(), key_file(settings).read_text()
    prepare_home(settings)
    assert (settings.secret_file.read_bytes(), key_file(settings).read_text()) == before


@pytest.mark.parametrize("lost", ["keys.json", "dev.key"])
def test_a_development_key_that_was_lost_is_replaced(tmp_path: Path, lost: str) -> None:
    settings = Settings(home=tmp_path / "home")
    prepare_home(settings)
    (settings.home / lost).unlink()
    prepare_home(settings)
    assert KeyRing(settings.keys_file).holder(key_file(settings).read_text().strip())


def test_a_development_key_that_was_revoked_stays_so(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    prepare_home(settings)
    keys = KeyRing(settings.keys_file)
    keys.issue("operator", ["operator"])
    keys.revoke(DEVELOPER)
    prepare_home(settings)
    assert [key.holder.name for key in keys.issued()] == ["operator"]


def test_a_second_user_of_a_home_is_told_who_has_it(tmp_path: Path) -> None:
    with (
        sole_user(tmp_path, "make run on http://127.0.0.1:8000"),
        pytest.raises(HomeTakenError, match=r"make run on http://127\.0\.0\.1:8000.*JIESU_HOME"),
        sole_user(tmp_path, "make up"),
    ):
        pass


def test_a_home_is_free_again_once_its_user_is_gone(tmp_path: Path) -> None:
    with sole_user(tmp_path, "make run"):
        pass
    with sole_user(tmp_path, "make up"):
        assert (tmp_path / "lock").read_text() == "make up"


def test_a_clock_that_is_started_again_goes_on(tmp_path: Path) -> None:
    text = "2026-01-01T00:00:00+08:00,60"
    first = keep_clock(tmp_path, text)
    assert keep_clock(tmp_path, text) == first == clock_of(tmp_path)
    assert Clock.parse(first).rate == 60


def test_a_clock_of_another_rate_begins_anew(tmp_path: Path) -> None:
    keep_clock(tmp_path, "2026-01-01T00:00:00+08:00,60")
    begun = keep_clock(tmp_path, "2026-01-01T00:00:00+08:00,6")
    assert Clock.parse(begun).now() >= datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert begun.startswith("2026-01-01T00:00:00+08:00,6,")


def test_a_clock_with_an_instant_of_its_own_and_real_time_are_kept_as_they_are(tmp_path: Path) -> None:
    text = "2026-01-01T00:00:00+08:00,60,2026-06-01T00:00:00+00:00"
    assert keep_clock(tmp_path, text) == clock_of(tmp_path) == text
    assert keep_clock(tmp_path, "") == clock_of(tmp_path) == ""


def test_a_text_that_is_no_clock_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JIESU_CLOCK"):
        keep_clock(tmp_path, "tomorrow,60")
    assert clock_of(tmp_path) == ""
