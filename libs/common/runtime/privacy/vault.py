"""Field encryption for originals kept at rest: a key of its own for each ticket, wrapped by a ring of numbered keys.

Whoever destroys a ticket's wrapped key makes every copy of what it sealed useless, backups among them. A rotation
wraps the small keys anew and leaves what they sealed alone.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_TAG = 16
_KEY = 32
OWN = b"\0"
"""How fields begin that a ticket's own key sealed; those that the ring sealed begin with the number of its key."""
Renew = Callable[[], tuple[Mapping[int, bytes], int]]


class VaultError(Exception):
    """The sealed bytes were changed, belong to another context, or their key is not at hand."""


class ErasedError(VaultError):
    """The key of these sealed bytes was destroyed on purpose: nobody opens them any more."""


class DataKey:
    """The key of one ticket. `wrapped` is how it may be stored: sealed by the ring.

    Sealed layout, here and in the ring: one byte that says by what, random nonce (12), ciphertext, tag (16).
    """

    __slots__ = ("_cipher", "wrapped")

    def __init__(self, key: bytes, wrapped: bytes) -> None:
        self._cipher = AESGCM(key)
        self.wrapped = wrapped

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt, bound to the context (a ticket id, say) that must be given to open."""
        nonce = os.urandom(_NONCE)
        return OWN + nonce + self._cipher.encrypt(nonce, plain, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt; raises VaultError."""
        return _decrypt(self._cipher, sealed, context)


@dataclass(frozen=True, slots=True)
class _Ring:
    ciphers: Mapping[int, AESGCM]
    current: int


class Vault:
    """AES-256-GCM under a ring of numbered keys: the current one seals, each of them opens.

    NIST SP 800-38D, 8.3, allows 2**32 random nonces under one key: rotate before that many tickets.
    """

    def __init__(self, keys: Mapping[int, bytes], current: int, renew: Renew | None = None) -> None:
        """Take 32-byte keys by number (1 to 255) and the number that seals; raises ValueError on any other shape.

        `renew` says what the ring is now, for another process may have rotated it.
        """
        self._ring = _ring(keys, current)
        self._renew = renew

    @property
    def current(self) -> int:
        """The number of the key that seals."""
        return self._ring.current

    def renew(self) -> None:
        """Take the ring as it is now."""
        if self._renew:
            self._ring = _ring(*self._renew())

    def new_key(self, context: bytes) -> DataKey:
        """Make the key of one ticket, bound to the context."""
        key = os.urandom(_KEY)
        return DataKey(key, self.seal(key, context))

    def key(self, wrapped: bytes, context: bytes) -> DataKey:
        """Unwrap a ticket's key; raises VaultError."""
        return DataKey(self.open(wrapped, context), wrapped)

    def rewrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Wrap a ticket's key again, under the current key of the ring; raises VaultError."""
        return self.seal(self.open(wrapped, context), context)

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt under the current key of the ring, bound to the context."""
        ring, nonce = self._ring, os.urandom(_NONCE)
        return bytes([ring.current]) + nonce + ring.ciphers[ring.current].encrypt(nonce, plain, context)

    def open(self, sealed: bytes, context: bytes, wrapped: bytes | None = None) -> bytes:
        """Decrypt what the ring sealed, or the ticket's own key, which is then given wrapped.

        Raises:
            ErasedError: it was the ticket's own key, and there is none any more.
            VaultError: it cannot be opened for any other reason.
        """
        if sealed[:1] != OWN:
            return _decrypt(self._cipher(sealed[:1]), sealed, context)
        if wrapped is None:
            raise ErasedError("the key was destroyed")
        return self.key(wrapped, context).open(sealed, context)

    def _cipher(self, number: bytes) -> AESGCM:
        if not number:
            raise VaultError("the sealed bytes are cut short")
        if number[0] not in self._ring.ciphers:
            self.renew()
        if number[0] not in self._ring.ciphers:
            raise VaultError(f"no key {number[0]} at hand")
        return self._ring.ciphers[number[0]]


def _ring(keys: Mapping[int, bytes], current: int) -> _Ring:
    if current not in keys:
        raise ValueError(f"the current key {current} is not among the keys")
    if any(len(key) != _KEY or not 1 <= number <= 0xFF for number, key in keys.items()):
        raise ValueError(f"keys are {_KEY} bytes and their numbers are 1 to 255")
    return _Ring({number: AESGCM(key) for number, key in keys.items()}, current)


def _decrypt(cipher: AESGCM, sealed: bytes, context: bytes) -> bytes:
    if len(sealed) < 1 + _NONCE + _TAG:
        raise VaultError("the sealed bytes are cut short")
    try:
        return cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], context)
    except InvalidTag as error:
        raise VaultError("the sealed bytes were changed or belong to another context") from error
