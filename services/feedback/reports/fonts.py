"""A font of this machine that has Chinese letters, for pictures. Pages and documents use the reader's own."""

import os
from collections.abc import Iterator
from pathlib import Path

from PIL import ImageFont
from PIL.ImageFont import FreeTypeFont

FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "/System/Library/Fonts",
    "/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
FILES = (
    "notosanscjk-regular", "notosanscjksc-regular", "notosanssc-regular", "sourcehansans-regular",
    "sourcehansanssc-regular", "sourcehansanscn-regular", "msyh", "simhei", "pingfang", "stheiti", "hiragino sans gb",
    "wqy-microhei", "wqy-zenhei", "droidsansfallback", "notoserifcjk-regular", "simsun", "uming", "ukai",
)  # fmt: skip
"""File names without endings, the better one first."""
_SIMPLIFIED = "SC"
_FACES = 12


def chinese_font(folders: tuple[str, ...] = FOLDERS) -> tuple[Path, int] | None:
    """Return the file of a font and which of its faces has Chinese letters as the mainland writes them; None if none.

    A file that cannot be read is passed over.
    """
    found = {path.stem.lower(): path for path in _files(folders)}
    for name in FILES:
        if name in found and (face := _face(found[name])) is not None:
            return found[name], face
    return None


def _files(folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        for at, _, names in os.walk(Path(folder).expanduser()):
            yield from (Path(at, name) for name in names if name.lower().endswith((".ttf", ".ttc", ".otf")))


def _face(path: Path) -> int | None:
    """Return the face for simplified Chinese, else the first."""
    first = None
    for number in range(_FACES if path.suffix.lower() == ".ttc" else 1):
        try:
            family = FreeTypeFont(str(path), 12, number).getname()[0] or ""
        except OSError:
            break
        if first is None:
            first = number
        if family.endswith(_SIMPLIFIED):
            return number
    return first


class Letters:
    """Fonts by size: Chinese where there is one, else the Latin one that comes with Pillow."""

    def __init__(self, folders: tuple[str, ...] = FOLDERS) -> None:
        self._found = chinese_font(folders)
        self._sizes: dict[int, FreeTypeFont] = {}

    @property
    def latin(self) -> bool:
        """Whether there are Latin letters only."""
        return self._found is None

    def of(self, size: int) -> FreeTypeFont:
        """Return the font in a size, in pixels."""
        if size not in self._sizes:
            font = FreeTypeFont(str(self._found[0]), size, self._found[1]) if self._found else _latin(size)
            self._sizes[size] = font
        return self._sizes[size]


def _latin(size: int) -> FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, FreeTypeFont)  # noqa: S101 Pillow's wheels have FreeType built in
    return font
