"""The HTTP side of a service, and of several in one process."""

import time
from collections.abc import Mapping, Sequence

from fastapi import FastAPI, Request
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common.runtime import problems
from libs.common.runtime.process import Stage
from libs.common.runtime.telemetry import TRACE, traceparent_of

BODY_LIMIT = 4 * 1024 * 1024
BATCH_BODY_LIMIT = 64 * 1024 * 1024
"""For paths that end in /batch, which are read as a stream of lines."""

REQUESTS = Counter("jiesu_http_requests_total", "Requests answered", ["service", "method", "route", "status"])
REQUEST_SECONDS = Histogram("jiesu_http_request_seconds", "Time to answer", ["service", "method", "route"])
SAFE_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
]


class Edge:
    """What every request passes: a trace, a body limit, safe headers, a count. Plain ASGI, as it is on the hot path."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if _is_json_in_disguise(headers):
            json_type = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
            scope = {**scope, "headers": [*json_type, (b"content-type", b"application/json")]}
        token = TRACE.set(traceparent_of(headers.get(b"traceparent", b"").decode("latin-1")))
        started, status = time.perf_counter(), 500
        limit = BATCH_BODY_LIMIT if scope["path"].endswith("/batch") else BODY_LIMIT

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(h for h in SAFE_HEADERS if h[0] not in named)]
            await send(message)

        try:
            if int(headers.get(b"content-length", b"0") or 0) > limit:
                await too_large(limit).response()(scope, receive, answer)
            else:
                await self._app(scope, _limited(receive, limit), answer)
        finally:
            TRACE.reset(token)
            route = getattr(scope.get("route"), "path", "unmatched")
            REQUESTS.labels(self._service, scope["method"], route, status).inc()
            REQUEST_SECONDS.labels(self._service, scope["method"], route).observe(time.perf_counter() - started)


def _is_json_in_disguise(headers: Mapping[bytes, bytes]) -> bool:
    """A client with a key speaks JSON, whatever `curl -d` says of it; forms come from browsers, without a key."""
    form = headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded")
    return form and b"authorization" in headers


def too_large(limit: int) -> problems.Problem:
    """Return the problem of a body over the limit."""
    what = f"must be at most {limit} bytes"
    return problems.Problem(413, f"the body {what}", errors=[problems.FieldError("body", what)])


def _limited(receive: Receive, limit: int) -> Receive:
    """Stop reading a body that said nothing of its length, or lied."""
    read = 0

    async def limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise too_large(limit)
        return message

    return limited


def service_app(stage: Stage) -> ASGIApp:
    """Return the app of one service: its routes, its schema and its documents, all under its name."""
    service = stage.service
    app = FastAPI(
        title=f"Jiesu {service.name}",
        version="1",
        openapi_url=f"/{service.name}/openapi.json",
        docs_url=f"/{service.name}/docs",
        redoc_url=None,
        routes=list(service.routes),
        exception_handlers=problems.HANDLERS,
        responses=problems.RESPONSES,
    )
    app.state.context = stage.context
    for router in service.routers:
        app.include_router(router)
    return Edge(app, service.name)


def process_app(stages: Sequence[Stage], pages: Sequence[Route] = ()) -> ASGIApp:
    """Return the app of a process: the services it runs by the first part of the path, and its health."""
    shared = Starlette(routes=[*pages, *_health(stages)], exception_handlers=problems.HANDLERS)
    apps = {stage.service.name: service_app(stage) for stage in stages}
    return Switchboard(apps, Edge(shared, "process"))


class Switchboard:
    """Sends a request to the service that its path begins with."""

    def __init__(self, apps: Mapping[str, ASGIApp], otherwise: ASGIApp) -> None:
        self._apps = apps
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        first = scope.get("path", "").split("/", 2)[1:2]
        await self._apps.get(first[0] if first else "", self._otherwise)(scope, receive, send)


def _health(stages: Sequence[Stage]) -> list[Route]:
    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_: Request) -> Response:
        wrong = {stage.service.name: reasons for stage in stages if (reasons := await stage.not_ready())}
        return JSONResponse({"ready": not wrong, "wrong": wrong}, 503 if wrong else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
