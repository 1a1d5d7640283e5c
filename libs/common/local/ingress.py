"""What an ingress is to a cluster, for five processes on one machine: each path to the service it begins with.

`python -m libs.common.local.ingress intake=http://127.0.0.1:8001 …` listens on JIESU_PORT. It rewrites nothing, so the
same request works against one process, five, or a cluster; Kubernetes brings an ingress of its own.
"""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import uvloop
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from libs.common.runtime import problems
from libs.common.runtime.pages import Pages
from libs.common.runtime.process import bind, serve
from libs.common.runtime.settings import read_settings
from libs.common.runtime.telemetry import configure_logs

PAGES = Pages(Path(__file__).with_name("templates"))
SERVICES = (
    ("intake", "接诉", "receives, screens, joins repeats, tells the citizen"),
    ("classify", "研判", "understands, grades, finds hot events"),
    ("dispatch", "派单·办理", "routes, hands over, follows the work"),
    ("sla", "督办", "runs the clocks, warns, supervises"),
    ("feedback", "回访·考评", "asks, closes or reopens, scores"),
)
"""The five services in the order of the loop: name, stage, what it does."""
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# Of one connection, not of the message (RFC 9110, 7.6.1).
HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade",
    }
)  # fmt: skip


async def _home(_: Request) -> Response:
    return PAGES.show("home.html", services=SERVICES)


HOME_PAGE = Route("/", _home)
"""What runs here and where to look: the page at the root of every form on one machine."""


class Ingress:
    """Sends requests on. `targets` are the services' own addresses by name."""

    def __init__(self, targets: Mapping[str, str]) -> None:
        self._targets = dict(targets)
        # Services close what was idle for 5 s; a connection is never taken from them at that very moment.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=200, keepalive_expiry=3)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(60, connect=2), limits=limits, trust_env=False, follow_redirects=False
        )

    def app(self) -> Starlette:
        """Return the app that does it."""
        own = [HOME_PAGE, Route("/healthz", self._alive), Route("/readyz", self._ready)]
        send_on = [Route("/{service}/{rest:path}", self._send_on, methods=METHODS)]
        return Starlette(routes=[*own, *send_on], exception_handlers=problems.HANDLERS)

    async def close(self) -> None:
        """Let go of the connections to the services."""
        await self._client.aclose()

    async def _send_on(self, request: Request) -> Response:
        target = self._targets.get(request.path_params["service"])
        if target is None:
            raise problems.Problem(404, f"no such service; there are {', '.join(self._targets)}")
        try:
            answer = await self._client.send(self._same(request, target), stream=True)
        except httpx.TransportError as error:
            raise problems.Problem(503, "the service does not answer", headers={"Retry-After": "1"}) from error
        response = StreamingResponse(answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose))
        response.raw_headers = [(k.lower(), v) for k, v in answer.headers.raw if _of_the_message(k)]
        return response

    def _same(self, request: Request, target: str) -> httpx.Request:
        path, query = request.scope["raw_path"], request.scope["query_string"]
        url = httpx.URL(target).copy_with(raw_path=path + b"?" + query if query else path)
        headers = [(k, v) for k, v in request.headers.raw if _of_the_message(k)]
        has_body = {"content-length", "transfer-encoding"} & set(request.headers)
        return self._client.build_request(
            request.method, url, headers=headers, content=request.stream() if has_body else None
        )

    @staticmethod
    async def _alive(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def _ready(self, _: Request) -> Response:
        answers = await asyncio.gather(*(self._wrong_with(target) for target in self._targets.values()))
        wrong = {name: what for name, what in zip(self._targets, answers, strict=True) if what}
        return JSONResponse({"ready": not wrong, "wrong": wrong}, 503 if wrong else 200)

    async def _wrong_with(self, target: str) -> Any:
        try:
            answer = await self._client.get(f"{target}/readyz", timeout=5)
        except httpx.TransportError:
            return ["does not answer"]
        return [] if answer.is_success else answer.json()["wrong"]


def _of_the_message(header: bytes) -> bool:
    return header.decode("latin-1").lower() not in HOP_BY_HOP


def main(arguments: list[str]) -> None:
    """Listen on JIESU_PORT until told to stop; each argument is name=url."""
    settings = read_settings()
    configure_logs(settings.log_level)
    targets = dict(argument.split("=", 1) for argument in arguments)
    listening = bind(settings.host, settings.port)

    async def run() -> None:
        ingress = Ingress(targets)
        await serve(ingress.app(), listening)
        await ingress.close()

    uvloop.run(run())


if __name__ == "__main__":
    main(sys.argv[1:])
