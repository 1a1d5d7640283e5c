"""How well the index of process quality tells what citizens will say: on a simulated city, and on real replies.

`python -m tests.bench.quality [RECORDS.csv.gz]`

1. A simulated city, drawn as the simulator draws it: units work, citizens judge. Dispatch's rules read each reply, and
   the index is fitted on half of the tickets and tried on the other. `ceiling` is the AUC of who knows what the citizen
   was drawn by.
2. A table of appeals with the replies of offices and their times (columns 留言用户, 留言时间, 留言主题, 留言详情,
   答复意见, 答复时间), which this project does not bring along; without it that part is skipped, and says so. Nobody
   scored those replies. What there is of quality: how long a reply took, and whether its reader wrote again on the same
   matter within 90 days. The text part of the index is that of the simulated city: nothing is fitted on the records.
"""

import argparse
import gzip
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from csv import DictReader
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import get_args

import numpy as np
import numpy.typing as npt

from deploy.simulator import conduct
from libs.common.city.pack import load_city
from libs.common.contracts.dispatch import ReplyFault
from libs.common.runtime.privacy import Redactor
from services.dispatch.domain import Appealed, Names, reply_faults, reply_words
from services.feedback.domain.quality import NORMAL, Model
from services.feedback.quality import Answers, fitted
from services.feedback.quality.fitting import metrics

