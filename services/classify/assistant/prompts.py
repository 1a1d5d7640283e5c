"""Prompts as files, `<name>.v<number>.md`: the one with the highest number is in use, the others are its history."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "prompts"
_FILE = re.compile(r"(?P<name>[a-z]+)\.v(?P<number>[1-9]\d*)\.md")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model is told to do. `version` names its file and the text, so an edited one is another."""

    version: str
    text: str


def load_prompt(name: str, folder: Path = FOLDER) -> Prompt:
    """Return the newest prompt of a name. Raises FileNotFoundError if there is none."""
    found = [match for path in folder.glob("*.md") if (match := _FILE.fullmatch(path.name)) and match["name"] == name]
    if not found:
        raise FileNotFoundError(f"{folder} holds no {name}.v1.md")
    newest = max(found, key=lambda match: int(match["number"]))[0]
    text = (folder / newest).read_text(encoding="utf-8").strip()
    return Prompt(f"{newest.removesuffix('.md')} {hashlib.sha256(text.encode()).hexdigest()[:8]}", text)
