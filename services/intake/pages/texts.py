"""What the citizen's pages say, and in which languages."""

import re
from dataclasses import dataclass

from markupsafe import Markup, escape

from libs.common.runtime.messages import Texts


@dataclass(frozen=True, slots=True)
class PageTexts(Texts):
    """The catalogue of the pages."""

    @property
    def languages(self) -> dict[str, str]:
        """Return the languages there are, each by its own name."""
        names: dict[str, str] = self.texts["language"]["name"]
        return names


TEXTS = PageTexts.load()
_HTML_LANG = {"zh": "zh-CN"}
_HOLE = re.compile("\ue000(\\d+)\ue001")


def html_lang(language: str) -> str:
    """Return the value of a lang attribute."""
    return _HTML_LANG.get(language, language)


def foreign(text: object, language: str) -> Markup:
    """Return text as the city's units wrote it, in Chinese, marked as such on a page of another language."""
    plain = escape(text)
    return plain if language == "zh" else Markup('<span lang="zh-CN">{}</span>').format(plain)


def around(texts: Texts, language: str, path: tuple[str, ...], params: dict[str, object]) -> Markup:
    """Return a text as `say` does, each parameter marked as Chinese where the text around it is not.

    The parameters come in last: what they hold is never taken for part of the text.
    """
    holes = {name: f"\ue000{number}\ue001" for number, name in enumerate(params)}
    values = [_told(texts, language, value) for value in params.values()]
    parts = _HOLE.split(texts.say(language, *path, **holes))
    # Every second part is the number of a hole; a plain one is escaped as it joins.
    return Markup("").join(values[int(part)] if number % 2 else part for number, part in enumerate(parts))


def _told(texts: Texts, language: str, value: object) -> Markup:
    """Return a parameter as Chinese, unless it comes in the reader's language too, or marked already."""
    if isinstance(value, Markup):
        return value
    return foreign(value, language) if isinstance(value, str) else escape(texts.read(value, language))
