"""What a log may say of an error, also where a library logs it."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from libs.common.runtime.telemetry import configure_logs

SECRET = "王小明13800138000"


@pytest.fixture
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_an_error_that_a_library_logs_is_named_and_placed_and_not_quoted(
    as_before: None, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("info")
    try:
        int(SECRET)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    said = capsys.readouterr().err
    assert "ValueError at test_telemetry.py:" in said
    assert "13800138000" not in said
