"""What was learned, kept as arrays in a file: learned once for all who share the folder, and never half written."""

import fcntl
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

T = TypeVar("T")
Arrays = Mapping[str, NDArray[Any]]

log = structlog.get_logger(__name__)


def kept(path: Path, build: Callable[[Arrays], T], learn: Callable[[], Arrays]) -> T:
    """Return what a file's arrays build; if it is not there or not whole, learn them and write it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whoever shares the folder waits for the one that learns.
    with (path.parent / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as cached:
                return build(dict(cached))
        except FileNotFoundError:
            log.info("learning what is not kept yet", name=path.stem)
        except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as damaged:
            log.warning("what was kept cannot be read and is learned again", path=str(path), error=repr(damaged))
        arrays = learn()
        keep(path, arrays)
    return build(arrays)


def keep(path: Path, arrays: Arrays) -> None:
    """Write arrays, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}.new")
    with beside.open("wb") as file:
        np.savez(file, **dict(arrays))  # type: ignore[arg-type]  # the stub takes names for options
    beside.replace(path)
