"""Lines of a body: as they were sent, bounded, and with a turn for others."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.runtime.problems import Problem
from services.intake.api.lines import LONGEST_LINE, MOST_LINES, TURN, lines_in
from services.intake.api.tables import appeals_in


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    """Return a body as it may come."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def turns_during(lines: AsyncIterator[object]) -> int:
    """Read lines; return how often another task had its turn meanwhile."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    try:
        async for _ in lines:
            pass
    finally:
        task.cancel()
    return turns


@given(st.lists(st.binary(max_size=6).filter(lambda line: b"\n" not in line)), st.integers(1, 9))
async def test_the_lines_are_those_that_were_sent_however_they_are_cut(lines: list[bytes], size: int) -> None:
    sent = b"".join(line + b"\n" for line in lines)
    assert [line async for line in lines_in(pieces(sent, size), b"\n")] == lines
    assert [line async for line in lines_in(pieces(sent + b"end", size), b"\n")] == [*lines, b"end"]


@pytest.mark.parametrize("read", [lambda body: lines_in(body, b"\n"), appeals_in])
async def test_others_have_their_turn_also_among_lines_that_say_nothing(read: object) -> None:
    body = b"channel,text\n" + b"\n" * 20 * TURN
    assert await turns_during(read(pieces(body, len(body)))) >= 20  # type: ignore[operator]


async def test_too_many_lines_or_one_without_end_are_refused() -> None:
    async def count(body: bytes) -> int:
        return len([line async for line in lines_in(pieces(body, 65_536), b"\n")])

    assert await count(b"\n" * MOST_LINES) == MOST_LINES
    with pytest.raises(Problem, match="100000 lines") as many:
        await count(b"\n" * (MOST_LINES + 1))
    with pytest.raises(Problem, match="no line longer") as long:
        await count(b"x" * (LONGEST_LINE + 1))
    assert (many.value.status, long.value.status) == (413, 413)
