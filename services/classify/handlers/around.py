"""What classify's handlers find around them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from libs.common.city.catalogue import Catalogue
from libs.common.city.pack import City
from libs.common.runtime.media.taking import Uploads
from libs.common.runtime.service import Context
from services.classify.assistant import Assistant
from services.classify.domain import Rules
from services.classify.hotspots import Detector
from services.classify.knowledge import Finder, Shelf
from services.classify.model import Model
from services.classify.reader import Reader


@dataclass(frozen=True, slots=True)
class Bench:
    """What an engine for another catalogue or another model is made with.

    `city` and `files` are the pack's, the files as they are kept; models of catalogues alone are cached in `models`.
    """

    city: City
    files: bytes
    models: Path
    fit: Callable[[Catalogue, Model], "Engine"]


@dataclass(frozen=True, slots=True)
class Engine:
    """What classify keeps in memory. It is replaced as a whole, so who takes it once judges by one catalogue and model.

    `asked` names the catalogue, the model and the challenger that it was made for, None at the start; what judges may
    be another model, if this release cannot read that one.
    """

    rules: Rules
    model: Model
    reader: Reader
    detector: Detector
    shelf: Shelf
    finder: Finder
    uploads: Uploads
    bench: Bench
    assistant: Assistant | None = None
    """None while no language model is set."""
    challenger: Model | None = None
    """Judges beside the model; what it says is only counted."""
    asked: tuple[str, str, str | None] | None = None


Here = Context[Engine]
