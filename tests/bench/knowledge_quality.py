"""How often the knowledge base answers rightly, and how often it answers what it does not know.

    python -m tests.bench.knowledge_quality [--fit]

Imports the pack's example articles into a private PostgreSQL and asks the questions of `knowledge/questions.csv` by the
path that HTTP takes. Weights and limit were fitted on these; each is judged by what was fitted without its tenth.
`knowledge/independent.csv` is by somebody who knew the titles of the articles alone, and nothing was fitted on it; what
it asks and no article said was written into them afterwards. `-list` are the articles without what they list as not
answered. Questions without an article are answered in none, and most are near misses: of the same matter, but of what
the articles leave out.
"""

import asyncio
import csv
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
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
from services.classify.knowledge import Finder, Matters, Shelf, drafts_in
from services.classify.knowledge.finding import SURE, WEIGHTS, by_article
from services.classify.model.meaning import ARCHIVE, Meaning
from services.classify.service import SERVICE
from tests.support.stages import CITY, NOON, ManualClock

FOLDER = Path(__file__).parent / "knowledge"
QUESTIONS, INDEPENDENT = FOLDER / "questions.csv", FOLDER / "independent.csv"
ARTICLES = CITY / "knowledge"
FOLDS, DRAWS, RIDGE = 10, 4, 0.003
NEVER = -20.0
"""How sure it is of a question that finds nothing."""
PARTS = ("tuning", "blind", "fresh", "development")
WRONG = 0.015
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

    @property
    def articles(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A row for each article, the best that its passages have, and whether it is the right one."""
        places = by_article(self.candidates)
        rows = [self.features[at].max(axis=0) for at in places.values()]
        return np.array(rows).reshape(-1, len(WEIGHTS)), np.array(
            [id_ == self.question.article for id_ in places], float
        )


Told = tuple[Asked, float, bool]
"""A question, how sure the first article is beyond what is told, and whether it is the right one."""


def contents(shelf: Shelf) -> list[Content]:
    """Return the example articles. Raises ValueError for one with faults."""
    read = []
    for path in sorted(ARTICLES.glob("*.md")):
        content, faults = shelf.content(*drafts_in(path.read_text()))
        if content is None:
            raise ValueError(f"{path.name}: {faults}")
        read.append(content)
    return read


def questions(*paths: Path) -> list[Question]:
    """Return the questions of files."""
    return [Question(**row) for path in paths for row in csv.DictReader(path.read_text().splitlines())]


async def ask_all(url: str, *, listed: bool) -> list[Asked]:
    """Import the articles, with what they list as not answered or without, and ask every question."""
    city, clock = load_city(CITY), ManualClock(NOON)
    await migrate(url, SERVICE.migrations)
    database = await open_database(url, Speaker("classify", SERVICE.emits, clock.now, clock.new_id), 2)
    meaning = Meaning(ARCHIVE)
    matters = Matters(city.catalogue, meaning.of_many([phrase for q in city.catalogue for phrase in q.phrases]))
    engine = SimpleNamespace(shelf=Shelf(city), finder=Finder(city.catalogue, meaning, matters))
    here = cast(Here, SimpleNamespace(engine=engine, database=database, clock=clock))
    try:
        articles = [one if listed else replace(one, elsewhere=()) for one in contents(engine.shelf)]
        await handlers.import_articles(here, articles, "bench", dry_run=False)
        return [await _ask(here, question) for question in questions(QUESTIONS, INDEPENDENT)]
    finally:
        await database.close()


async def _ask(here: Here, question: Question) -> Asked:
    finder = here.engine.finder
    wanted = finder.wanted(question.question)
    found = await store.candidates(here.database.pool, wanted.terms, wanted.weights, NOON, CANDIDATES)
    features = finder.features(wanted, wanted.direction, found) if found else np.zeros((0, len(WEIGHTS)))
    return Asked(question, finder.judge(wanted, found), found, features)


def answered(asked: Sequence[Asked]) -> list[Told]:
    """Return what was told of each question."""
    firsts = [(one, one.scored[0]) for one in asked if one.scored]
    return [(one, (first.score or 0) - SURE, one.question.answered_by(first.candidate)) for one, first in firsts]


def report(told: Sequence[Told], part: str) -> str:
    """Return a line of a table for one part."""
    mine = [one for one in told if one[0].question.part == part]
    can = [(sure >= 0, right) for one, sure, right in mine if one.question.article]
    wrong = [sure >= 0 for one, sure, _ in mine if not one.question.article]
    right = [is_sure and is_right for is_sure, is_right in can]
    other = sum(is_sure and not is_right for is_sure, is_right in can)
    return f"{len(can):5} {_share(right)} {other / len(can):8.3f} {len(wrong):7} {_share(wrong)}"


def _share(some: Sequence[bool]) -> str:
    """Return how many there are, between Wilson's bounds of 95 %."""
    n, share, z = len(some), sum(some) / len(some), 1.96
    centre = (share + z * z / 2 / n) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / 4 / n / n) / (1 + z * z / n)
    return f"{share:7.3f} ({centre - half:.3f} to {centre + half:.3f})"


