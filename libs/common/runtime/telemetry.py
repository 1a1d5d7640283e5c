"""Logs, and the thread that ties an event to what caused it."""

import logging
import re
import secrets
import sys
from contextvars import ContextVar

import structlog

from libs.common.messaging.retry import describe

TRACE: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""W3C traceparent of what is being done now."""
_TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def traceparent_of(header: str) -> str:
    """Return the traceparent a request came with, or one that begins here: what it goes into may hold no other text."""
    if _TRACEPARENT.fullmatch(header):
        return header
    chance = secrets.token_hex(24)
    return f"00-{chance[:32]}-{chance[32:]}-01"


def _where(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Put the kind and the place of an error for its traceback, whose text may quote what a citizen sent."""
    raised = event.pop("exc_info", None)
    error = raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        event["error"] = describe(error)
    return event


def configure_logs(level: str) -> None:
    """Log JSON lines to stderr, those of libraries among them. Nothing that a citizen wrote is ever passed to a log."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _where,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(ensure_ascii=False), foreign_pre_chain=shared
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("aiokafka", "alembic", "httpx", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
