"""What classify takes on one core: the whole path from an event's text to the event of its verdict, and its floor.

    python -m tests.bench.classifying [appeals, 2000]

Batches of 500, as a consumer takes them under load: each event is decoded, its words are read (question with looks at
what is meant, danger, place, kind, keywords, summary, facts, mood), the verdict is decided on, and its event is made
and encoded. No database and no broker: what they cost, the bench of the platform counts. The floor decodes the same
events, cuts their words into words with the same library, and encodes verdicts that are made already; nothing is
judged. Both take turns and are counted in CPU time, for others may use the machine meanwhile.

The appeals are those of the bench of the platform, as a seat takes them down; six phrases on any matters in a row, a
long one that leaves the model unsure; and a letter of twenty.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import cast

import rjieba

from libs.common.city.pack import City, load_city
from libs.common.contracts.envelope import Envelope, Event, decode, headers_of
from libs.common.contracts.intake import TicketReceived
from libs.common.messaging.bus import Message
from libs.common.runtime.clock import Clock
from services.classify.domain import Facts, Rules, appeal_of, decide, opened
from services.classify.reader import Reader
from tests.bench.appeals import SEED, appeals
from tests.bench.suggestions import BATCH, PACK, reader_of

APPEALS, RUNS = 2_000, 3
LONG, LETTER = 6, 20
"""Phrases in a row."""
CLOCK = Clock()


@dataclass(frozen=True, slots=True)
class Classified:
    """What one kind of appeal takes: its mean length, and the appeals a core does in a second, by run."""

    kind: str
    characters: float
    rates: Sequence[float]
    floor: Sequence[float]


def measure(count: int = APPEALS) -> list[Classified]:
    """Measure each kind of appeal."""
    city, reader = load_city(PACK), reader_of(PACK)
    rules = Rules(city.catalogue, city.routing.low_confidence, city.routing.hold_limit, "bench", city.raising)
    return [_measured(kind, list(islice(said, count)), reader, rules) for kind, said in _kinds(city).items()]


def _kinds(city: City) -> dict[str, Iterator[TicketReceived]]:
    return {
        "as a seat takes it down": _short(city),
        "long and unsure": _long(city, LONG),
        "letter": _long(city, LETTER),
    }


def _short(city: City) -> Iterator[TicketReceived]:
    for body in appeals(city):
        said = json.loads(body)
        yield _received(said["text"], said["address"])


def _long(city: City, phrases: int) -> Iterator[TicketReceived]:
    chance, known = random.Random(SEED), [p for question in city.catalogue for p in question.phrases]
    while True:
        yield _received("，".join(chance.choices(known, k=phrases)) + "。", None)


def _received(text: str, address: str | None) -> TicketReceived:
    return TicketReceived(
        number="20260302-0000001", channel="phone", text=text, address=address, received_at=CLOCK.now()
    )  # fmt: skip


def _measured(kind: str, said: Sequence[TicketReceived], reader: Reader, rules: Rules) -> Classified:
    messages = [_message(event) for event in said]
    batches = [messages[at : at + BATCH] for at in range(0, len(messages), BATCH)]
    verdicts = [_classified(batch, reader, rules) for batch in batches]
    rates, floor = [], []
    for _ in range(RUNS):
        rates.append(len(said) / _cpu(lambda: [_classified(batch, reader, rules) for batch in batches]))
        floor.append(len(said) / _cpu(lambda: _bare(batches, verdicts)))
    return Classified(kind, sum(len(event.text) for event in said) / len(said), rates, floor)


def _message(event: TicketReceived) -> Message:
    headers = headers_of(event.type, event.emitter, CLOCK.new_id(), str(CLOCK.new_id()), CLOCK.now(), 1, None)
    return Message(event.topic, "", tuple(headers), event.model_dump_json(exclude_none=True).encode())


def _classified(batch: Sequence[Message], reader: Reader, rules: Rules) -> list[Event]:
    """Do what `prepare` and `on_event` do of a batch, without the tables; say how it comes out."""
    now, events = CLOCK.now(), [_read(message) for message in batch]
    readings = reader.read([appeal_of(event.data) for event in events])
    said: list[Event] = []
    # Nobody is waited for: what is not sure is told too.
    facts = Facts(ended="answered")
    for event, reading in zip(events, readings, strict=True):
        said += decide(opened(event.ticket, event.data, reading, rules), facts, rules, now).events
    _encoded(said)
    return said


def _bare(batches: Sequence[Sequence[Message]], verdicts: Sequence[Sequence[Event]]) -> None:
    for batch, said in zip(batches, verdicts, strict=True):
        for message in batch:
            rjieba.cut(_read(message).data.text)
        _encoded(said)


def _read(message: Message) -> Envelope[TicketReceived]:
    return cast(Envelope[TicketReceived], decode(message.headers, message.body))


def _encoded(said: Sequence[Event]) -> None:
    for event in said:
        event.model_dump_json(exclude_none=True).encode()


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Print what was measured."""
    for one in measure(int(sys.argv[1]) if len(sys.argv) > 1 else APPEALS):
        rate, floor = median(one.rates), median(one.floor)
        print(f"{one.kind:24} {one.characters:4.0f} characters  {rate:6,.0f}/s a core  floor {floor:7,.0f}/s")


if __name__ == "__main__":
    main()
