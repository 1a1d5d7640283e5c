"""Documents are kept byte for byte, for they may be signed: so what is active in one, or hidden in it, is refused."""

import csv
import io
import re
import zipfile
from typing import BinaryIO
from xml.etree import ElementTree as ET

import pikepdf

from libs.common.runtime.media.verdict import NotTakenError, UnfitError

MOST_ENTRIES = 10_000
MOST_UNPACKED = 512 * 1024 * 1024
MOST_XML = 4 * 1024 * 1024
_TAIL = 1024
_ACTIVE_KEYS = {"/JS", "/JavaScript", "/RichMediaContent", "/XFA"}
_ACTIVE_ACTIONS = {"/JavaScript", "/Launch", "/ImportData"}
_MAIN = re.compile(
    r"application/vnd\.openxmlformats-officedocument\.(wordprocessingml\.document|spreadsheetml\.sheet|"
    r"presentationml\.presentation)\.main\+xml"
)
_OFFICE = {"wordprocessingml.document": "docx", "spreadsheetml.sheet": "xlsx", "presentationml.presentation": "pptx"}
_ODT = b"application/vnd.oasis.opendocument.text"
_ACTIVE_PARTS = re.compile(r"vbaproject|vbadata|/activex/|oleobject|^basic/|^scripts/|encryptedpackage", re.IGNORECASE)
_FETCHED = ("/attachedTemplate", "/oleObject", "/frame", "/subDocument")
"""What Office loads from another address as soon as a document is opened."""
_FORMULA = re.compile(r'(?:^|[,;\t])\s*"?(?:[=@]|[+\-](?!\s*\d[\d.]*\s*(?:["%,;\t]|$)))', re.MULTILINE)
_BAD_CHARACTER = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_SAMPLE_LINES = 20


def clean(reader: str, source: BinaryIO, target: BinaryIO) -> str:
    """Check a document and return the name of its format; a text, which nobody signs, is written anew in UTF-8."""
    if reader == "text":
        return _clean_text(source, target)
    return _check_pdf(source) if reader == "pdf" else _check_package(source)


def _check_pdf(source: BinaryIO) -> str:
    """Return `pdf`. Raises UnfitError for what is broken, locked or active, or is something else as well."""
    source.seek(0, io.SEEK_END)
    source.seek(max(0, source.tell() - _TAIL))
    if not re.search(rb"%%EOF[\s\0]*$", source.read()) or zipfile.is_zipfile(source):
        raise UnfitError("is cut short, or has something behind its end")
    source.seek(0)
    try:
        with pikepdf.open(source) as document:
            active = any(_is_active(thing) for thing in document.objects)
    except pikepdf.PasswordError:
        raise UnfitError("is locked by a password; send it without") from None
    if active:
        raise UnfitError("holds a script or starts a program; print it to a new PDF")
    return "pdf"


def _is_active(thing: object) -> bool:
    """Say whether an object, or one written inside it, runs something; what it refers to is looked at by itself."""
    if isinstance(thing, pikepdf.Array):
        return any(_is_active(part) for part in thing.as_list() if not _is_elsewhere(part))
    if not isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        return False
    if not _ACTIVE_KEYS.isdisjoint(thing.keys()) or str(thing.get("/S")) in _ACTIVE_ACTIONS:
        return True
    return any(_is_active(part) for _, part in thing.items() if not _is_elsewhere(part))


def _is_elsewhere(part: object) -> bool:
    return isinstance(part, pikepdf.Object) and part.is_indirect


def _check_package(source: BinaryIO) -> str:
    """Return `docx`, `xlsx`, `pptx` or `odt`. Raises NotTakenError for other archives, UnfitError for unfit ones."""
    with zipfile.ZipFile(source) as package:
        entries = package.infolist()
        if len(entries) > MOST_ENTRIES or sum(entry.file_size for entry in entries) > MOST_UNPACKED:
            raise UnfitError("holds more than a document does")
        names = {entry.filename for entry in entries}
        format_ = _office(package) if "[Content_Types].xml" in names else _open_document(package, names)
        if len(names) < len(entries) or any(entry.flag_bits & 1 for entry in entries) or _is_more(package, source):
            raise UnfitError("is locked by a password, or is something else as well")
        if any(_ACTIVE_PARTS.search(name) for name in names) or any(_fetches(package, name) for name in names):
            raise UnfitError("holds macros or other active parts; save it without them")
        return format_


def _office(package: zipfile.ZipFile) -> str:
    kinds = [str(part.get("ContentType")) for part in _xml(package, "[Content_Types].xml")]
    if any("macroenabled" in kind.lower() for kind in kinds):
        raise NotTakenError("a document with macros is not taken; save it without them")
    main = next((found for kind in kinds if (found := _MAIN.fullmatch(kind))), None)
    if main is None:
        raise NotTakenError("an archive is not taken; send the files in it")
    return _OFFICE[main[1]]


def _open_document(package: zipfile.ZipFile, names: set[str]) -> str:
    if "mimetype" not in names or package.getinfo("mimetype").file_size > MOST_XML or package.read("mimetype") != _ODT:
        raise NotTakenError("an archive is not taken; send the files in it")
    return "odt"


def _is_more(package: zipfile.ZipFile, source: BinaryIO) -> bool:
    """Say whether something stands before the archive, in its comment, or behind it."""
    source.seek(-22, io.SEEK_END)
    return source.read(4) != b"PK\5\6" or min(entry.header_offset for entry in package.infolist()) != 0


def _fetches(package: zipfile.ZipFile, name: str) -> bool:
    """Say whether a part names something that is loaded from elsewhere when the document is opened."""
    if not name.endswith(".rels"):
        return False
    return any(
        part.get("TargetMode") == "External" and str(part.get("Type")).endswith(_FETCHED)
        for part in _xml(package, name)
    )


def _xml(package: zipfile.ZipFile, name: str) -> ET.Element:
    if package.getinfo(name).file_size > MOST_XML:
        raise UnfitError("holds more than a document does")
    # Expat bounds what entities may grow to, never fetches one, and this process has its own bounds.
    return ET.fromstring(package.read(name))  # noqa: S314


def _clean_text(source: BinaryIO, target: BinaryIO) -> str:
    """Write a text in UTF-8 and return `txt`, or `csv` for a table that no spreadsheet would take formulas from."""
    text = _decoded(source.read())
    target.write(text.encode())
    return "csv" if _is_table(text) and not _FORMULA.search(text) else "txt"


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _BAD_CHARACTER.search(text):
            return text
    raise NotTakenError("a text is taken in UTF-8 or GB18030")


def _is_table(text: str) -> bool:
    sample = [line for line in text[: 64 * 1024].splitlines() if line.strip()][:_SAMPLE_LINES]
    widths = {len(row) for row in csv.reader(sample)}
    return len(sample) > 1 and len(widths) == 1 and widths != {1}
