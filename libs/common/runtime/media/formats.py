"""What files are taken, and how one is known by its first bytes, whatever its sender calls it."""

import re
from dataclasses import dataclass
from typing import Literal

from libs.common.contracts.vocabulary import FileKind

HEAD_BYTES = 4096
"""As much as any signature needs."""
MEGABYTE = 1024 * 1024
LIMITS: dict[FileKind, int] = {
    "picture": 30 * MEGABYTE,
    "audio": 100 * MEGABYTE,
    "video": 200 * MEGABYTE,
    "document": 50 * MEGABYTE,
}
"""The most bytes of each kind: an hour of a call as uncompressed telephone audio has 58 million."""
LARGEST = max(LIMITS.values())

Family = Literal["pictures", "recordings", "documents"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format as files are kept and served."""

    name: str
    kind: FileKind
    media_type: str

    @property
    def limit(self) -> int:
        """The most bytes of such a file."""
        return LIMITS[self.kind]


_OFFICE = "application/vnd.openxmlformats-officedocument"
FORMATS = {
    format_.name: format_
    for format_ in (
        Format("jpg", "picture", "image/jpeg"),
        Format("png", "picture", "image/png"),
        Format("webp", "picture", "image/webp"),
        Format("wav", "audio", "audio/wav"),
        Format("mp3", "audio", "audio/mpeg"),
        Format("m4a", "audio", "audio/mp4"),
        Format("aac", "audio", "audio/aac"),
        Format("ogg", "audio", "audio/ogg"),
        Format("amr", "audio", "audio/amr"),
        Format("flac", "audio", "audio/flac"),
        Format("weba", "audio", "audio/webm"),
        Format("mp4", "video", "video/mp4"),
        Format("mov", "video", "video/quicktime"),
        Format("webm", "video", "video/webm"),
        Format("3gp", "video", "video/3gpp"),
        Format("pdf", "document", "application/pdf"),
        Format("docx", "document", f"{_OFFICE}.wordprocessingml.document"),
        Format("xlsx", "document", f"{_OFFICE}.spreadsheetml.sheet"),
        Format("pptx", "document", f"{_OFFICE}.presentationml.presentation"),
        Format("odt", "document", "application/vnd.oasis.opendocument.text"),
        Format("txt", "document", "text/plain; charset=utf-8"),
        Format("csv", "document", "text/csv; charset=utf-8"),
    )
}
"""By the name that a file gets as its extension."""
BY_MEDIA_TYPE = {format_.media_type: format_ for format_ in FORMATS.values()}
TAKEN = (
    "audio (wav, mp3, m4a, aac, ogg, opus, amr, flac, webm), pictures (jpeg, png, webp, gif, heic), "
    "video (mp4, mov, webm, 3gp), documents (pdf, docx, xlsx, pptx, odt; text and csv in UTF-8 or GB18030)"
)
"""What to tell a sender."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What a file's first bytes say it is: which decoders read it, by what name, and how large it may be until then."""

    family: Family
    reader: str
    limit: int


def _guess(family: Family, reader: str, kind: FileKind) -> Guess:
    return Guess(family, reader, LIMITS[kind])


_SIGNATURES: tuple[tuple[re.Pattern[bytes], Guess], ...] = tuple(
    (re.compile(pattern, re.DOTALL), guess)
    for pattern, guess in (
        (rb"\xff\xd8\xff", _guess("pictures", "JPEG", "picture")),
        (rb"\x89PNG\r\n\x1a\n", _guess("pictures", "PNG", "picture")),
        (rb"GIF8[79]a", _guess("pictures", "GIF", "picture")),
        (rb"RIFF....WEBP", _guess("pictures", "WEBP", "picture")),
        (rb"....ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)", _guess("pictures", "HEIF", "picture")),
        (rb"RIFF....WAVE", _guess("recordings", "wav", "audio")),
        (rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", _guess("recordings", "mp3", "audio")),
        (rb"\xff[\xf0\xf1\xf8\xf9]", _guess("recordings", "aac", "audio")),
        (rb"OggS", _guess("recordings", "ogg", "audio")),
        (rb"#!AMR(?:-WB)?\n", _guess("recordings", "amr", "audio")),
        (rb"fLaC", _guess("recordings", "flac", "audio")),
        (rb"....ftypqt  ", _guess("recordings", "mov", "video")),
        (rb"....ftyp3g[a-z2]", _guess("recordings", "3gp", "video")),
        (rb"....ftyp(?:isom|iso[2-9]|mp4[12]|avc1|M4[ABV] |MSNV|dash)", _guess("recordings", "mp4", "video")),
        (rb"\x1a\x45\xdf\xa3.{0,40}?webm", _guess("recordings", "webm", "video")),
        (rb"%PDF-[12]\.[0-9]", _guess("documents", "pdf", "document")),
        (rb"PK\x03\x04", _guess("documents", "zip", "document")),
    )
)
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<[a-z!?/%]|#!|%!|\{\\rtf)", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def sniff(head: bytes) -> Guess | None:
    """Return what the first bytes of a file say; None if it is nothing that is taken.

    What has no signature is text if no control character is in it. Markup and scripts are text too, and not taken:
    a page in HTML or a picture in SVG runs when it is looked at.
    """
    for pattern, guess in _SIGNATURES:
        if pattern.match(head):
            return guess
    if not head or _CONTROL.search(head) or _MARKUP.match(head):
        return None
    return _guess("documents", "text", "document")
