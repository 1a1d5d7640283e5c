"""Labelled texts in files: `train` learns any list of labels from them, `evaluate` says how well they are found."""

import csv
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from services.classify.model.labelling import Labeller, Metrics, measure
from services.cli.records import open_source
from services.cli.screen import say, table

Files = Annotated[list[Path], typer.Argument(help="CSV files, plain or gzip; those without a text column are refused.")]
TextColumns = Annotated[
    list[str], typer.Option("--text", help="A column of words, repeatable; what a file lacks of them is left out.")
]
LabelColumn = Annotated[str, typer.Option("--label", help="The column of the label.")]
ModelFile = Annotated[Path, typer.Option("--model", help="The file of the trained model.")]
MOST_ERRORS = 10_000


class LessonsError(ValueError):
    """Files that cannot teach or be judged; the text says why."""


def train(files: Files, text: TextColumns, label: LabelColumn, model: ModelFile = Path("model.npz")) -> None:
    """Learn labels from files of labelled texts, and say how well it does on texts held out in turn."""
    texts, labels = read_lessons(files, text, label)
    say(f"Learning {len(set(labels))} labels from {len(texts)} texts …")
    started = time.perf_counter()
    try:
        labeller = Labeller.train(texts, labels)
    except ValueError as error:
        raise LessonsError(f"{', '.join(map(str, files))}: {error}") from error
    labeller.save(model)
    show("Held out in five folds", labeller.metrics)
    say(f"Trained in {time.perf_counter() - started:.0f} s and written to {model}.", "bold green")


def evaluate(
    files: Files,
    text: TextColumns,
    label: LabelColumn,
    model: ModelFile = Path("model.npz"),
    errors: Annotated[Path | None, typer.Option(help="Where to write what was labelled otherwise, and why.")] = None,
) -> None:
    """Say how well a trained model finds the labels of files that it did not learn from."""
    labeller = load(model)
    texts, labels = read_lessons(files, text, label)
    found = labeller.judge(texts)
    known = sorted({*labeller.labels, *labels})
    numbers = {name: i for i, name in enumerate(known)}
    wanted, said = (np.array([numbers[name] for name in some]) for some in (labels, [one.label for one in found]))
    show(f"{len(texts)} texts", measure(wanted, said, known))
    if errors:
        wrong = [(one, want, words) for one, want, words in zip(found, labels, texts, strict=True) if one.label != want]
        with errors.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("label", "found", "confidence", "why", "text"))
            for one, want, words in wrong[:MOST_ERRORS]:
                writer.writerow(map(_plain, (want, one.label, one.confidence, "、".join(one.why), words)))
        say(f"{len(wrong)} were labelled otherwise; see {errors}.")


def load(path: Path) -> Labeller:
    """Read a trained model. Raises LessonsError if the file is none."""
    try:
        return Labeller.load(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise LessonsError(f"{path} is no model that `train` wrote: {error}") from error


def read_lessons(files: Sequence[Path], text: Sequence[str], label: str) -> tuple[list[str], list[str]]:
    """Return the texts of files and their labels; several columns make one text, a line each, the title first."""
    texts: list[str] = []
    labels: list[str] = []
    for path in files:
        source = open_source(path)
        here = [column for column in text if column in source.columns]
        if not here or label not in source.columns:
            raise LessonsError(
                f"{path} has the columns {', '.join(source.columns)}; --label and at least one --text should be of them"
            )
        for _, row in source:
            words = "\n".join(row.get(column, "").strip() for column in here).strip()
            if words and (named := row.get(label, "").strip()):
                texts.append(words)
                labels.append(named)
    if not texts:
        raise LessonsError(f"{', '.join(map(str, files))}: no row has both words and a label")
    return texts, labels


def show(title: str, metrics: Metrics) -> None:
    """Print how well labels were found."""
    rows = [(name, *(round(share, 3) for share in row[:3]), row[3]) for name, row in metrics.labels.items()]
    table(title, ("label", "precision", "recall", "F1", "texts"), rows)
    say(f"macro-F1 {metrics.macro_f1:.3f}, accuracy {metrics.accuracy:.3f}")


def _plain(cell: object) -> object:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" else cell
