"""Learning in a process of its own: it takes some hundred MB, and all of them go with the process."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from services.classify.model.grams import Arrays

_ROOT = Path(__file__).parents[3]


class NotLearntError(RuntimeError):
    """The process that learns did not do it; the text says why."""


def learnt_apart(module: str, lesson: bytes) -> Arrays:
    """Have `python -m module FILE` learn what it reads on its standard input, and return the arrays it writes to FILE.

    Raises NotLearntError.
    """
    with tempfile.TemporaryDirectory(prefix="jiesu-") as folder:
        path = Path(folder) / "arrays.npz"
        # It inherits no socket and no file: all but its own three are closed.
        ended = subprocess.run(
            [sys.executable, "-m", module, str(path)],
            input=lesson, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=_ROOT, check=False,
        )  # fmt: skip
        if ended.returncode:
            raise NotLearntError(f"{module} {_told(ended.returncode, ended.stderr.decode(errors='replace'))}")
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)


def _told(code: int, errors: str) -> str:
    # The last line of a traceback names the error; what kills a process from outside leaves none.
    (last,) = errors.strip().splitlines()[-1:] or ["it told no error; was there memory enough?"]
    return f"ended with {code}: {last}"
