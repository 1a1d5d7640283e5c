"""Which failures are waited for, and for how long."""

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.envelope import UndecodableError
from libs.common.messaging.bus import BusClosedError
from libs.common.messaging.retry import LONGEST_SECONDS, TransientError, backoff, is_transient


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.DeadlockDetectedError(),
        asyncpg.SerializationError(),
        asyncpg.LockNotAvailableError(),
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.AdminShutdownError(),
        asyncpg.CannotConnectNowError(),
        asyncpg.QueryCanceledError(),
        asyncpg.TooManyConnectionsError(),
        asyncpg.DiskFullError(),
        asyncpg.ReadOnlySQLTransactionError(),
        asyncpg.InvalidCachedStatementError(),
        asyncpg.InterfaceError("connection is closed"),
        ConnectionResetError(),
        BusClosedError(),
        TimeoutError(),
        TransientError("the other service is away"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_machine_did_is_waited_for(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError(),
        asyncpg.NotNullViolationError(),
        asyncpg.UndefinedTableError(),
        asyncpg.CharacterNotInRepertoireError(),
        asyncpg.DataError("value out of int32 range"),
        UndecodableError("not an event"),
        ValueError(),
        KeyError("unit"),
        AttributeError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_message_or_its_handler_did_is_not(error: Exception) -> None:
    assert not is_transient(error)


@given(st.integers(min_value=1, max_value=10_000))
def test_the_wait_doubles_up_to_its_limit(attempt: int) -> None:
    full = min(LONGEST_SECONDS, 0.1 * 2 ** min(attempt - 1, 30))
    assert full / 2 <= backoff(attempt) <= full
