"""Files from strangers: known by their bytes, clean or refused, and never trusted."""

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from libs.common.runtime.media import taking
from libs.common.runtime.media.formats import LIMITS, sniff
from libs.common.runtime.media.taking import Uploads
from libs.common.runtime.media.verdict import BusyError, NotTakenError, StalledError, TooLargeError, UnfitError
from tests.support import attached
from tests.support.attached import HIDDEN, PLACE, chunked

SCRIPT = b"<script>alert(1)</script>"


async def kept(content: bytes) -> tuple[str, bytes]:
    """Return the media type and the bytes that a file is kept as."""
    async with Uploads().take(chunked(content)) as taken:
        taken.content.seek(0)
        return taken.format.media_type, taken.content.read()


@pytest.mark.parametrize(
    ("format_", "media_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("GIF", "image/png"),
        ("HEIF", "image/jpeg"),
    ],
)
async def test_a_picture_keeps_its_pixels_and_nothing_else(format_: str, media_type: str) -> None:
    given_ = attached.picture(format_)
    found, clean = await kept(given_ + SCRIPT)
    image = Image.open(io.BytesIO(clean))
    assert found == media_type
    assert not dict(image.getexif())
    assert not {"icc_profile", "comment", "exif", "Author"} & image.info.keys()
    assert HIDDEN not in clean
    assert SCRIPT not in clean


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_is_turned_as_it_was_taken(format_: str) -> None:
    _, clean = await kept(attached.picture(format_))
    image = Image.open(io.BytesIO(clean)).convert("RGB")
    red, blue = image.getpixel((24, 5)), image.getpixel((24, 60))
    assert image.size == (48, 64)
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert red[0] - red[2] > 150
    assert blue[2] - blue[0] > 150


async def test_a_very_large_picture_is_made_smaller() -> None:
    made = io.BytesIO()
    Image.new("RGB", (7000, 5000), "red").save(made, "JPEG", quality=30)
    _, clean = await kept(made.getvalue())
    width, height = Image.open(io.BytesIO(clean)).size
    assert 15_000_000 < width * height <= 16_000_000
    assert width / height == pytest.approx(1.4, abs=0.01)


@pytest.mark.parametrize(
    ("make", "media_type"),
    [
        (attached.wav, "audio/wav"),
        (lambda: attached.recording("mp3", "libmp3lame"), "audio/mpeg"),
        (lambda: attached.recording("mp4", "aac"), "audio/mp4"),
        (lambda: attached.recording("adts", "aac"), "audio/aac"),
        (lambda: attached.recording("ogg", "libopus", 48_000), "audio/ogg"),
        (lambda: attached.recording("amr", "libopencore_amrnb", 8_000), "audio/amr"),
        (lambda: attached.recording("flac", "flac"), "audio/flac"),
        (lambda: attached.recording("webm", "libopus", 48_000), "audio/webm"),
        (lambda: attached.recording("mp4", "aac", film="libx264"), "video/mp4"),
        (lambda: attached.recording("mov", "aac", film="libx264"), "video/quicktime"),
        (lambda: attached.recording("webm", "libopus", 48_000, film="libvpx"), "video/webm"),
        (lambda: attached.recording("3gp", "libopencore_amrnb", 8_000, film="h263"), "video/3gpp"),
    ],
)
async def test_a_recording_keeps_its_streams_and_nothing_else(make: Callable[[], bytes], media_type: str) -> None:
    content = make()
    found, clean = await kept(content)
    assert (await kept(content))[1] == clean
    with av.open(io.BytesIO(clean)) as file:
        told = {**file.metadata, **{key: value for stream in file.streams for key, value in stream.metadata.items()}}
        streams = len(file.streams)
    assert found == media_type
    assert streams == 1 + media_type.startswith("video")
    assert not [value for value in told.values() if HIDDEN.decode() in value or PLACE in value]
    assert not [words for words in (HIDDEN, PLACE.encode()) if words in clean]


