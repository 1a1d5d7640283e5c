"""Signed links: each is a door to one thing, and to no other."""

import base64
import hmac
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

_BYTES = 16
Disposition = Literal["attachment", "inline"]


class ReviewLinks:
    """Signs and checks the one-tap links by which a citizen says how a round went 好差评.

    Every service that derives the same key agrees on them.
    """

    def __init__(self, key: bytes, base_url: str) -> None:
        self._key = key
        self._base_url = base_url.rstrip("/")

    def url(self, ticket_id: UUID, round_: int) -> str:
        """Return the address of the page that asks about this round of the ticket."""
        return f"{self._base_url}/feedback/v1/review/{ticket_id}/{round_}/{self.token(ticket_id, round_)}"

    def token(self, ticket_id: UUID, round_: int) -> str:
        """Return the 22 URL-safe characters (128 bits) that open the review of this round."""
        digest = hmac.digest(self._key, ticket_id.bytes + str(round_).encode(), "sha256")[:_BYTES]
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def valid(self, ticket_id: UUID, round_: int, token: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(token.encode(), self.token(ticket_id, round_).encode())


class FileLinks:
    """Signs and checks links to one file, to be saved or to be shown, that work for `SPAN` and without a key."""

    SPAN = timedelta(minutes=10)

    def __init__(self, key: bytes, base_url: str) -> None:
        self._key = key
        self._base_url = base_url.rstrip("/")

    def url(self, file_id: UUID, disposition: Disposition, now: datetime) -> str:
        """Return the address of a file for `SPAN` from now."""
        expires = int((now + self.SPAN).timestamp())
        signed = {
            "disposition": disposition,
            "expires": expires,
            "signature": self._sign(file_id, disposition, expires),
        }
        return f"{self._base_url}/intake/v1/files/{file_id}?{urlencode(signed)}"

    def opens(self, file_id: UUID, disposition: Disposition, expires: int, signature: str, now: datetime) -> bool:
        """Say whether a link is ours and still works; compares in constant time."""
        right = hmac.compare_digest(signature.encode(), self._sign(file_id, disposition, expires).encode())
        return right and now.timestamp() < expires

    def _sign(self, file_id: UUID, disposition: Disposition, expires: int) -> str:
        digest = hmac.digest(self._key, file_id.bytes + f"{disposition}.{expires}".encode(), "sha256")[:_BYTES]
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
