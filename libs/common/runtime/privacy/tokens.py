"""Short keyed stand-ins: a pseudonym for a person, a query code for a ticket."""

import base64
import hmac
import unicodedata
from uuid import UUID

_MOBILE_DIGITS = 11


class Pseudonyms:
    """Keyed pseudonyms: equal for equal values under one key, and not to be reversed without it."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, kind: str, value: str) -> str:
        """Stand in for a value of a kind (phone, name, …) by `p_` and 26 letters and digits (128 bits).

        The value is normalised first, so one person has one pseudonym in every channel. Raises ValueError when
        nothing is left of it: all those who gave nothing must not become one person.
        """
        plain = home_number(value) if kind == "phone" else _words(value)
        if not plain:
            raise ValueError(f"no {kind} to make a pseudonym of")
        digest = hmac.digest(self._key, f"{kind}\0{plain}".encode(), "sha256")[:16]
        return "p_" + base64.b32encode(digest).decode().rstrip("=").lower()


def _words(value: str) -> str:
    return "".join(unicodedata.normalize("NFKC", value).split()).casefold()


def home_number(value: str) -> str:
    """Keep the digits of a Chinese number as dialled inside the country: no +86, a landline with its leading 0."""
    folded = unicodedata.normalize("NFKC", value)
    digits = "".join(str(unicodedata.digit(char)) for char in folded if char.isdecimal())
    abroad = folded.lstrip("( ").startswith("+86") or digits.startswith("0086")
    home = digits.removeprefix("00").removeprefix("86") if abroad else digits
    if not abroad and len(digits) == _MOBILE_DIGITS + 2 and digits.startswith("861"):
        home = digits[2:]
    if _is_mobile(home.removeprefix("0")):
        return home.removeprefix("0")
    return "0" + home.removeprefix("0") if abroad else home


def _is_mobile(digits: str) -> bool:
    return len(digits) == _MOBILE_DIGITS and digits[0] == "1" and digits[1] >= "3"


# Crockford's base 32: no I, L, O, U, so a code read over the phone cannot be mistaken.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_AS_HEARD = str.maketrans("OIL", "011", " \t\n-‐–—")
_LENGTH = 10
# Two characters at a time, for a code is made with every receipt.
_PAIRS = tuple(_ALPHABET[pair & 31] + _ALPHABET[pair >> 5] for pair in range(1024))


class QueryCodes:
    """Codes of 50 bits by which a citizen without an account looks up one ticket; the caller limits the guesses."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, ticket_id: UUID) -> str:
        """Give the ticket's code: 10 characters of Crockford's base 32."""
        number = int.from_bytes(hmac.digest(self._key, ticket_id.bytes, "sha256")[:8], "big")
        return "".join([_PAIRS[number >> shift & 1023] for shift in range(0, 5 * _LENGTH, 10)])

    def matches(self, ticket_id: UUID, code: str) -> bool:
        """Compare in constant time, forgiving case, spaces, hyphens, and O for 0, I and L for 1."""
        heard = unicodedata.normalize("NFKC", code).upper().translate(_AS_HEARD)
        return hmac.compare_digest(heard.encode(), self.of(ticket_id).encode())
