"""What runs in the reading process: one function for each kind of task. Models are loaded when first needed.

Every function returns plain values for JSON: `text`, `language` (None if it was not heard), `confidence` (0 to 1),
`truncated` (whether only the beginning was read), and for live speech where it begins and ends, in seconds.
"""

from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
"""Samples per second that the speech model takes."""
LONGEST_SECONDS = 20 * 60
"""Of a longer recording the beginning is read."""
SURE = 0.5
"""A line in a picture that is read with less confidence is left out."""
PROMPTS = {"zh": "以下是市民来电的普通话录音。"}
"""What the model is told before, by language: it then writes simplified characters and punctuation."""

Result = dict[str, Any]
RECORDING = "a recording that can be decoded"


class NotInstalledError(Exception):
    """A library or a model is not there, or cannot be loaded: no file is at fault."""


class UnreadableInputError(ValueError):
    """The bytes are not what they should be; the text says what was expected and quotes nothing."""


@cache
def _eyes() -> Any:
    from rapidocr import RapidOCR  # noqa: PLC0415 installed on demand

    return RapidOCR(params={"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": 1})


@cache
def _ears(model: Path) -> Any:
    from faster_whisper import WhisperModel  # noqa: PLC0415 installed on demand

    return WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)


def prepare(kind: str, model: Path) -> None:
    """Load what a kind of task needs, if it is not loaded yet. Raises NotInstalledError."""
    try:
        if kind == "picture":
            _eyes()
        else:
            _ears(model)
    except Exception as error:  # whatever a library raises that is broken, it is not the file's fault
        raise NotInstalledError(type(error).__name__) from error


def read_picture(file: BinaryIO) -> Result:
    """Read the words in a picture, line by line from the top."""
    found = _eyes()(file.read())
    lines = [(text, float(score)) for text, score in zip(found.txts or (), found.scores or (), strict=True)]
    sure = [(text, score) for text, score in lines if score >= SURE and text.strip()]
    confidence = sum(score for _, score in sure) / len(sure) if sure else None
    return {"text": "\n".join(text for text, _ in sure), "confidence": confidence}


def read_recording(file: BinaryIO, model: Path, language: str | None) -> Result:
    """Read the words spoken in a recording, of any format that has an audio track."""
    from faster_whisper.audio import decode_audio  # noqa: PLC0415 installed on demand

    try:
        audio: NDArray[np.float32] = decode_audio(file, sampling_rate=RATE)
    except Exception as error:  # the decoder has a class for each of a hundred faults, and all say: not audio
        raise UnreadableInputError(RECORDING) from error
    if not len(audio):
        raise UnreadableInputError(RECORDING)
    longest = LONGEST_SECONDS * RATE
    return _transcribe(audio[:longest], model, language) | {"truncated": len(audio) > longest}


def read_speech(pcm: bytes, rate: int, model: Path, language: str | None) -> Result:
    """Read an utterance as far as it has come: mono, 16 bits, little-endian, `rate` samples per second."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps  # noqa: PLC0415 installed on demand

    audio = _resampled(np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32) / np.float32(32768), rate)
    spans = get_speech_timestamps(audio, VadOptions(min_silence_duration_ms=300, speech_pad_ms=100))
    if not spans:
        return {"text": "", "begins": None, "ends": None}
    begins, ends = spans[0]["start"], spans[-1]["end"]
    found = _transcribe(audio[begins:ends], model, language, whole=False)
    return found | {"begins": begins / RATE, "ends": ends / RATE}


def _transcribe(audio: NDArray[np.float32], model: Path, language: str | None, *, whole: bool = True) -> Result:
    ears = _ears(model)
    primary = (language or "").partition("-")[0]
    spoken = primary if primary in ears.supported_languages else None
    segments, heard = ears.transcribe(
        audio,
        language=spoken,
        beam_size=5 if whole else 1,
        vad_filter=whole,
        without_timestamps=not whole,
        condition_on_previous_text=False,
        initial_prompt=PROMPTS.get(spoken or ""),
    )
    said = [(segment.text.strip(), float(np.exp(segment.avg_logprob))) for segment in segments]
    confidence = sum(score for _, score in said) / len(said) if said else None
    between = "" if heard.language in {"zh", "ja"} else " "
    return {"text": between.join(text for text, _ in said), "language": heard.language, "confidence": confidence}


def _resampled(audio: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Bring telephone audio to the model's rate; between two samples a straight line is near enough for speech."""
    if rate == RATE:
        return audio
    length = int(len(audio) * RATE / rate)
    at = np.arange(length, dtype=np.float64) * (rate / RATE)
    return np.interp(at, np.arange(len(audio)), audio).astype(np.float32)