@pytest.mark.parametrize("format_", ["mp4", "mov", "webm", "ogg"])
async def test_what_stands_behind_a_recording_is_not_kept(format_: str) -> None:
    content = attached.recording(format_, "libopus" if format_ in {"webm", "ogg"} else "aac", 48_000)
    assert SCRIPT not in (await kept(content + SCRIPT))[1]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (attached.pdf(), "application/pdf"),
        (attached.office(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (attached.office(attached.SHEET), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (attached.office(attached.SLIDES), "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        (attached.odt(), "application/vnd.oasis.opendocument.text"),
        ("小区路灯不亮。\n请处理。\n".encode(), "text/plain; charset=utf-8"),
        ("日期,事项\n3月1日,停水\n".encode(), "text/csv; charset=utf-8"),
    ],
)
async def test_a_document_is_kept_byte_for_byte(content: bytes, media_type: str) -> None:
    assert await kept(content) == (media_type, content)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
async def test_a_text_is_kept_in_utf_8(encoding: str) -> None:
    text = "小区路灯不亮，多次反映，㐂𠀀。\n"
    assert await kept(text.encode(encoding)) == ("text/plain; charset=utf-8", text.encode())


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+cmd|x", '"=1"'])
async def test_a_table_with_formulas_is_kept_as_words(cell: str) -> None:
    assert (await kept(f"a,b\n1,{cell}\n".encode()))[0] == "text/plain; charset=utf-8"
    assert (await kept(b"a,b\n-1,+2.5\n"))[0] == "text/csv; charset=utf-8"


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><p>a page called photo.jpg",
        b"\xef\xbb\xbf  <html>",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"#!/bin/sh\nrm -rf /\n",
        b"MZ\x90\0\3\0\0\0" + bytes(500),
        b"\x7fELF\2\1\1" + bytes(500),
        b"Rar!\x1a\7\0" + bytes(50),
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
        "你好".encode("utf-16"),
        b"a\0b",
        b"RIFF\x24\0\0\0AVI LIST",
        attached.recording("matroska", "libopus", 48_000),
        attached.archive({"a.txt": "hello"}),
        attached.archive({"META-INF/MANIFEST.MF": "x", "A.class": "x"}),
        attached.office(attached.MACROS),
    ],
)
async def test_what_is_not_taken_is_refused_and_what_is_taken_is_said(content: bytes) -> None:
    with pytest.raises(NotTakenError):
        await kept(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        attached.picture("JPEG", (640, 480))[:3000],
        attached.png_header(50_000, 50_000),
        b"\xff\xd8\xff\xe0" + SCRIPT * 50,
        b"ID3\3\0\0\0\0\0\0" + SCRIPT * 100,
        b"RIFF\x24\0\0\0WAVE" + SCRIPT,
        attached.recording("mp4", "aac", film="libx264")[:4000],
        b"PK\3\4 but no archive",
        attached.office() + SCRIPT,
        b"PK\3\4" + attached.office(),
        attached.office(comment=SCRIPT),
        attached.office(parts={"word/vbaProject.bin": "x"}),
        attached.office(parts={"word/activeX/activeX1.xml": "x"}),
        attached.office(parts={"word/embeddings/oleObject1.bin": "x"}),
        attached.office(parts=attached.fetching("attachedTemplate")),
        attached.odt(**{"Basic/script-lc.xml": "x"}),
        attached.pdf()[:300],
        attached.pdf() + attached.archive({"a": "b"}),
        attached.pdf({"S": "/JavaScript", "JS": "app.alert(1)"}),
        attached.pdf({"S": "/Launch", "F": "cmd.exe"}),
        attached.pdf(password="secret"),
        b"%PDF-1.4\nnothing\n%%EOF",
    ],
)
async def test_what_is_broken_locked_active_or_two_things_at_once_is_refused(content: bytes) -> None:
    with pytest.raises(UnfitError):
        await kept(content)


@given(st.binary(max_size=200))
def test_anything_may_be_sniffed(head: bytes) -> None:
    guess = sniff(head)
    assert guess is None or guess.limit in LIMITS.values()


async def test_a_file_over_the_limit_of_its_kind_is_refused_before_it_is_all_there() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b"\xff\xd8\xff"
        while True:
            sent += 1
            yield bytes(1024 * 1024)

    with pytest.raises(TooLargeError) as refused:
        async with Uploads().take(endless()):
            pass
    assert refused.value.limit == LIMITS["picture"]
    assert sent == LIMITS["picture"] // 1024**2


async def test_what_is_not_taken_is_refused_by_its_first_bytes() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"MZ" + bytes(5000)
        raise AssertionError("nobody needs more of it")

    with pytest.raises(NotTakenError):
        async with Uploads().take(endless()):
            pass


async def test_who_stops_sending_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "STALLED_SECONDS", 0.01)

    async def stalled() -> AsyncIterator[bytes]:
        yield b"\xff\xd8\xff"
        await asyncio.Event().wait()

    with pytest.raises(StalledError):
        async with Uploads().take(stalled()):
            pass


async def test_no_more_come_in_at_once_than_may() -> None:
    uploads = Uploads(most=1)
    async with uploads.take(chunked(b"one")):
        with pytest.raises(BusyError):
            async with uploads.take(chunked(b"two")):
                pass
    async with uploads.take(chunked(b"three")) as taken:
        assert taken.size == 5


async def test_a_decoder_finds_no_setting_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    started: list[dict[str, str]] = []
    start = asyncio.create_subprocess_exec

    async def watched(*arguments: str, **options: object) -> asyncio.subprocess.Process:
        started.append(options["env"])  # type: ignore[arg-type]  # what is asked here
        return await start(*arguments, **options)  # type: ignore[arg-type]  # the same

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    await kept(b"words")
    assert [env.keys() for env in started] == [{"PYTHONPATH"}]
    assert os.environ["AWS_SECRET_ACCESS_KEY"]
