"""Files as senders have them: with what a camera, an office or a stranger put into them."""

import io
import math
import struct
import wave
import zipfile
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import av
import numpy as np
import pikepdf
import pillow_heif
from PIL import Image, ImageCms, PngImagePlugin

HIDDEN = b"Hidden"
"""What stands wherever a file has room for words; a clean one has it nowhere."""
PLACE = "+39.9042+116.4074/"
_OFFICE = "application/vnd.openxmlformats-officedocument"
WORD = f"{_OFFICE}.wordprocessingml.document.main+xml"
SHEET = f"{_OFFICE}.spreadsheetml.sheet.main+xml"
SLIDES = f"{_OFFICE}.presentationml.presentation.main+xml"
MACROS = "application/vnd.ms-word.document.macroEnabled.main+xml"

pillow_heif.register_heif_opener()


async def chunked(content: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    """Give a file in chunks, as a request body does."""
    for at in range(0, len(content), size):
        yield content[at : at + size]


def picture(format_: str, size: tuple[int, int] = (64, 48)) -> bytes:
    """Return a picture taken with the camera on its side, left half red, with all that cameras write beside it."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = HIDDEN.decode()
    exif[0x8825] = {1: "N", 2: (39.0, 54.0, 15.0), 3: "E", 4: (116.0, 24.0, 27.0)}
    words = PngImagePlugin.PngInfo()
    words.add_text("Author", HIDDEN.decode())
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    beside: dict[str, dict[str, Any]] = {
        "JPEG": {"exif": exif, "comment": HIDDEN, "icc_profile": profile},
        "PNG": {"exif": exif, "pnginfo": words},
        "WEBP": {"exif": exif, "lossless": True},
        "GIF": {"comment": HIDDEN},
        "HEIF": {"exif": exif},
    }
    made = io.BytesIO()
    image.save(made, format_, **beside[format_])
    return made.getvalue()


def png_header(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that says it has so many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _tone(rate: int = 16_000, seconds: float = 1.0) -> Any:
    wave_ = np.sin(np.arange(int(rate * seconds)) * 2 * math.pi * 440 / rate)
    return (wave_ * 12_000).astype("<i2")


def wav(seconds: float = 1.0) -> bytes:
    """Return a tone as a WAV file, with a list of words behind it."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(_tone(seconds=seconds).tobytes())
    words = b"INFOIART" + struct.pack("<I", len(HIDDEN)) + HIDDEN
    return made.getvalue() + b"LIST" + struct.pack("<I", len(words)) + words


def recording(format_: str, codec: str, rate: int = 16_000, film: str = "") -> bytes:
    """Return a tone, and a film if its codec is given, with a title and the place where it was taken."""
    made = io.BytesIO()
    with av.open(made, "w", format=format_) as file:
        file.metadata.update({"title": HIDDEN.decode(), "location": PLACE, "comment": HIDDEN.decode()})
        shown = _film(file, film) if film else None
        sound: Any = file.add_stream(codec, rate=rate)
        sound.layout = "mono"
        if codec == "libopencore_amrnb":
            sound.bit_rate = 12_200
        for packet in _shown(shown):
            file.mux(packet)
        for packet in _heard(sound, rate):
            file.mux(packet)
    return made.getvalue()


def _film(file: Any, codec: str) -> Any:
    stream = file.add_stream(codec, rate=10)
    stream.width, stream.height, stream.pix_fmt = 176, 144, "yuv420p"
    return stream


def _shown(stream: Any) -> Any:
    for number in range(5) if stream else ():
        frame = av.VideoFrame.from_ndarray(np.full((144, 176, 3), number * 20, dtype="uint8"), format="rgb24")
        frame.pts = number
        yield from stream.encode(frame)
    yield from stream.encode() if stream else ()


def _heard(stream: Any, rate: int) -> Any:
    tone = av.AudioFrame.from_ndarray(_tone().reshape(1, -1), format="s16", layout="mono")
    tone.rate = 16_000
    waiting = av.AudioFifo()
    for resampled in av.AudioResampler(format=stream.format.name, layout="mono", rate=rate).resample(tone):
        waiting.write(resampled)
    size = stream.codec_context.frame_size or 1024
    while frame := waiting.read(size):
        yield from stream.encode(frame)
    yield from stream.encode()


def archive(parts: Mapping[str, str], comment: bytes = b"") -> bytes:
    """Return a zip archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, text)
        file.comment = comment
    return made.getvalue()


def office(main: str = WORD, parts: Mapping[str, str] | None = None, comment: bytes = b"") -> bytes:
    """Return an Office document whose main part is of this type, with further parts."""
    types = f'<Types><Override ContentType="{main}"/></Types>'
    link = '<Relationship Type="http://x/hyperlink" TargetMode="External" Target="http://a"/>'
    links = f"<Relationships>{link}</Relationships>"
    given = {"[Content_Types].xml": types, "word/_rels/document.xml.rels": links, **(parts or {})}
    return archive(given, comment)


def fetching(kind: str) -> dict[str, str]:
    """Return a part of a document by which it loads something from another address."""
    link = f'<Relationship Type="http://x/{kind}" TargetMode="External" Target="http://evil"/>'
    return {"word/_rels/settings.xml.rels": f"<Relationships>{link}</Relationships>"}


def odt(**parts: str) -> bytes:
    """Return an OpenDocument text."""
    return archive({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<x/>", **parts})


def pdf(action: Mapping[str, Any] | None = None, password: str = "") -> bytes:
    """Return a PDF of one empty page, that does something when it is opened, or opens by a password only."""
    made = io.BytesIO()
    document = pikepdf.new()
    document.add_blank_page()
    if action:
        document.Root.OpenAction = pikepdf.Dictionary({f"/{key}": value for key, value in action.items()})
    locked = pikepdf.Encryption(owner="owner", user=password) if password else False
    # The action goes into a compressed stream, where no search for its name would find it.
    document.save(made, encryption=locked, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return made.getvalue()
