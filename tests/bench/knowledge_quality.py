"""How often the knowledge base answers rightly, and how often it answers what it does not know.

    python -m tests.bench.knowledge_quality [--fit]

Imports the pack's example articles into a private PostgreSQL and asks the questions of `knowledge/questions.csv` by the
path that HTTP takes. Weights and threshold were fitted on `tuning`; `blind` was written together with it, before
anything was fitted, and `fresh` when all was done: these are only measured. Questions without an article are answered
in none, and most are near misses: of the same matter, but of what the articles leave out. `-list` are the articles
without what they list as not answered.
"""

import asyncio
import csv
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from libs.common.city.pack import load_city
from libs.common.local.postgres import PrivatePostgres
from libs.common.messaging.transaction import Speaker
from libs.common.runtime.database import migrate, open_database
from services.classify import handlers, store
from services.classify.domain import Candidate, Content, Scored
from services.classify.handlers.knowledge import CANDIDATES
from services.classify.knowledge import Finder, Shelf, drafts_in
from services.classify.knowledge.finding import SURE
from services.classify.model.meaning import ARCHIVE, Meaning
from services.classify.service import SERVICE
from tests.support.stages import CITY, NOON, ManualClock

QUESTIONS = Path(__file__).parent / "knowledge" / "questions.csv"
ARTICLES = CITY / "knowledge"
FOLDS, DRAWS, RIDGE = 8, 4, 0.03
PARTS = ("tuning", "blind", "fresh")
WRONG = 0.02
"""Of questions that nothing answers, so many may be answered."""
Here = Any


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the article and the section that answer it, empty if none does."""

    part: str
    question: str
    article: str
    section: str

    def answered_by(self, found: Candidate) -> bool:
        """Say whether a passage is of the article that answers."""
        return bool(self.article) and found.article_id == self.article


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, what came near, and how each compares with it."""

    question: Question
    scored: Sequence[Scored]
    candidates: Sequence[Candidate]
    features: NDArray[np.float64]


def contents(shelf: Shelf) -> list[Content]:
    """Return the example articles. Raises ValueError for one with faults."""
    read = []
    for path in sorted(ARTICLES.glob("*.md")):
        content, faults = shelf.content(*drafts_in(path.read_text()))
        if content is None:
            raise ValueError(f"{path.name}: {faults}")
        read.append(content)
    return read


async def ask_all(url: str, *, listed: bool) -> list[Asked]:
    """Import the articles, with what they list as not answered or without, and ask every question."""
    city, clock = load_city(CITY), ManualClock(NOON)
    await migrate(url, SERVICE.migrations)
    database = await open_database(url, Speaker("classify", SERVICE.emits, clock.now, clock.new_id), 2)
    engine = SimpleNamespace(shelf=Shelf(city), finder=Finder(city.catalogue, Meaning(ARCHIVE)))
    here = cast(Here, SimpleNamespace(engine=engine, database=database, clock=clock))
    try:
        articles = [one if listed else replace(one, elsewhere=()) for one in contents(engine.shelf)]
        await handlers.import_articles(here, articles, "bench", dry_run=False)
        with QUESTIONS.open(newline="") as file:
            return [await _ask(here, Question(**row)) for row in csv.DictReader(file)]
    finally:
        await database.close()


async def _ask(here: Here, question: Question) -> Asked:
    finder = here.engine.finder
    wanted = finder.wanted(question.question)
    found = await store.candidates(here.database.pool, wanted.terms, wanted.weights, NOON, CANDIDATES)
    features = finder.features(wanted, wanted.direction, found) if found else np.zeros((0, 5))
    return Asked(question, finder.judge(wanted, found), found, features)


def report(asked: Sequence[Asked], part: str) -> str:
    """Return a line of a table for one part."""
    mine = [one for one in asked if one.question.part == part]
    can = [one for one in mine if one.question.article]
    first = [(one, one.scored[0]) for one in can if one.scored and (one.scored[0].score or 0) >= SURE]
    right = [(one, best) for one, best in first if one.question.answered_by(best.candidate)]
    exact = sum(best.candidate.heading == one.question.section for one, best in right)
    cannot = [one for one in mine if not one.question.article]
    wrong = [one for one in cannot if one.scored and (one.scored[0].score or 0) >= SURE]
    near = sum(any(one.question.answered_by(found) for found in one.candidates) for one in can)
    return (
        f"{len(can):5} {len(right) / len(can):8.3f} {exact / len(can):8.3f} {1 - near / len(can):8.3f} "
        f"{(len(first) - len(right)) / len(can):8.3f} {len(cannot):7} {len(wrong) / len(cannot):8.3f}"
    )


def fit(asked: Sequence[Asked]) -> tuple[NDArray[np.float64], float]:
    """Return weights and bias of a logistic regression, shrunk, such that a half is where WRONG is reached unseen."""
    mine = [one for one in asked if one.question.part == "tuning" and len(one.candidates)]
    weights, bias = _regressed(mine)
    best: list[float] = []
    for draw in range(DRAWS):
        order = np.random.default_rng(draw).permutation(len(mine))
        for fold in np.array_split(order, FOLDS):
            held = set(fold.tolist())
            w, b = _regressed([one for at, one in enumerate(mine) if at not in held])
            best += [float((mine[at].features @ w).max() + b) for at in fold if not mine[at].question.article]
    return weights, bias - float(np.quantile(best, 1 - WRONG))


def _regressed(asked: Sequence[Asked]) -> tuple[NDArray[np.float64], float]:
    rows = np.vstack([one.features for one in asked])
    right = np.array([_right(one.question, found) for one in asked for found in one.candidates], dtype=float)
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    scaled = np.column_stack([(rows - centre) / spread, np.ones(len(rows))])

    def loss(w: NDArray[np.float64]) -> float:
        logits = scaled @ w
        return float(np.logaddexp(0, logits).sum() - right @ logits + RIDGE * len(asked) * (w[:-1] @ w[:-1]) / 2)

    found = minimize(loss, np.zeros(scaled.shape[1]), method="L-BFGS-B").x
    weights = found[:-1] / spread
    return weights, float(found[-1] - weights @ centre)


def _right(question: Question, found: Candidate) -> bool:
    return question.answered_by(found) and found.heading == question.section


def main() -> None:
    """Measure, or fit and print what belongs into finding.py."""
    with tempfile.TemporaryDirectory() as folder:
        postgres = PrivatePostgres(Path(folder) / "postgres", durable=False)
        postgres.start()
        try:
            postgres.ensure_database(["listed", "unlisted"])
            asked = asyncio.run(ask_all(postgres.dsn("listed"), listed=True))
            strict = asyncio.run(ask_all(postgres.dsn("unlisted"), listed=False))
        finally:
            postgres.stop()
    if "--fit" in sys.argv:
        weights, bias = fit(asked)
        print("WEIGHTS =", tuple(round(float(weight), 2) for weight in weights))
        print("BIAS =", round(bias, 2))
        return
    print("part         known    right  passage  unfound    other unknown    wrong")
    for name, some in (("", asked), (" -list", strict)):
        print(*(f"{part + name:12} {report(some, part)}" for part in PARTS), sep="\n")


if __name__ == "__main__":
    main()
