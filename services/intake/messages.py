"""What citizens read, in Chinese and English, from messages.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from libs.common.contracts.vocabulary import Status
from services.intake.domain import Emergency, Entry


@dataclass(frozen=True, slots=True)
class Messages:
    """The catalogue. A language it does not have reads Chinese."""

    texts: Mapping[str, Any]

    @classmethod
    def load(cls) -> "Messages":
        """Read the catalogue beside this file."""
        return cls(tomllib.loads(Path(__file__).with_name("messages.toml").read_text(encoding="utf-8")))

    def line(self, entry: Entry, language: str) -> str:
        """Return a timeline entry as a sentence."""
        return _fill(_pick(self.texts["event"][entry.type], language), entry.params)

    def status(self, status: Status, language: str) -> str:
        """Return a status as words."""
        return _pick(self.texts["status"][status], language)

    def emergency(self, emergency: Emergency, language: str) -> str:
        """Return what to tell someone in an emergency."""
        name = emergency.name_en if language.startswith("en") else emergency.name_zh
        return _fill(_pick(self.texts["emergency"], language), {"number": emergency.number, "name": name})


def _pick(text: Mapping[str, str], language: str) -> str:
    return text["en" if language.startswith("en") else "zh"]


def _fill(template: str, params: Mapping[str, Any]) -> str:
    """Fill a template by plain substitution: a parameter's own braces stay text."""
    parts = Formatter().parse(template)
    return "".join(literal + (str(params.get(name, "")) if name else "") for literal, name, _, _ in parts)
