"""The one-tap link by which a citizen says how it went 好差评: a door to one ticket in one round, and to no other."""

import base64
import hmac
from uuid import UUID

_BYTES = 16


class ReviewLinks:
    """Signs and checks review links. Every service that derives the same key agrees on them."""

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