TICKETS, UNITS, SEED = 20_000, 60, 7
TEXT = (*(f"reply_{fault}" for fault in get_args(ReplyFault)), "words", "concrete", "empty", "officialese", "sentence")
NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
AGAIN = timedelta(days=90)
ALIKE = 0.3
"""Of the smaller text's pairs of characters that two messages on the same matter share."""
Array = npt.NDArray[np.float64]
Values = dict[str, float | None]


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns the exit status: 1 if the index tells nothing on the simulated city."""
    parser = argparse.ArgumentParser(prog="tests.bench.quality")
    parser.add_argument("records", nargs="?", type=Path)
    asked = parser.parse_args(arguments)
    whole, text = _simulated()
    if asked.records is None or not asked.records.exists():
        print("SKIPPED: name a table of appeals with the replies of offices.")
    else:
        _real(asked.records, text)
    return 0 if whole.metrics.low > 0.5 else 1


def _simulated() -> tuple[Model, Model]:
    """Draw a city, fit on half of it, try on the other, and return the whole index and its text part."""
    lives = list(_lives())
    half = len(lives) // 2
    print(f"simulated: {len(lives)} answers of {UNITS} units, {np.mean([life.solved for life in lives]):.1%} solved")
    made = {}
    for name, features in (("whole", ("response", "completion", "contacted", *TEXT)), ("text", TEXT)):
        model = fitted(_answers(lives[:half], features), 1, NOW)
        if model is None:
            raise SystemExit("the simulated city gave too few answers")
        chance = np.array([model.index(life.values) / 100 for life in lives[half:]])
        print(f"  {name:<6} unseen half: {_told(chance, lives[half:])}; worth {model.worth:g} answers of a unit")
        made[name] = model
    known = np.array([life.chance for life in lives[half:]])
    print(f"  ceiling            {_told(known, lives[half:])}")
    _units(made["whole"], lives[half:])
    return made["whole"], made["text"]


@dataclass(frozen=True, slots=True)
class Life:
    """One answered order of the simulated city; `chance`: by what its answer was drawn."""

    unit: int
    values: Values
    solved: float
    chance: float


def _lives() -> Iterator[Life]:
    """Yield what answered orders of the simulator come to; units differ in how often they send a phrase."""
    kinds = {reply: _text(reply) for reply in (*conduct.GOOD, *conduct.BOILERPLATE)}
    lazy = [Random(f"{SEED} unit {unit}").betavariate(1.2, 3) for unit in range(UNITS)]
    for number in range(TICKETS):
        random = Random(f"{SEED} {number}")
        unit, work = random.randrange(UNITS), conduct.work(random, "general", 1)
        reply = random.choice(conduct.BOILERPLATE if random.random() < lazy[unit] else conduct.GOOD)
        seen = replace(work.seen("general"), reply=reply)
        verdict = conduct.verdict(random, seen)
        if verdict.resolved is not None:
            values: Values = {"contacted": float(seen.contacted), "completion": float(not seen.late), **kinds[reply]}
            values["response"] = float(work.contact is not None and work.begin + work.contact <= timedelta(hours=24))
            yield Life(unit, values, float(verdict.resolved == "yes"), conduct.chance(seen))


def _text(reply: str, appeal: Appealed | None = None) -> Values:
    """Return the text part of what feedback reads of a reply."""
    faults = reply_faults(reply, appeal or Appealed("", "", "complaint", ()), Names({}))
    said = reply_words(reply)
    values: Values = {f"reply_{fault}": float(fault in faults) for fault in get_args(ReplyFault)}
    if said:
        values |= {name: getattr(said, name) for name in ("concrete", "empty", "officialese", "sentence")}
        values["words"] = float(np.log1p(said.characters))
    return values


def _answers(lives: Sequence[Life], features: tuple[str, ...]) -> Answers:
    values = [[np.nan if (v := life.values.get(name)) is None else v for name in features] for life in lives]
    numbers = np.arange(len(lives))
    units = np.array([life.unit for life in lives], dtype=np.int64)
    return Answers(features, np.array(values), np.array([life.solved for life in lives]), numbers, units)


def _told(chance: Array, lives: Sequence[Life]) -> str:
    found = metrics(chance, np.array([life.solved for life in lives]))
    gaps = ", ".join(f"{e:.2f}/{f:.2f}" for e, f in zip(found.expected, found.found, strict=True))
    return f"AUC {found.auc:.3f} ({found.low:.3f} to {found.high:.3f}); expected/found in fifths {gaps}"


def _units(model: Model, lives: Sequence[Life]) -> None:
    mine: dict[int, list[Life]] = defaultdict(list)
    for life in lives:
        mine[life.unit].append(life)
    index = [float(np.mean([model.index(life.values) for life in of])) for of in mine.values()]
    solved = [float(np.mean([life.solved for life in of])) for of in mine.values()]
    print(f"  units: the index and the share solved correlate by {_correlation(np.array(index), np.array(solved))}")


def _correlation(one: Array, other: Array) -> str:
    """Return a correlation with its interval (Fisher)."""
    found = float(np.corrcoef(one, other)[0, 1])
    reach = NORMAL / np.sqrt(len(one) - 3)
    low, high = (float(np.tanh(np.arctanh(found) + side * reach)) for side in (-1, 1))
    return f"{found:.2f} ({low:.2f} to {high:.2f})"


@dataclass(frozen=True, slots=True)
class Message:
    """A message with its reply: by whom, when, on what, and when it was replied to."""

    user: str
    at: datetime
    words: str
    reply: str
    replied: datetime


def _real(path: Path, text: Model) -> None:
    city, hide = load_city(Path("deploy/cities/beijing")), Redactor()
    messages = list(_messages(path))
    texts = [_text(hide.redact(m.reply), Appealed(m.words, "", "complaint", ())) for m in messages]
    index = np.array([text.index(values) for values in texts])
    days = np.array([(m.replied - m.at).total_seconds() / 86400 for m in messages])
    print(f"real: {len(messages)} replies ({city.code} pack's rules), index median {np.median(index):.0f}, "
          f"a tenth below {np.quantile(index, 0.1):.0f}")  # fmt: skip
    hollow = np.array([bool(values["reply_boilerplate"]) for values in texts])
    print(f"  {hollow.mean():.1%} say nothing; median reply after {np.median(days):.1f} days")
    print(f"  index and days until the reply, by rank: {_correlation(_ranks(index), _ranks(days))}")
    followed = np.array([_wrote_again(m, messages_of) for m, messages_of in _with_others(messages)])
    if 10 <= followed.sum() <= len(followed) - 10:
        found = metrics(1 - index / 100, followed.astype(float))
        print(f"  {followed.sum()} wrote again on the same; a low index tells them by AUC {found.auc:.3f} "
              f"({found.low:.3f} to {found.high:.3f})")  # fmt: skip
    else:
        print(f"  {followed.sum()} wrote again on the same: too few to tell anything")
    for name in ("words", "concrete", "empty", "officialese", "sentence"):
        known = np.array([np.nan if values.get(name) is None else values[name] for values in texts], dtype=float)
        print(f"  {name:<12} median {np.nanmedian(known):.2f}")


def _messages(path: Path) -> Iterator[Message]:
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as lines:
        for row in DictReader(lines):
            at, replied = _moment(row["留言时间"]), _moment(row["答复时间"])
            if at and replied and replied >= at and row["答复意见"].strip():
                words = f"{row['留言主题'].strip()}\n{row['留言详情'].strip()}"
                yield Message(row["留言用户"], at, words, row["答复意见"].strip(), replied)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip().replace("-", "/"), "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _with_others(messages: Sequence[Message]) -> Iterator[tuple[Message, Sequence[Message]]]:
    by_user: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        by_user[message.user].append(message)
    return ((message, by_user[message.user]) for message in messages)


def _wrote_again(message: Message, theirs: Sequence[Message]) -> bool:
    later = (one for one in theirs if message.replied < one.at <= message.replied + AGAIN)
    return any(_alike(message.words, one.words) for one in later)


def _alike(one: str, other: str) -> bool:
    pairs = [{text[i : i + 2] for i in range(len(text) - 1)} for text in (one, other)]
    return len(pairs[0] & pairs[1]) >= ALIKE * max(1, min(map(len, pairs)))


def _ranks(values: Array) -> Array:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Array = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
