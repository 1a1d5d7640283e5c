"""Field encryption for originals kept at rest."""

import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_TAG = 16
_KEY = 32


class VaultError(Exception):
    """The sealed bytes were changed, belong to another context, or their key is not at hand."""


class Vault:
    """AES-256-GCM under numbered keys, so a new key can seal while older ones still open.

    Sealed layout: key id (1 byte), random nonce (12), ciphertext, tag (16). NIST SP 800-38D, 8.3, allows 2**32
    random nonces under one key: rotate before that many fields.
    """

    def __init__(self, keys: Mapping[int, bytes], current: int) -> None:
        """Take 32-byte keys by id (0 to 255) and the id that seals; raises ValueError on any other shape."""
        if current not in keys:
            raise ValueError(f"the current key {current} is not among the keys")
        if any(len(key) != _KEY or not 0 <= number <= 0xFF for number, key in keys.items()):
            raise ValueError(f"keys are {_KEY} bytes and their ids are 0 to 255")
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self._header = bytes([current])
        self._current = self._ciphers[current]

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt under the current key, bound to the context (a ticket id, say) that must be given to open."""
        nonce = os.urandom(_NONCE)
        return self._header + nonce + self._current.encrypt(nonce, plain, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt; raises VaultError."""
        if len(sealed) < 1 + _NONCE + _TAG:
            raise VaultError("the sealed bytes are cut short")
        cipher = self._ciphers.get(sealed[0])
        if cipher is None:
            raise VaultError(f"no key {sealed[0]} at hand")
        try:
            return cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], context)
        except InvalidTag as error:
            raise VaultError("the sealed bytes were changed or belong to another context") from error
