"""The reading process with real models: pictures, recordings, files that lie, a process that hangs or dies."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from libs.common.runtime.reading import Reader, ReaderGoneError, UnreadableError

SPOKEN = Path("tests/support/spoken/water.ogg").read_bytes()


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    """Return bytes as a store hands them out."""
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


def picture(text: str) -> bytes:
    """Return a PNG with these words."""
    image = Image.new("RGB", (900, 120), "white")
    ImageDraw.Draw(image).text((20, 30), text, font=ImageFont.load_default(48), fill="black")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
async def reader(speech_model: Path) -> AsyncIterator[Reader]:
    reader = Reader(speech_model)
    yield reader
    await reader.close()


async def test_the_words_in_a_picture_are_read(reader: Reader) -> None:
    data = picture("NO WATER 8:00 to 18:00")
    words = await reader.picture(chunks(data), len(data))
    assert "WATER" in words.text
    assert words.confidence
    assert words.confidence > 0.8


async def test_the_words_in_a_recording_are_read_and_the_language_is_heard(reader: Reader) -> None:
    words = await reader.recording(chunks(SPOKEN), len(SPOKEN))
    assert "two days" in words.text
    assert words.language == "en"


@pytest.mark.parametrize("kind", ["picture", "recording"])
async def test_a_file_that_is_not_what_it_says_is_told_and_the_next_one_is_read(reader: Reader, kind: str) -> None:
    with pytest.raises(UnreadableError):
        await getattr(reader, kind)(chunks(b"x" * 4000), 4000)
    words = await reader.picture(chunks(data := picture("GAS")), len(data))
    assert "GAS" in words.text


async def test_a_process_that_takes_too_long_is_ended_and_another_reads_on(reader: Reader) -> None:
    with pytest.raises(ReaderGoneError):
        await reader.recording(chunks(SPOKEN), len(SPOKEN), seconds=0.01)
    assert (await reader.picture(chunks(data := picture("GAS")), len(data))).text


async def test_a_process_that_dies_in_the_middle_is_told_and_another_reads_on(reader: Reader) -> None:
    async def dying() -> AsyncIterator[bytes]:
        yield SPOKEN[:1000]
        assert reader._process
        reader._process.kill()
        await reader._process.wait()
        yield SPOKEN[1000:]

    with pytest.raises(ReaderGoneError):
        await reader.recording(dying(), len(SPOKEN))
    assert (await reader.picture(chunks(data := picture("GAS")), len(data))).text


async def test_a_model_that_cannot_be_loaded_is_no_fault_of_the_file(media: None, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"no model")
    reader = Reader(tmp_path)
    with pytest.raises(ReaderGoneError):
        await reader.recording(chunks(SPOKEN), len(SPOKEN))
    await reader.close()


async def test_a_language_that_the_model_does_not_know_is_heard_all_the_same(reader: Reader) -> None:
    words = await reader.recording(chunks(SPOKEN), len(SPOKEN), language="hak-CN")
    assert "two days" in words.text


async def test_a_file_that_ends_too_soon_ends_the_task_and_no_other(reader: Reader) -> None:
    with pytest.raises(ReaderGoneError):
        await reader.recording(chunks(SPOKEN), len(SPOKEN) + 1, seconds=2)
    assert (await reader.picture(chunks(data := picture("GAS")), len(data))).text
