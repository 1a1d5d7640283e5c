"""One file, read in a process of its own: `python -m libs.common.runtime.media <family> <reader> <target>`.

The file is standard input; what it becomes, if it is not kept as it is, is written to the descriptor `target`; the
verdict is one line of JSON on standard output. Decoders are large programs that read what a stranger wrote: here one
that fails, grows or never ends takes nothing with it, and finds no key, no database and no setting.
"""

import json
import os
import resource
import sys
from importlib import import_module
from typing import BinaryIO

from libs.common.runtime.media.verdict import NotTakenError, UnfitError

MEMORY_BYTES = 1024**3
CPU_SECONDS = 90
TARGET_BYTES = 512 * 1024 * 1024
NICENESS = 10
"""Citizens who appeal go before files that are being cleaned."""


def bound() -> None:
    """Limit what this process may use up."""
    os.nice(NICENESS)
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, TARGET_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def judge(family: str, reader: str, source: BinaryIO, target: BinaryIO) -> dict[str, str]:
    """Clean or check one file. Returns {format} if it may be kept, else {unfit} or {not_taken} with the reason."""
    decoders = import_module(f"libs.common.runtime.media.{family}")
    try:
        format_ = decoders.clean(reader, source, target)
        target.flush()
    except NotTakenError as error:
        return {"not_taken": str(error)}
    except UnfitError as error:
        return {"unfit": str(error)}
    except Exception:  # noqa: BLE001 decoders raise whatever they like at what they cannot read: it is the file's fault
        return {"unfit": "is damaged, or is not what it begins as"}
    return {"format": format_}


if __name__ == "__main__":
    bound()
    with os.fdopen(0, "rb") as given, os.fdopen(int(sys.argv[3]), "wb") as made:
        print(json.dumps(judge(sys.argv[1], sys.argv[2], given, made)))  # noqa: T201 the verdict
