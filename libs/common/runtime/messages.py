"""What people read, from a service's messages.toml: each text in Chinese (zh) and English (en), {names} filled in."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import getfile
from pathlib import Path
from string import Formatter
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Texts:
    """A message catalogue; a service has a class of its own. A language it does not have reads Chinese."""

    texts: Mapping[str, Any]

    @classmethod
    def load(cls) -> Self:
        """Read messages.toml beside the file of the class."""
        return cls(tomllib.loads(Path(getfile(cls)).with_name("messages.toml").read_text(encoding="utf-8")))

    def say(self, language: str, /, *path: str, **params: object) -> str:
        """Return the text under `path`, as in `say("en", "event", "ticket.closed")`. KeyError if there is none."""
        text: Any = self.texts
        for name in path:
            text = text[name]
        return _fill(text["en" if language.startswith("en") else "zh"], params)


def _fill(template: str, params: Mapping[str, object]) -> str:
    """Fill a template by plain substitution: a parameter's own braces stay text."""
    parts = Formatter().parse(template)
    return "".join(literal + (str(params.get(name, "")) if name else "") for literal, name, _, _ in parts)
