from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from libs.common.runtime.privacy import ErasedError, Secrets, Vault, VaultError
from libs.common.runtime.privacy.vault import OWN

OLD, NEW = b"o" * 32, b"n" * 32
VAULT = Vault({1: OLD}, current=1)
ROTATED = Vault({1: OLD, 2: NEW}, current=2)


@given(plain=st.binary(), context=st.binary())
def test_what_is_sealed_opens_again(plain: bytes, context: bytes) -> None:
    assert VAULT.open(VAULT.seal(plain, context), context) == plain


@given(plain=st.binary(), context=st.binary())
def test_what_the_key_of_a_ticket_sealed_opens_with_that_key_wrapped(plain: bytes, context: bytes) -> None:
    key = VAULT.new_key(context)
    assert VAULT.open(key.seal(plain, context), context, key.wrapped) == plain


@given(at=st.integers(min_value=0, max_value=32), flip=st.integers(min_value=1, max_value=255))
def test_no_byte_can_be_changed(at: int, flip: int) -> None:
    key = VAULT.new_key(b"ticket")
    for sealed, wrapped in ((VAULT.seal(b"1380", b"ticket"), None), (key.seal(b"1380", b"ticket"), key.wrapped)):
        changed = bytearray(sealed)
        changed[at] ^= flip
        with pytest.raises(VaultError):
            VAULT.open(bytes(changed), b"ticket", wrapped)


def test_another_context_does_not_open() -> None:
    key = VAULT.new_key(b"ticket-1")
    with pytest.raises(VaultError, match="another context"):
        VAULT.open(VAULT.seal(b"13800138000", b"ticket-1"), b"ticket-2")
    with pytest.raises(VaultError, match="another context"):
        VAULT.open(key.seal(b"13800138000", b"ticket-2"), b"ticket-2", key.wrapped)


def test_the_key_of_one_ticket_does_not_open_another() -> None:
    one, other = VAULT.new_key(b"ticket"), VAULT.new_key(b"ticket")
    with pytest.raises(VaultError):
        VAULT.open(one.seal(b"13800138000", b"ticket"), b"ticket", other.wrapped)


def test_equal_originals_are_sealed_differently() -> None:
    assert VAULT.seal(b"13800138000", b"ticket") != VAULT.seal(b"13800138000", b"ticket")


def test_after_a_rotation_the_new_key_seals_and_the_old_one_still_opens() -> None:
    assert ROTATED.open(VAULT.seal(b"old", b"ticket"), b"ticket") == b"old"
    assert ROTATED.seal(b"new", b"ticket")[0] == ROTATED.current == 2


def test_a_key_wrapped_anew_opens_what_it_sealed_without_the_old_master() -> None:
    key = VAULT.new_key(b"ticket")
    wrapped = ROTATED.rewrap(key.wrapped, b"ticket")
    assert Vault({2: NEW}, current=2).open(key.seal(b"words", b"ticket"), b"ticket", wrapped) == b"words"


def test_a_key_that_was_thrown_away_no_longer_opens() -> None:
    with pytest.raises(VaultError, match="no key 1"):
        Vault({2: NEW}, current=2).open(VAULT.seal(b"old", b"ticket"), b"ticket")


def test_what_another_process_sealed_by_a_new_master_opens_at_once() -> None:
    behind = Vault({1: OLD}, current=1, renew=lambda: ({1: OLD, 2: NEW}, 2))
    assert behind.open(ROTATED.seal(b"new", b"ticket"), b"ticket") == b"new"
    assert behind.current == 2


@pytest.mark.parametrize("cut", [b"", b"\x01", b"\x01" + bytes(27), OWN, OWN + bytes(27)])
def test_bytes_cut_short_do_not_open(cut: bytes) -> None:
    with pytest.raises(VaultError, match="cut short"):
        VAULT.open(cut, b"ticket", VAULT.new_key(b"ticket").wrapped)


@pytest.mark.parametrize(
    ("keys", "current"), [({}, 1), ({1: OLD}, 2), ({1: b"short"}, 1), ({256: OLD}, 256), ({0: OLD}, 0)]
)
def test_a_vault_needs_whole_keys_with_numbers_of_one_byte_that_mean_no_ticket(
    keys: Mapping[int, bytes], current: int
) -> None:
    with pytest.raises(ValueError, match="key"):
        Vault(keys, current)


class Life(RuleBasedStateMachine):
    """Tickets sealed, opened and shredded while masters come and go, in any order, with an old backup beside."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets = Secrets.of(bytes(32))
        self.vault = Vault(*self.secrets.ring("vault"))
        self.sealed: dict[int, bytes] = {}
        self.keys: dict[int, bytes] = {}
        self.backup: dict[int, bytes] = {}

    def _now(self, secrets: Secrets) -> None:
        self.secrets = secrets
        self.vault = Vault(*secrets.ring("vault"))

    @rule()
    def receive(self) -> None:
        ticket = len(self.sealed)
        key = self.vault.new_key(_context(ticket))
        self.sealed[ticket], self.keys[ticket] = key.seal(_words(ticket), _context(ticket)), key.wrapped

    @precondition(lambda self: self.secrets.masters[-1][0] < 20)
    @rule()
    def rotate(self) -> None:
        self._now(self.secrets.rotate())

    @precondition(lambda self: self.secrets.masters[-1][0] < 20 and not self.secrets.prepared)
    @rule()
    def prepare(self) -> None:
        self._now(self.secrets.prepare())

    @rule(some=st.integers(min_value=0, max_value=5))
    def wrap_some(self, some: int) -> None:
        for ticket in list(self.keys)[:some]:
            self.keys[ticket] = self.vault.rewrap(self.keys[ticket], _context(ticket))

    @rule()
    def retire_what_wraps_nothing(self) -> None:
        used = {wrapped[0] for wrapped in self.keys.values()} | {self.secrets.current}
        for number in set(dict(self.secrets.masters)) - used:
            self._now(self.secrets.retire(number))

    @rule()
    def back_up(self) -> None:
        self.backup = dict(self.sealed)

    @precondition(lambda self: self.keys)
    @rule(data=st.data())
    def shred(self, data: st.DataObject) -> None:
        del self.keys[data.draw(st.sampled_from(sorted(self.keys)))]

    @invariant()
    def what_has_a_key_opens_and_what_has_none_does_not(self) -> None:
        for ticket, sealed in {**self.backup, **self.sealed}.items():
            if ticket in self.keys:
                assert self.vault.open(sealed, _context(ticket), self.keys[ticket]) == _words(ticket)
            else:
                with pytest.raises(ErasedError):
                    self.vault.open(sealed, _context(ticket), None)


def _context(ticket: int) -> bytes:
    return b"ticket %d" % ticket


def _words(ticket: int) -> bytes:
    return b"words of %d" % ticket


TestLife = Life.TestCase
