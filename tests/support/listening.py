"""Who hears a stream of events as it comes."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx

from tests.support.stages import PATIENCE_SECONDS


class Listener:
    """Who listens to a stream, which httpx's transport would hold back to its end."""

    def __init__(self, request: httpx.Request) -> None:
        self.request, self.status, self.text = request, 0, ""
        self.gone, self._came = asyncio.Event(), asyncio.Condition()

    async def hear(self, app: Any) -> None:
        """Make the request and take the answer as it comes."""
        url, headers = self.request.url, [(name.lower(), value) for name, value in self.request.headers.raw]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": url.path, "raw_path": url.raw_path, "query_string": url.query, "root_path": "", "headers": headers,
            "client": ("127.0.0.1", 1), "server": ("jiesu", 80),
        }  # fmt: skip
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if asked:
                await self.gone.wait()
                return {"type": "http.disconnect"}
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            async with self._came:
                self.status = message.get("status", self.status)
                self.text += message.get("body", b"").decode()
                self._came.notify_all()

        await app(scope, receive, send)

    async def until(self, enough: Callable[[list[tuple[str, Any]]], object]) -> list[tuple[str, Any]]:
        """Wait until enough was heard, and return it."""
        async with self._came:
            await asyncio.wait_for(self._came.wait_for(lambda: self.status and enough(self.events)), PATIENCE_SECONDS)
        return self.events

    @property
    def events(self) -> list[tuple[str, Any]]:
        """What was told, by name, with its data."""
        fields = [
            dict(line.split(": ", 1) for line in part.splitlines())
            for part in self.text.split("\n\n")[:-1]
            if part.startswith("id: ")
        ]
        return [(field["event"], json.loads(field["data"]) | {"id": field["id"]}) for field in fields]
