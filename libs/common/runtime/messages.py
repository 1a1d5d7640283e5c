"""What people read, from a service's messages.toml: each text in Chinese (zh) and English (en), {names} filled in.

A further language is a file more, `messages.ja.toml` beside it, with the same paths and one text at each; what it
leaves out is read in Chinese or English.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import getfile
from pathlib import Path
from string import Formatter
from typing import Any, Self

READ_CHINESE = frozenset({"zh", "yue", "wuu", "nan", "hak", "gan", "hsn", "cdo", "lzh", "bo", "ug", "za", "ii"})
"""Languages, by ISO 639 code, whose speakers read Chinese rather than English: those of China."""
_WISH = re.compile(r"\s*(\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*[qQ]\s*=\s*([01](?:\.\d{0,3})?)\s*)?")
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Texts:
    """A message catalogue; a service has a class of its own.

    Who speaks a language it does not have reads Chinese, if of China, and else English.
    """

    texts: Mapping[str, Any]
    further: tuple[str, ...] = ()
    """The languages there is a file for, besides Chinese and English."""

    @classmethod
    def load(cls) -> Self:
        """Read messages.toml beside the file of the class, and what languages there are more.

        Raises ValueError if a file has a text where messages.toml has none.
        """
        main = Path(getfile(cls)).with_name("messages.toml")
        texts, further = tomllib.loads(main.read_text(encoding="utf-8")), []
        for path in sorted(main.parent.glob("messages.*.toml")):
            language = path.name.split(".")[1]
            _add(texts, tomllib.loads(path.read_text(encoding="utf-8")), language, path.name)
            further.append(language)
        return cls(texts, tuple(further))

    @property
    def known(self) -> tuple[str, ...]:
        """The languages there are."""
        return ("zh", "en", *self.further)

    def say(self, language: str, /, *path: str, **params: object) -> str:
        """Return the text under `path`, as in `say("en", "event", "ticket.closed")`. KeyError if there is none.

        A parameter that has several languages, as {"zh": …, "en": …}, is said in the reader's.
        """
        text: Any = self.texts
        for name in path:
            text = text[name]
        return _fill(self.read(text, language), {name: self.read(value, language) for name, value in params.items()})

    def read(self, text: Any, language: str) -> Any:
        """Return what has several languages in the one that is read; what has not is returned as it is."""
        if not isinstance(text, Mapping):
            return text
        primary = language.partition("-")[0].lower()
        if primary in text:
            return text[primary]
        return text["zh" if primary in READ_CHINESE else "en"]

    def both(self, language: str, /, *path: str, **params: object) -> str:
        """Return a text in the reader's language and in Chinese and English, a line each, for what none may miss."""
        said = (self.say(other, *path, **params) for other in (language, "zh", "en"))
        return "\n".join(dict.fromkeys(said))

    def preferred(self, accept: str) -> str:
        """Return the language to answer in to an Accept-Language header (RFC 9110, 12.5.4): the best liked there is.

        Without one, and where anything will do, it is Chinese; who wants only what there is not reads English.
        """
        wishes = _wishes(accept)
        for wish in wishes:
            if wish in self.known:
                return wish
            if wish == "*" or wish in READ_CHINESE:
                return "zh"
        return "en" if wishes else "zh"


def _wishes(accept: str) -> list[str]:
    """Return the languages a header names, best liked first, without regions. What is malformed is passed over."""
    found = [wish for part in accept[:_LONGEST].split(",") if (wish := _WISH.fullmatch(part))]
    weighed = [(float(wish[2] or 1), wish[1].partition("-")[0].lower()) for wish in found]
    return [language for weight, language in sorted(weighed, key=lambda pair: -pair[0]) if weight > 0]


def _add(texts: dict[str, Any], more: Mapping[str, Any], language: str, file: str) -> None:
    """Add a further language's texts to the catalogue's."""
    for name, text in more.items():
        there = texts.get(name)
        if not isinstance(there, dict) or isinstance(text, str) is not ("zh" in there):
            raise ValueError(f"{file}: {name!r} is not where messages.toml has it")
        if isinstance(text, str):
            there[language] = text
        else:
            _add(there, text, language, file)


def _fill(template: str, params: Mapping[str, object]) -> str:
    """Fill a template by plain substitution: a parameter's own braces stay text."""
    parts = Formatter().parse(template)
    return "".join(literal + (str(params.get(name, "")) if name else "") for literal, name, _, _ in parts)
