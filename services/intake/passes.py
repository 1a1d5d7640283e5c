"""Signed words that a browser or a message carries: a pass to one ticket, a supporter's token, a way to stop."""

import base64
import hmac
import secrets
from datetime import datetime, timedelta
from uuid import UUID

_BYTES = 16


class Passes:
    """Signs and checks them. None is a key for anything else than what it was signed for."""

    SPAN = timedelta(hours=2)
    """How long a browser need not give the query code again; who leaves a shared computer is safe after that."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, ticket_id: UUID, now: datetime) -> str:
        """Return a pass to one ticket for `SPAN` from now."""
        until = str(int((now + self.SPAN).timestamp()))
        return f"{until}.{self._sign('ticket', ticket_id.hex, until)}"

    def opens(self, given: str, ticket_id: UUID, now: datetime) -> bool:
        """Say whether a pass opens this ticket now."""
        until, _, signature = given.partition(".")
        fresh = until.isascii() and until.isdigit() and len(until) < 12 and now.timestamp() < int(until)
        return fresh and self._is(signature, "ticket", ticket_id.hex, until)

    def token(self) -> str:
        """Return a token for someone who gives nothing of themselves, by which they count once."""
        chance = secrets.token_hex(_BYTES)
        return f"{chance}.{self._sign('supporter', chance)}"

    def holder(self, token: str) -> str | None:
        """Return who holds a token, as a stand-in like a pseudonym; None if it is not one of ours."""
        chance, _, signature = token.partition(".")
        return f"t_{chance}" if self._is(signature, "supporter", chance) else None

    def stop(self, supporter_id: UUID) -> str:
        """Return what stands in the link by which a follower stops the messages."""
        return self._sign("stop", supporter_id.hex)

    def stops(self, given: str, supporter_id: UUID) -> bool:
        """Say whether it is this follower's."""
        return self._is(given, "stop", supporter_id.hex)

    def _sign(self, *parts: str) -> str:
        digest = hmac.digest(self._key, "\0".join(parts).encode(), "sha256")[:_BYTES]
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def _is(self, signature: str, *parts: str) -> bool:
        return hmac.compare_digest(signature.encode(), self._sign(*parts).encode())
