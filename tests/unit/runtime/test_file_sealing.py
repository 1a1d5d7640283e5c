"""Sealed files: read from any byte on, and not at all once a bit of them is another."""

import io
import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.runtime.files import BrokenSealError, Seal
from libs.common.runtime.files.sealing import CHUNK_BYTES

SIZES = (1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 17 * CHUNK_BYTES, 40 * CHUNK_BYTES + 5)


async def sealed_by(seal: Seal, content: bytes) -> bytes:
    """Seal a file."""
    return b"".join([chunk async for chunk in seal.close(io.BytesIO(content))])


async def pieces(sealed: bytes, size: int) -> AsyncIterator[bytes]:
    """Give sealed bytes as a store may, in pieces of any size."""
    for at in range(0, len(sealed), size):
        yield sealed[at : at + size]


async def opened(seal: Seal, sealed: bytes, start: int = 0, piece: int = 10_007) -> bytes:
    """Open sealed bytes from a byte on."""
    given_ = pieces(sealed[Seal.place(start) :], piece)
    return b"".join([chunk async for chunk in seal.open(given_, start)])


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_sealed_opens_whole_and_from_any_byte_on(size: int) -> None:
    content = os.urandom(size)
    seal = Seal.new(size)
    sealed = await sealed_by(seal, content)
    assert content[:16] not in sealed or size < 16
    for start in {0, size // 2, size - 1}:
        assert await opened(seal, sealed, start) == content[start:]


@given(
    change=st.sampled_from(["flip", "cut", "cut_chunk", "swap", "grow", "nothing"]), at=st.integers(0, 3 * CHUNK_BYTES)
)
async def test_whatever_is_changed_is_noticed(change: str, at: int) -> None:
    content = bytes(3 * CHUNK_BYTES)
    seal = Seal.new(len(content))
    sealed = await sealed_by(seal, content)
    chunk = len(sealed) // 3
    changed = {
        "flip": sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :],
        "cut": sealed[:at],
        "cut_chunk": sealed[: 2 * chunk],
        "swap": sealed[chunk : 2 * chunk] + sealed[:chunk] + sealed[2 * chunk :],
        "grow": sealed + sealed[:chunk],
        "nothing": b"",
    }[change]
    with pytest.raises(BrokenSealError):
        await opened(seal, changed)


async def test_a_key_opens_its_own_file_only() -> None:
    sealed = await sealed_by(Seal.new(5), b"plain")
    with pytest.raises(BrokenSealError):
        await opened(Seal.new(5), sealed)
    assert Seal.new(5).key != Seal.new(5).key


def test_a_key_is_not_shown() -> None:
    seal = Seal.new(5)
    assert seal.key.hex() not in repr(seal)
    assert repr(seal.key) not in repr(seal)
