"""Backtests."""

from typing import Any
from uuid import UUID

from libs.common.runtime.rows import Rows
from services.dispatch.domain.backtests import Backtest

BACKTESTS = Rows("backtests", Backtest, key=("backtest_id",))
BACKTEST_LOCK = 4_712_371
"""Whoever holds it does backtests, one process of all."""

WAITING = "WHERE state = 'waiting' ORDER BY asked_at, backtest_id LIMIT 1"


async def save_backtest(connection: Any, backtest: Backtest) -> None:
    """Keep a backtest."""
    await BACKTESTS.save(connection, [backtest])


async def backtest_of(connection: Any, backtest_id: UUID) -> Backtest | None:
    """Return a backtest, None if there is none of this id."""
    found = await BACKTESTS.load(connection, "WHERE backtest_id = $1", backtest_id)
    return found[0] if found else None


async def waiting_backtest(connection: Any) -> Backtest | None:
    """Return the backtest that was asked for first and is not done."""
    found = await BACKTESTS.load(connection, WAITING)
    return found[0] if found else None


async def backtests(connection: Any, version: str, limit: int) -> list[Backtest]:
    """Return the backtests of rules that were asked for last, the newest first."""
    where = "WHERE version = $1 ORDER BY asked_at DESC, backtest_id DESC LIMIT $2"
    return await BACKTESTS.load(connection, where, version, limit)
