"""How a name sounds: two names that a listener, or a typist by pinyin, takes for one another look the same here.

sounds.txt holds the 6,763 characters of GB 2312 by their usual reading without tone, taken from the table of pypinyin
0.55, and corrected where names of places read otherwise (厦 sha, 垡 fa, 屯 tun). Initials and finals that many
speakers do not tell apart (zh z, ing in) count as one.
"""

from pathlib import Path

_TABLE = Path(__file__).with_name("sounds.txt")
# A code of its own for each sound, from an area of Unicode that no text uses.
_FIRST = 0xE000


def _heard(syllable: str) -> str:
    for told, taken in (("zh", "z"), ("ch", "c"), ("sh", "s")):
        if syllable.startswith(told):
            syllable = taken + syllable[2:]
    return syllable[:-1] if syllable.endswith(("ing", "eng")) else syllable


def _codes() -> dict[int, str]:
    codes: dict[str, str] = {}
    table: dict[int, str] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        syllable, _, characters = line.partition(" ")
        code = codes.setdefault(_heard(syllable), chr(_FIRST + len(codes)))
        table.update((ord(character), code) for character in characters)
    return table


_CODES = _codes()


def sounded(text: str) -> str:
    """A text of the same length in which characters of one sound are one character; others stay as they are."""
    return text.translate(_CODES)
