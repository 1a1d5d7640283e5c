"""How fast classify answers a seat that types, while batches are read in the same process.

    python -m tests.bench.suggestions [seconds]

One client asks for suggestions 20 times a second, each time with a few more characters of an appeal: first alone, then
while batches of 500 appeals are read as `prepare` reads them, one after the other without a pause, which is more than
a full hotline does. Prints the percentiles of both from the call to the reading, without HTTP, and how many appeals
were read a second beside it.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import uvloop

from libs.common.city.pack import load_city
from libs.common.runtime.clock import Clock
from libs.common.runtime.settings import Settings
from services.classify.cues import load_cues
from services.classify.domain import Appeal
from services.classify.ear import Ear, lessons
from services.classify.hotspots import Detector, load_lexicon
from services.classify.model import Model
from services.classify.reader import Reader

PACE = 20
BATCH = 500
PACK = Path("deploy/cities/beijing")
SECONDS = 20


def typed(phrases: list[str]) -> Iterator[str]:
    """Yield what a seat has typed so far, again and again, three characters more each time."""
    for number in count():
        text = "，".join(phrases[number % len(phrases) :: 997])[:60]
        yield from (text[:end] for end in range(6, len(text), 3))


def shown(name: str, took: list[float]) -> str:
    """Return the percentiles of some answers in milliseconds."""
    ordered = sorted(took)
    at = {share: ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 for share in (0.5, 0.95, 0.99)}
    return f"{name:10} {len(took)} answers  " + "  ".join(f"p{share * 100:.0f} {ms:.1f} ms" for share, ms in at.items())


def reader_of(pack: Path) -> Reader:
    """Return what reads appeals in this city, as the service builds it."""
    city, cues, models = load_city(pack), load_cues(pack / "cues.toml"), Settings().models_folder
    model = Model.load_or_train(city.catalogue, models)
    ear = Ear.load_or_train(cues.alarm, lessons(city, pack / "danger.csv"), models)
    return Reader(city, model, cues, Detector(city, load_lexicon(pack / "hotspots.toml")), ear)


async def typing(reader: Reader, phrases: list[str], seconds: float) -> list[float]:
    """Ask as a seat types, in open loop; return how long each answer took from when it was due."""
    clock, took, tasks = Clock(), [], []

    async def ask(text: str, due: float) -> None:
        await asyncio.to_thread(reader.read_now, Appeal(text, at=clock.now()))
        took.append(time.perf_counter() - due)

    began = time.perf_counter()
    for number, text in enumerate(typed(phrases)):
        due = began + number / PACE
        if due > began + seconds:
            break
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(ask(text, due)))
    await asyncio.gather(*tasks)
    return took


async def reading(reader: Reader, phrases: list[str]) -> None:
    """Read batch after batch until cancelled."""
    now = Clock().now()
    for number in count():
        picked = phrases[number * BATCH % len(phrases) :][:BATCH]
        batch = [Appeal("，".join((phrase, *phrases[i % 97 :: 997]))[:80], at=now) for i, phrase in enumerate(picked)]
        began = time.perf_counter()
        await asyncio.to_thread(reader.read, batch)
        READ.append((len(batch), time.perf_counter() - began))


READ: list[tuple[int, float]] = []


async def measure(seconds: float) -> None:
    """Print the percentiles alone and beside batches."""
    reader = reader_of(PACK)
    phrases = [phrase for question in load_city(PACK).catalogue for phrase in question.phrases]
    await typing(reader, phrases, 1.0)
    print(shown("alone", await typing(reader, phrases, seconds)))
    batches = asyncio.create_task(reading(reader, phrases))
    print(shown("beside", await typing(reader, phrases, seconds)))
    batches.cancel()
    await asyncio.gather(batches, return_exceptions=True)
    appeals, spent = (sum(part) for part in zip((0, 1e-9), *READ, strict=True))
    print(f"batches    {appeals / spent:,.0f} appeals/s in batches of {BATCH}")


if __name__ == "__main__":
    uvloop.run(measure(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
