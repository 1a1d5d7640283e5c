"""Sound and film are packed anew: their streams are copied as they are, and nothing else that was in the file."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import av
from av.container import InputContainer

from libs.common.runtime.media.verdict import NotTakenError, UnfitError

_CODECS = {
    "audio": {"aac", "mp3", "opus", "vorbis", "speex", "flac", "alac", "amr_nb", "amr_wb", "gsm_ms"},
    "video": {"h264", "hevc", "vp8", "vp9", "av1", "h263", "mpeg4", "mjpeg"},
}
_WRITERS = {"aac": "adts"}
_OPTIONS = {"fflags": "+bitexact"}
"""The same file gives the same bytes, without the name and the version of what wrote it."""
_MORE_OPTIONS = {"mp3": {"id3v2_version": "0"}}
_AUDIO_ONLY = {"mp4": "m4a", "mov": "m4a", "3gp": "m4a", "webm": "weba"}


def clean(reader: str, source: BinaryIO, target: BinaryIO) -> str:
    """Pack a recording anew and return the name of its format.

    What goes: names, places and times in the file's metadata, cover pictures, subtitles, tracks of other data (where
    a camera was, say), and whatever stood behind the end. What stays: the sound and the film themselves.
    """
    source.seek(0)
    with _read(source, reader) as given:
        _prove(given)
    source.seek(0)
    with _read(source, reader) as given, _write(target, reader) as packed:
        chosen = dict(_chosen(given))
        # Asked now: a stream must not be touched once its file is closed.
        has_film = any(stream.type == "video" for stream in chosen.values())
        streams = {index: packed.add_stream_from_template(stream) for index, stream in chosen.items()}
        for stream in streams.values():
            stream.metadata.clear()
        count = 0
        for packet in given.demux(list(chosen.values())):
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                packed.mux_one(packet)
                count += 1
    if not count:
        raise UnfitError("holds no sound and no film")
    return reader if has_film else _AUDIO_ONLY.get(reader, reader)


def _read(source: BinaryIO, reader: str) -> InputContainer:
    # By name: a library that guesses would also take lists of addresses to play, and fetch them.
    return av.open(source, mode="r", format=reader, metadata_errors="replace")


def _write(target: BinaryIO, reader: str) -> Any:
    options = _OPTIONS | _MORE_OPTIONS.get(reader, {})
    return av.open(target, mode="w", format=_WRITERS.get(reader, reader), options=options)


def _chosen(given: InputContainer) -> Iterator[tuple[int, Any]]:
    """Yield the streams to keep, by their index. A cover picture passes for film, so it is asked for."""
    for stream in given.streams:
        if stream.type in _CODECS and not stream.disposition & av.stream.Disposition.attached_pic:
            name = stream.codec_context.codec.canonical_name if stream.codec_context else ""
            if name not in _CODECS[stream.type] and not name.startswith(("pcm_", "adpcm_")):
                raise NotTakenError("its sound or film is in a coding that is not taken")
            yield stream.index, stream


def _prove(given: InputContainer) -> None:
    """Decode the beginning of each stream: what only looks like a recording cannot be."""
    for _, stream in _chosen(given):
        given.seek(0)
        if next(given.decode(stream), None) is None:
            raise UnfitError("its sound or film cannot be decoded")
