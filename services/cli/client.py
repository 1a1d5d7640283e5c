"""The HTTP client of commands that speak to a running platform."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from libs.common.local.home import key_file
from libs.common.runtime.settings import read_settings

SECONDS = 120
"""A batch of a full platform takes its time."""
Url = Annotated[str, typer.Option(help="The platform; without it, the one of this home.")]
KeyFile = Annotated[str, typer.Option("--key-file", help="The file of the key; without it, the home's dev.key.")]


class RefusedError(RuntimeError):
    """The platform does not answer, or says no; the text says why, line by line where it names what is wrong.

    `status` is the one of HTTP, None without an answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class KeyFileError(RuntimeError):
    """The file of the key cannot be read; the text says where it was looked for."""


def client(url: str, key_file: Path) -> httpx.AsyncClient:
    """Return a client that sends the key of a file along. Raises KeyFileError."""
    try:
        key = key_file.read_text().strip()
    except OSError as error:
        raise KeyFileError(f"no key in {key_file} ({error.strerror}); name another with --key-file") from error
    return httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=SECONDS, trust_env=False)


def ask(url: str, key: str, method: str, path: str, **request: Any) -> Any:
    """Return what the platform answers to a request, as JSON; of no URL and key, with those of this home.

    Raises KeyFileError or RefusedError.
    """
    settings = read_settings()
    return asyncio.run(
        _answer(url or settings.base_url, Path(key) if key else key_file(settings), method, path, request)
    )


async def _answer(url: str, key: Path, method: str, path: str, request: dict[str, Any]) -> Any:
    async with client(url, key) as http:
        try:
            answer = await http.request(method, path, **request)
        except httpx.TransportError as error:
            raise RefusedError(f"the platform on {url} does not answer: {type(error).__name__}") from error
    if answer.is_error:
        problem = answer.json()
        wrong = [f"  {error['field']}: {error['message']}" for error in problem.get("errors", ())]
        what = "\n".join([f"the platform says {answer.status_code}: {problem['detail']}", *wrong])
        raise RefusedError(what, answer.status_code)
    return answer.json() if answer.content else None
