"""Which failures pass by themselves, and how long to wait for them."""

import random
import traceback
from pathlib import Path

import asyncpg

LONGEST_SECONDS = 15.0
_TRANSIENT = (
    OSError,
    TimeoutError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresIOError,
    # A server that was primary until just now, and a plan made before another process migrated.
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidCachedStatementError,
)


class TransientError(Exception):
    """Raised by a handler that knows its failure will pass."""


def is_transient(error: BaseException) -> bool:
    """Say whether trying the same thing later can succeed: the machine was at fault, not the message."""
    return isinstance(error, (*_TRANSIENT, TransientError))


def describe(error: BaseException) -> str:
    """Return what a log may say of a failure. The words of a transient one are the machine's; others may quote data."""
    if is_transient(error):
        return repr(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def backoff(attempt: int) -> float:
    """Return the seconds to wait before try `attempt` + 1: doubling from 0.1 s, jittered, at most 15 s."""
    return min(LONGEST_SECONDS, 0.1 * 2.0 ** min(attempt - 1, 10)) * random.uniform(0.5, 1.0)
