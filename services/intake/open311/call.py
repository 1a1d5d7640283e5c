"""One Open311 call: its arguments, its language, its format, and who sends it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal
from services.intake.handlers import Here
from services.intake.open311 import arguments, formats
from services.intake.open311.arguments import Arguments, wrong
from services.intake.open311.formats import Document

PUBLIC = {"Access-Control-Allow-Origin": "*"}
"""What anyone may read, a page from anywhere may."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was read. `test`: at the endpoint where all is checked and nothing is kept."""

    here: Here
    arguments: Arguments
    path: dict[str, str]
    language: str
    key: str | None
    idempotency_key: str | None
    test: bool

    @property
    def sender(self) -> Principal | None:
        """Who holds the key of this call, None without one. Raises Problem 403 if nobody does."""
        if self.key is None:
            return None
        holder = self.here.keys.holder(self.key)
        if holder is None:
            raise Problem(403, "api_key: is not known")
        return holder

    @property
    def client(self) -> str | None:
        """The name of who sends this, None without a key."""
        return self.sender.name if self.sender else None

    def writer(self) -> Principal:
        """Return who sends this and may write. Raises Problem 403 for all others, and 429 over the quota."""
        sender = self.sender
        if sender is None:
            raise Problem(403, "api_key: is needed here")
        if not sender.may("adapter", "seat", "importer"):
            raise Problem(403, "api_key: this needs the role adapter, seat or importer")
        self.here.keys.admit(sender, "open311")
        return sender

    def say(self, *path: str, **params: object) -> str:
        """Return a text of the catalogue in the reader's language."""
        return self.here.engine.messages.say(self.language, "open311", *path, **params)


Handler = Callable[[Call], Awaitable[Document]]


async def answer(request: Request, handler: Handler, *, test: bool) -> Response:
    """Answer a call, and tell what is wrong in the format that was asked for."""
    headers = PUBLIC if request.method != "POST" else {}
    form: formats.Format = "xml"
    try:
        form = formats.asked(request.path_params.get("format"), request.headers.get("accept", ""))
        async with arguments.reading(request) as given:
            response = formats.respond(await handler(_call(request, given, test=test)), form)
    except Problem as problem:
        response = formats.errors(problem, form)
    except HTTPException as error:  # a body that is no multipart
        response = formats.errors(Problem(400, error.detail), form)
    response.headers.update(headers)
    return response


def _call(request: Request, given: Arguments, *, test: bool) -> Call:
    here: Here = request.app.state.context
    jurisdiction = given.get("jurisdiction_id")
    if jurisdiction not in {None, here.engine.city.code}:
        raise Problem(404, "jurisdiction_id: is not known here")
    idempotency_key = request.headers.get("idempotency-key")
    if idempotency_key is not None and not 1 <= len(idempotency_key) <= 200:
        raise wrong("Idempotency-Key", "must have 1 to 200 characters")
    return Call(
        here=here,
        arguments=given,
        path=request.path_params,
        language=here.engine.messages.preferred(request.headers.get("accept-language", "")),
        key=_key(request, given),
        idempotency_key=idempotency_key,
        test=test,
    )


def _key(request: Request, given: Arguments) -> str | None:
    headers = request.headers
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    held = bearer.strip() if scheme.lower() == "bearer" else None
    return given.get("api_key") or headers.get("api_key") or headers.get("x-api-key") or held
