"""Where one utterance ends and the next begins, whatever the machine hears."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.runtime.reading import Heard, TooSlowError, Words, transcript
from libs.common.runtime.reading.live import LONGEST_BACKLOG_SECONDS

RATE = 100
SAMPLE = {True: b"\1\0", False: b"\0\0"}


async def ear(pcm: bytes) -> Words:
    """Hear a word for every sample that is not silence."""
    samples = [pcm[i : i + 2] != SAMPLE[False] for i in range(0, len(pcm), 2)]
    if not any(samples):
        return Words("")
    first, last = samples.index(True), len(samples) - samples[::-1].index(True)
    return Words("x" * sum(samples), begins=first / RATE, ends=last / RATE)


def audio(*spans: tuple[bool, float]) -> bytes:
    """Return speech (True) and silence (False) of so many seconds each."""
    return b"".join(SAMPLE[spoken] * round(seconds * RATE) for spoken, seconds in spans)


async def pieces(pcm: bytes, size: int) -> AsyncIterator[bytes]:
    """Return audio as it may come."""
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size]
        await asyncio.sleep(0)


async def heard(pcm: bytes, size: int = 20) -> list[Heard]:
    """Return all that is heard."""
    return [found async for found in transcript(pieces(pcm, size), RATE, ear)]


def finals(found: list[Heard]) -> list[Heard]:
    """Return what does not change any more."""
    return [one for one in found if one.final]


async def test_a_pause_ends_an_utterance() -> None:
    found = finals(await heard(audio((True, 2), (False, 2), (True, 1), (False, 2))))
    assert [(len(one.text), one.begins, one.ends) for one in found] == [(200, 0, 2), (100, 4, 5)]


async def test_the_rest_is_final_when_no_more_comes() -> None:
    found = await heard(audio((True, 1.5)))
    assert [len(one.text) for one in finals(found)] == [150]


async def test_silence_is_not_told() -> None:
    assert await heard(audio((False, 30))) == []


async def test_who_speaks_without_a_pause_is_cut_and_loses_nothing() -> None:
    found = finals(await heard(audio((True, 50)), 400))
    assert sum(len(one.text) for one in found) == 50 * RATE
    assert len(found) == 3


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0.1, 8)), min_size=1, max_size=6),
    st.integers(1, 300).map(lambda samples: 2 * samples),
)
async def test_every_word_is_in_just_one_final_utterance(spans: list[tuple[bool, float]], size: int) -> None:
    pcm = audio(*spans)
    spoken = sum(pcm[i : i + 2] == SAMPLE[True] for i in range(0, len(pcm), 2))
    found = finals(await heard(pcm, size))
    # Speech so short that it ends below what is worth keeping may be lost at the very end, and nowhere else.
    assert spoken - 0.3 * RATE <= sum(len(one.text) for one in found) <= spoken
    assert all(before.ends <= after.begins for before, after in pairwise(found))


async def test_pieces_without_a_sample_end_nothing() -> None:
    async def some() -> AsyncIterator[bytes]:
        for pcm in (b"", audio((True, 1)), b"", audio((True, 1))):
            yield pcm
            await asyncio.sleep(0)

    found = finals([one async for one in transcript(some(), RATE, ear)])
    assert sum(len(one.text) for one in found) == 2 * RATE


async def test_no_more_is_kept_of_who_is_too_far_ahead_than_is_told() -> None:
    taken = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield audio((True, 1))
            await asyncio.sleep(0)

    async def stuck(_: bytes) -> Words:
        await asyncio.Event().wait()
        raise AssertionError

    listening = asyncio.create_task(anext(transcript(flood(), RATE, stuck)))
    for _ in range(10 * int(LONGEST_BACKLOG_SECONDS)):
        await asyncio.sleep(0)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert taken <= LONGEST_BACKLOG_SECONDS + 3


async def test_who_is_too_far_ahead_is_told() -> None:
    async def slow(pcm: bytes) -> Words:
        for _ in range(200):
            await asyncio.sleep(0)
        return await ear(pcm)

    speech = audio((True, 5 * LONGEST_BACKLOG_SECONDS))
    with pytest.raises(TooSlowError):
        _ = [found async for found in transcript(pieces(speech, RATE), RATE, slow)]
