"""The training process: one task on standard input, what came of it on standard output, and all its memory back.

A task is a line of JSON, `{"files": …, "units": …, "lessons": [[code, text], …], "model": name or null, "lost": what to
say if that model cannot be made}`, and then the arrays of that model, if one is evaluated. The answer is a line of
JSON, and then the arrays that were trained.
"""

import json
import os
import sys
from dataclasses import asdict
from typing import Any

from libs.common.city.catalogue import Catalogue, read_catalogue
from libs.common.city.problems import Problems
from services.classify.model import Model, fingerprint
from services.classify.model.meaning import ARCHIVE, Meaning
from services.classify.versions.training import Lesson, evaluated, remade, trained

UNREADABLE = "this release cannot read the model; train it again"


def main() -> None:
    """Do the task."""
    # Whoever judges appeals comes first.
    os.nice(10)
    # What libraries print must not come between the answer.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    task = json.loads(sys.stdin.buffer.readline())
    told, arrays = _done(task, sys.stdin.buffer.read())
    answer.write(json.dumps(told, ensure_ascii=False).encode() + b"\n" + arrays)
    answer.close()


def _done(task: dict[str, Any], arrays: bytes) -> tuple[dict[str, Any], bytes]:
    files = {name: text.encode() for name, text in task["files"].items()}
    catalogue = read_catalogue(files, task["units"], Problems())
    lessons = [Lesson(code, text) for code, text in task["lessons"]]
    meaning = Meaning.load(ARCHIVE)
    name = task["model"]
    if name is None:
        if meaning:
            meaning.remember()
        told = asdict(trained(catalogue, lessons, meaning))
        return told, told.pop("arrays")
    model = _made(name, catalogue, arrays, meaning)
    if model is None:
        return {"later": None, "error": UNREADABLE if arrays else task["lost"]}, b""
    later = evaluated(model, catalogue, lessons)
    return {"later": asdict(later) if later else None}, b""


def _made(name: str, catalogue: Catalogue, arrays: bytes, meaning: Meaning | None) -> Model | None:
    """Return the model of this name, None if this release cannot make it: another must not be measured for it."""
    if arrays:
        return remade(catalogue, name, arrays, meaning)
    # A pack's own has no arrays: every process of a release makes it from the catalogue.
    own = name == fingerprint(catalogue.version, meaning)
    return Model.train(catalogue, meaning, name=name) if own else None


if __name__ == "__main__":
    main()
