"""Which languages an appeal may be written in, as far as its script tells: most often one."""

import re

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
# The hiragana no stands for 的 on Chinese shop signs, so it makes nothing Japanese.
_KANA = re.compile("[\u3041-\u306d\u306f-\u3096\u30a1-\u30fc]")
_HANGUL = re.compile("[\u3131-\u318e\uac00-\ud7a3]")
_LETTER = re.compile("[^\\W\\d_\u3041-\u318e\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff]")
LETTERS_OF_A_CHARACTER = 3
"""A Chinese character says about as much as so many letters: most words have two, an English word five or six."""
_LATIN = ("en", "fr", "de", "es", "it", "pt", "nl", "pl", "tr", "vi", "id")
_SCRIPTS = (
    (re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"), _LATIN),
    (re.compile("[\u0400-\u04ff]"), ("ru", "uk", "kk", "mn")),
    (re.compile("[\u0600-\u06ff\u0750-\u077f]"), ("ar", "fa", "ur", "ug")),
    (re.compile("[\u0e00-\u0e7f]"), ("th",)),
    (re.compile("[\u0f00-\u0fff]"), ("bo",)),
    (re.compile("[\u1800-\u18af]"), ("mn",)),
    (re.compile("[\u0900-\u097f]"), ("hi",)),
    (re.compile("[\u0590-\u05ff]"), ("he",)),
    (re.compile("[\u0370-\u03ff]"), ("el",)),
    (re.compile("[\u0e80-\u0eff]"), ("lo",)),
    (re.compile("[\u1000-\u109f]"), ("my",)),
    (re.compile("[\u1780-\u17ff]"), ("km",)),
)  # fmt: skip


def candidates(text: str) -> tuple[str, ...]:
    """Return the languages a text may be in by its script, none where it has no letter that is known.

    Chinese is one language however it sounds: what is said in Shanghainese or Cantonese is written to be read by all.
    It stays Chinese with foreign words in it, and another language stays itself with Chinese names in it.
    """
    han = sum(map(len, _HAN.findall(text)))
    if len(_KANA.findall(text)) * 3 > han:
        return ("ja",)
    if len(_HANGUL.findall(text)) > han:
        return ("ko",)
    letters = len(_LETTER.findall(text))
    if han and letters <= han * LETTERS_OF_A_CHARACTER:
        return ("zh",)
    counted = [(len(script.findall(text)), languages) for script, languages in _SCRIPTS] if letters else []
    count, likeliest = max(counted, default=(0, ()))
    return likeliest if count else ()
