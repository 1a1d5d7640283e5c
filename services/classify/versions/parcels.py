"""The files of a catalogue: how they come in, in a form or a zip archive, and how they are kept.

A name is never used as a path: nothing is unpacked to a disk.
"""

import io
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping

CATALOGUE_FILE = re.compile(r"\d\d-[a-z0-9]+(?:-[a-z0-9]+)*\.csv")
"""What a file of a catalogue is called: digits for the order, and the slug of its level 1."""
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)
"""What a damaged archive raises, by how it was packed."""
MOST_FILES, MOST_BYTES = 99, 16 * 1024 * 1024
"""All files together, unpacked; Beijing's 25 are under 2 MB."""


class ParcelError(ValueError):
    """What came is no set of catalogue files; the text says what would be right."""


def opened(parts: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """Return the files of a catalogue from what came: CSV files, or one zip archive of them. Raises ParcelError."""
    given = list(parts)
    if len(given) == 1 and given[0][1].startswith(b"PK\x03\x04"):
        given = _unzipped(given[0][1])
    files = dict(given)
    if not files:
        raise ParcelError("should hold CSV files of a catalogue, or a zip archive of them")
    if len(files) < len(given):
        raise ParcelError("holds two files of one name")
    if len(files) > MOST_FILES:
        raise ParcelError(f"should hold at most {MOST_FILES} files")
    if not all(map(CATALOGUE_FILE.fullmatch, files)):
        raise ParcelError("should hold files that are named like 01-water.csv only")
    if sum(map(len, files.values())) > MOST_BYTES:
        raise ParcelError(f"should hold at most {MOST_BYTES} bytes")
    return files


def _unzipped(archive: bytes) -> list[tuple[str, bytes]]:
    """Read an archive, at most one byte more than may be: what an archive says of its own size is not believed."""
    found, left = [], MOST_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
            entries = [entry for entry in zipped.infolist() if not entry.is_dir()]
            for entry in entries[: MOST_FILES + 1]:
                with zipped.open(entry) as file:
                    content = file.read(left + 1)
                found.append((entry.filename.rpartition("/")[2], content))
                left -= len(content)
                if left < 0:
                    raise ParcelError(f"should unpack to at most {MOST_BYTES} bytes")
    except (*BROKEN, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as broken:
        if isinstance(broken, ParcelError):
            raise
        # RuntimeError: it wants a password; NotImplementedError: a way of packing nobody uses for such files.
        raise ParcelError("is no zip archive that can be read") from broken
    return found


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return the files as they are kept. They are text: what is not was refused."""
    texts = {name: content.decode() for name, content in sorted(files.items())}
    return zlib.compress(json.dumps(texts, ensure_ascii=False).encode(), 6)


def unpacked(kept: bytes) -> dict[str, bytes]:
    """Return the files that `packed` kept."""
    texts: dict[str, str] = json.loads(zlib.decompress(kept))
    return {name: text.encode() for name, text in texts.items()}
