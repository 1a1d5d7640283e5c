"""The HTTP client of commands that speak to a running platform."""

from pathlib import Path

import httpx

SECONDS = 120
"""A batch of a full platform takes its time."""


class KeyFileError(RuntimeError):
    """The file of the key cannot be read; the text says where it was looked for."""


def client(url: str, key_file: Path) -> httpx.AsyncClient:
    """Return a client that sends the key of a file along. Raises KeyFileError."""
    try:
        key = key_file.read_text().strip()
    except OSError as error:
        raise KeyFileError(f"no key in {key_file} ({error.strerror}); name another with --key-file") from error
    return httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=SECONDS, trust_env=False)
