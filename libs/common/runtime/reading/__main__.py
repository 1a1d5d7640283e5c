"""The reading process: takes tasks on standard input, one after the other, and answers each with a line of JSON.

A task is a line of JSON, `{"kind": …, "size": bytes, …}`, and then so many bytes. It ends when its input does.
"""

import json
import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import IO, Any, BinaryIO

from libs.common.runtime.reading import machines

MEMORY_BYTES = 6 * 1024**3
"""Of address space: a file that makes a decoder ask for more ends the process, not the machine."""
IN_MEMORY_BYTES = 8 * 1024**2


def main() -> None:
    """Answer tasks until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(10)
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    tasks = sys.stdin.buffer
    while line := tasks.readline():
        task = json.loads(line)
        with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as file:
            _copy(tasks, file, task["size"])
            file.seek(0)
            json.dump(_answer(task, file), answers, ensure_ascii=False)
        answers.write("\n")
        answers.flush()


def _copy(source: BinaryIO, target: IO[bytes], size: int) -> None:
    while size:
        chunk = source.read(min(size, 64 * 1024))
        if not chunk:
            raise EOFError("the task ended before its bytes did")
        target.write(chunk)
        size -= len(chunk)


def _answer(task: dict[str, Any], file: Any) -> dict[str, Any]:
    model = Path(task.get("model", ""))
    try:
        machines.prepare(task["kind"], model)
        if task["kind"] == "picture":
            return machines.read_picture(file)
        if task["kind"] == "recording":
            return machines.read_recording(file, model, task["language"])
        return machines.read_speech(file.read(), task["rate"], model, task["language"])
    except machines.NotInstalledError as error:
        return {"gone": f"{task['kind']}: what reads it cannot be loaded ({error})"}
    except machines.UnreadableInputError as error:
        return {"unreadable": f"expected {error}"}
    except Exception as error:  # noqa: BLE001 whatever a decoder meets in a stranger's file, the next task comes
        return {"unreadable": type(error).__name__}


if __name__ == "__main__":
    main()