def fit(asked: Sequence[Asked]) -> tuple[NDArray[np.float64], float]:
    """Return weights and bias of a logistic regression, shrunk, such that a half is where WRONG is reached unseen."""
    weights, bias = _regressed(asked)
    return weights, bias - _limit(held_out(asked))


def held_out(asked: Sequence[Asked]) -> list[Told]:
    """Return what would be told of each question by what was learned from others, several times."""
    told = []
    for draw in range(DRAWS):
        order = np.random.default_rng(draw).permutation(len(asked))
        for fold in np.array_split(order, FOLDS):
            weights, bias = _regressed([asked[at] for at in np.setdiff1d(order, fold)])
            for one in (asked[at] for at in fold):
                rows, right = one.articles
                sure = rows @ weights + bias
                told.append((one, float(sure.max(initial=NEVER)), bool(right[sure.argmax()]) if len(sure) else False))
    return told


def _limit(told: Sequence[Told]) -> float:
    """Return from where on only WRONG of the questions are answered which nothing answers."""
    return float(np.quantile([sure for one, sure, _ in told if not one.question.article], 1 - WRONG))


def _regressed(asked: Sequence[Asked]) -> tuple[NDArray[np.float64], float]:
    pairs = [one.articles for one in asked]
    rows, right = np.vstack([rows for rows, _ in pairs]), np.concatenate([right for _, right in pairs])
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    scaled = np.column_stack([(rows - centre) / spread, np.ones(len(rows))])

    def loss(w: NDArray[np.float64]) -> float:
        logits = scaled @ w
        return float(np.logaddexp(0, logits).sum() - right @ logits + RIDGE * len(asked) * (w[:-1] @ w[:-1]) / 2)

    found = minimize(loss, np.zeros(scaled.shape[1]), method="L-BFGS-B").x
    weights = found[:-1] / spread
    return weights, float(found[-1] - weights @ centre)


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
    fitted = [one for one in asked if one.question.part in PARTS]
    if "--fit" in sys.argv:
        weights, bias = fit(fitted)
        print("WEIGHTS =", tuple(round(float(weight), 2) for weight in weights))
        print("BIAS =", round(bias, 2))
        return
    unseen = held_out(fitted)
    limit = _limit(unseen)
    once = [(one, sure - limit, right) for one, sure, right in unseen[: len(fitted)]]
    print("part               known   right                     other unknown   wrong")
    for part in PARTS:
        print(f"{part:18} {report(once, part)}")
    for name, some in (("", asked), (" -list", strict)):
        print(f"{'independent' + name:18} {report(answered(some), 'independent')}")


if __name__ == "__main__":
    main()
