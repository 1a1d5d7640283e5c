"""Watching processes that may not be our children."""

import time
from collections.abc import Callable, Iterator

import psutil


def runs(process: psutil.Process) -> bool:
    """Whether it still runs; a dead process that nobody has reaped (as in many containers) does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def commands() -> Iterator[tuple[psutil.Process, list[str]]]:
    """Every running process with its command line, which for some programs is a title they gave themselves."""
    for process in psutil.process_iter(["cmdline"]):
        yield process, process.info["cmdline"] or []


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask until it is true; False when `seconds` have passed before."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
