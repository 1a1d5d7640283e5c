"""Files as an operator keeps them: sealed bytes under names of ours, in a folder or in any S3-compatible store."""

from pathlib import Path

from libs.common.runtime.files.folder import FolderStore
from libs.common.runtime.files.s3 import S3Store
from libs.common.runtime.files.sealing import BrokenSealError, Seal
from libs.common.runtime.files.store import FileStore, StoreAwayError, UnknownFileError


def open_store(place: str, endpoint: str = "") -> FileStore:
    """Return the store at `s3://bucket/prefix`, asked at `endpoint` if it is not Amazon's, or in a folder.

    Raises ValueError for an address of another kind.
    """
    if place.startswith("s3://"):
        return S3Store(place, endpoint)
    if "://" in place:
        raise ValueError(f"files are kept in a folder or at s3://bucket/prefix, not at {place}")
    return FolderStore(Path(place))


__all__ = [
    "BrokenSealError",
    "FileStore",
    "FolderStore",
    "S3Store",
    "Seal",
    "StoreAwayError",
    "UnknownFileError",
    "open_store",
]
