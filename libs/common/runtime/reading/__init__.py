"""Machines that read: the words in a picture, the words in a recording, speech while it is spoken.

They run in a process of their own (`python -m libs.common.runtime.reading`), which gets the bytes and none of the
platform's settings: what strangers send is decoded there, and what hangs or crashes there takes nothing else along.
Their libraries are installed on demand; without them nothing is read, and everything else works.
"""

from libs.common.runtime.reading.desk import ReadingDesk
from libs.common.runtime.reading.live import Heard, TooSlowError, Utterance, transcript
from libs.common.runtime.reading.reader import Reader, ReaderGoneError, ReadError, UnreadableError, Words

__all__ = [
    "Heard",
    "ReadError",
    "Reader",
    "ReaderGoneError",
    "ReadingDesk",
    "TooSlowError",
    "UnreadableError",
    "Utterance",
    "Words",
    "transcript",
]
