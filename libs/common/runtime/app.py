"""The HTTP side of a service, and of several in one process."""

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from fastapi import FastAPI, Request
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common.runtime import problems
from libs.common.runtime.media.formats import LARGEST
from libs.common.runtime.process import Stage
from libs.common.runtime.telemetry import TRACE, traceparent_of

BODY_LIMIT = 4 * 1024 * 1024
LONGER_BODIES = {"batch": 64 * 1024 * 1024, "files": LARGEST}
"""By the end of the path: a batch is read as a stream of lines, a file as a stream of bytes."""
LONGER_FORMS = {"requests", "requests.json", "requests.xml"}
"""By the end of the path, where files come in a form. As multipart alone: that is written down as it comes."""

REQUESTS = Counter("jiesu_http_requests_total", "Requests answered", ["service", "method", "route", "status"])
REQUEST_SECONDS = Histogram("jiesu_http_request_seconds", "Time to answer", ["service", "method", "route"])
SAFE_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"x-frame-options": b"DENY",
    b"cache-control": b"no-store",
}


class Edge:
    """What every request passes: a trace, a body limit, safe headers, a count. Plain ASGI, as it is on the hot path.

    `hot` are routes without parameters and with short answers, given here and before `app`: its layers of middleware,
    routing and dependencies would cost more than such a route does itself.
    """

    def __init__(self, app: ASGIApp, service: str, hot: Iterable[Route] = ()) -> None:
        self._app = app
        self._service = service
        self._hot = {(method, route.path): route for route in hot for method in route.methods or ()}

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
        limit = _limit(scope)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _safe(message["headers"])
            await send(message)

        try:
            if int(headers.get(b"content-length", b"0") or 0) > limit:
                await too_large(limit).response()(scope, receive, answer)
            elif route := self._hot.get((scope["method"], scope["path"])):
                status = await self._at_once(route, scope, _limited(receive, limit), send)
            else:
                await self._app(scope, _limited(receive, limit), answer)
        finally:
            TRACE.reset(token)
            path = getattr(scope.get("route"), "path", "unmatched")
            _count(self._service, scope["method"], path, status).inc()
            _seconds(self._service, scope["method"], path).observe(time.perf_counter() - started)

    async def _at_once(self, route: Route, scope: Scope, receive: Receive, send: Send) -> int:
        """Answer a hot route, and what it raises, as the app would, and return the status."""
        scope["app"], scope["route"] = self._app, route
        request = Request(scope, receive)
        try:
            response: Response = await route.endpoint(request)
        except problems.Problem as problem:
            response = problem.response()
        except Exception as error:
            await _send_whole(await problems.HANDLERS[Exception](request, error), send)
            raise  # to the server, which logs it
        await _send_whole(response, send)
        return response.status_code


async def _send_whole(response: Response, send: Send) -> None:
    headers = _safe(response.raw_headers)
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


# To look a counter up by its labels takes longer than to count.
_count = cache(REQUESTS.labels)
_seconds = cache(REQUEST_SECONDS.labels)


def _safe(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return an answer's headers with the safe ones, unless the answer has its own."""
    own = dict(headers)
    if own.keys().isdisjoint(SAFE_HEADERS):
        return [*headers, *SAFE_HEADERS.items()]
    return [*headers, *((name, value) for name, value in SAFE_HEADERS.items() if name not in own)]


def _limit(scope: Scope) -> int:
    """Return how many bytes a request's body may have."""
    end = scope["path"].rpartition("/")[2]
    if end in LONGER_FORMS:
        # The first of them, as who reads the form does: another behind it must not lift the limit for what is no form.
        sent = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        return LARGEST if sent.lower().startswith(b"multipart/") else BODY_LIMIT
    return LONGER_BODIES.get(end, BODY_LIMIT)


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
        exception_handlers=problems.HANDLERS,
        responses=problems.RESPONSES,
    )
    app.state.context = stage.context
    for router in service.routers:
        app.include_router(router)
    return Edge(app, service.name, service.routes)


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
