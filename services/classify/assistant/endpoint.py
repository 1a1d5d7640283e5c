"""An endpoint that speaks the chat completions of OpenAI, as most servers of language models do, local ones too."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

import httpx
from pydantic import BaseModel, Field, ValidationError

from services.classify.assistant.asking import Asked, NoAnswerError, Reason

MOST_ANSWER = 1000
"""Tokens that an answer may have."""
LARGEST = 256 * 1024
"""Bytes that are read of an answer."""
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_UNWILLING = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
_BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a call: what was said to the model, and what it said."""

    prompt: int
    completion: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, and the tokens it says it took, if it says."""

    content: str
    usage: Usage | None


class _Told(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Told


Count = Annotated[int, Field(ge=0, le=10_000_000)]


class _Usage(BaseModel):
    prompt_tokens: Count
    completion_tokens: Count


class _Completion(BaseModel):
    choices: Annotated[list[_Choice], Field(min_length=1)]
    usage: _Usage | None = None


class Endpoint:
    """`url` is what `/chat/completions` is appended to; `seconds` is all the time that one call may take."""

    def __init__(self, url: str, key: str, seconds: float) -> None:
        self._url = f"{url.rstrip('/')}/chat/completions"
        self._seconds = seconds
        # Nothing is compressed: then what is read is as large as it says. No connection outlives its call.
        headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._http = httpx.AsyncClient(
            headers=headers, timeout=seconds, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self._structured = True

    async def ask(self, asked: Asked) -> Reply:
        """Put one inquiry. Raises NoAnswerError."""
        try:
            async with asyncio.timeout(self._seconds):
                return _reply(await self._post(asked))
        except _UNSENT:
            raise NoAnswerError("unreachable") from None
        except (TimeoutError, httpx.TimeoutException):
            raise NoAnswerError("timeout") from None
        except httpx.HTTPError:
            raise NoAnswerError("broken") from None

    async def _post(self, asked: Asked) -> bytes:
        """Ask for an answer by the schema; an endpoint that takes none hears of the form from the prompt alone."""
        try:
            return await self._send(_body(asked, structured=self._structured))
        except NoAnswerError as refused:
            if refused.reason != "unwilling" or not self._structured:
                raise
        body = await self._send(_body(asked, structured=False))
        self._structured = False
        return body

    async def _send(self, body: Mapping[str, object]) -> bytes:
        async with self._http.stream("POST", self._url, json=body) as response:
            if reason := _reason(response.status_code):
                raise NoAnswerError(reason)
            read = bytearray()
            async for chunk in response.aiter_raw():
                read += chunk
                if len(read) > LARGEST:
                    raise NoAnswerError("too_large")
            return bytes(read)


def most_tokens(asked: Asked) -> Usage:
    """Return the most that an inquiry can take: no tokenizer makes more tokens of a text than it has bytes."""
    said = json.dumps(_body(asked, structured=True), ensure_ascii=False)
    return Usage(len(said.encode()), MOST_ANSWER)


def _body(asked: Asked, *, structured: bool) -> dict[str, Any]:
    body = {"model": asked.model, "messages": asked.messages, "temperature": 0, "max_tokens": MOST_ANSWER}
    if not structured:
        return body
    schema = {"name": "appeal", "strict": True, "schema": asked.schema}
    return body | {"response_format": {"type": "json_schema", "json_schema": schema}}


def _reason(status: int) -> Reason | None:
    if status == HTTPStatus.OK:
        return None
    if status in _UNWILLING:
        return "unwilling"
    return "busy" if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR else "denied"


def _reply(body: bytes) -> Reply:
    try:
        read = _Completion.model_validate_json(body)
    except ValidationError:
        raise NoAnswerError("broken") from None
    usage = Usage(read.usage.prompt_tokens, read.usage.completion_tokens) if read.usage else None
    # Who refuses says so beside an empty content: that is no legal answer.
    return Reply(read.choices[0].message.content or "", usage)
