"""The quality of the lines: calls recorded in bulk, each line's day measured when it is over."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from libs.common.contracts.intake import CallRecorded, LineMeasured
from libs.common.messaging.transaction import Tx
from libs.common.runtime.timers import Due
from services.intake import store
from services.intake.domain import Call, Hour, Quality, count, day_of, hour_of, measure, span
from services.intake.handlers.around import Here

LINE_DAY = "line_day"
SETTLED = timedelta(minutes=15)
"""How long after its end, or after a late record, a line's day is measured."""


async def record_calls(tx: Tx, here: Here, client: str, calls: Sequence[tuple[str | None, Call]]) -> int:
    """Record calls, each with what names it for its sender, if anything; return how many were not known before.

    One that is named is recorded once, however often it is sent.
    """
    named = [(_scope(client, name, here.clock.new_id()), call) for name, call in calls]
    await tx.lock(sorted({f"line:{call.line}" for _, call in named}))
    fresh = await store.record_calls(tx, list(dict(named).items()))
    recorded = [call for scope, call in dict(named).items() if scope in fresh]
    if recorded:
        await _count(tx, here, recorded)
        await _tell(tx, here, recorded)
    return len(recorded)


def _scope(client: str, name: str | None, chance: UUID) -> bytes:
    parts = (client, name) if name is not None else (chance.hex,)
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()


async def _count(tx: Tx, here: Here, calls: Sequence[Call]) -> None:
    engine = here.engine
    times = [call.offered_at for call in calls]
    since, until = hour_of(min(times), engine.timezone), max(times) + timedelta(seconds=1)
    known = await store.hours(tx.connection, since, until, {call.line for call in calls})
    hours = {(hour.line, hour.hour): hour for hour in known}
    for call in calls:
        key = (call.line, hour_of(call.offered_at, engine.timezone))
        hours[key] = count(hours.get(key) or Hour(*key), call, engine.line_standard)
    await store.save_hours(tx, hours.values())
    for line, day in {(call.line, day_of(call.offered_at, engine.timezone)) for call in calls}:
        over = span(day, engine.timezone)[1]
        tx.schedule(LINE_DAY, f"line:{line}:{day}", max(over, tx.now) + SETTLED)


async def _tell(tx: Tx, here: Here, calls: Sequence[Call]) -> None:
    subjects = [str(here.clock.new_id()) for _ in calls]
    await tx.lock(subjects)
    for subject, call in zip(subjects, calls, strict=True):
        tx.emit(
            subject,
            CallRecorded(
                line=call.line,
                offered_at=call.offered_at,
                answered=call.answered,
                abandoned=call.abandoned,
                wait_seconds=call.wait_seconds,
                test_call=call.test_call,
                explained=call.explained,
            ),
        )


async def on_line_day(due: Sequence[Due], tx: Tx, here: Here) -> None:
    """Tell what a line's day came to; a record that comes later has it told again."""
    for timer in due:
        _, line, day = timer.subject.split(":")
        hours = await store.hours(tx.connection, *span(day, here.engine.timezone), [line])
        tx.emit(timer.subject, _measured(line, day, measure(hours, here.engine.line_standard)))


def _measured(line: str, day: str, quality: Quality) -> LineMeasured:
    return LineMeasured(
        line=line,
        period=day,
        offered=quality.offered,
        answered=quality.answered,
        abandoned=quality.abandoned,
        connection_rate=quality.connection_rate,
        answered_in_time_rate=quality.answered_in_time_rate,
        mean_wait_seconds=quality.mean_wait,
        longest_wait_seconds=quality.longest_wait,
        test_calls=quality.tests,
        dead=quality.dead,
        cold=quality.cold,
        explained_rate=quality.explained_rate,
    )


async def line_quality(here: Here, period: str) -> tuple[dict[str, Quality], Quality]:
    """Return how well each line did over a period, and all of them together. Raises ValueError for no period."""
    since, until = span(period, here.engine.timezone)
    known = await store.hours(here.database.pool, since, until)
    standard = here.engine.line_standard
    by_line = {line: [hour for hour in known if hour.line == line] for line in sorted({hour.line for hour in known})}
    return {line: measure(hours, standard) for line, hours in by_line.items()}, measure(known, standard)
