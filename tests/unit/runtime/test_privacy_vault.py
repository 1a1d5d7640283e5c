from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.runtime.privacy import Vault, VaultError

OLD, NEW = b"o" * 32, b"n" * 32
VAULT = Vault({1: OLD}, current=1)


@given(plain=st.binary(), context=st.binary())
def test_what_is_sealed_opens_again(plain: bytes, context: bytes) -> None:
    assert VAULT.open(VAULT.seal(plain, context), context) == plain


@given(at=st.integers(min_value=0, max_value=32), flip=st.integers(min_value=1, max_value=255))
def test_no_byte_can_be_changed(at: int, flip: int) -> None:
    sealed = bytearray(VAULT.seal(b"1380", b"ticket"))
    sealed[at] ^= flip
    with pytest.raises(VaultError):
        VAULT.open(bytes(sealed), b"ticket")


def test_another_context_does_not_open() -> None:
    with pytest.raises(VaultError, match="another context"):
        VAULT.open(VAULT.seal(b"13800138000", b"ticket-1"), b"ticket-2")


def test_equal_originals_are_sealed_differently() -> None:
    assert VAULT.seal(b"13800138000", b"ticket") != VAULT.seal(b"13800138000", b"ticket")


def test_after_a_rotation_the_new_key_seals_and_the_old_one_still_opens() -> None:
    rotated = Vault({1: OLD, 2: NEW}, current=2)
    assert rotated.open(VAULT.seal(b"old", b"ticket"), b"ticket") == b"old"
    assert rotated.seal(b"new", b"ticket")[0] == 2


def test_a_key_that_was_thrown_away_no_longer_opens() -> None:
    with pytest.raises(VaultError, match="no key 1"):
        Vault({2: NEW}, current=2).open(VAULT.seal(b"old", b"ticket"), b"ticket")


@pytest.mark.parametrize("cut", [b"", b"\x01", b"\x01" + bytes(27)])
def test_bytes_cut_short_do_not_open(cut: bytes) -> None:
    with pytest.raises(VaultError, match="cut short"):
        VAULT.open(cut, b"ticket")


@pytest.mark.parametrize(("keys", "current"), [({}, 1), ({1: OLD}, 2), ({1: b"short"}, 1), ({256: OLD}, 256)])
def test_a_vault_needs_whole_keys_with_ids_of_one_byte(keys: Mapping[int, bytes], current: int) -> None:
    with pytest.raises(ValueError, match="key"):
        Vault(keys, current)
