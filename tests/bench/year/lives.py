"""The appeals of a year and what other stages say of them, as intake, classify, dispatch and sla would publish it."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from libs.common.contracts.classify import TicketClassified
from libs.common.contracts.dispatch import TicketContacted, TicketResolved, TicketRuled
from libs.common.contracts.envelope import Event
from libs.common.contracts.intake import (
    TicketLinked,
    TicketReceived,
    TicketScreened,
    TicketSupported,
    TicketWithdrawn,
)
from libs.common.contracts.sla import ClockBreached, ClockMet
from libs.common.contracts.vocabulary import ClockName, Place, Receipt
from tests.bench.year.town import FIRST, LAST, Matter, Town, Unit
from tests.bench.year.work import COMPLETION, RESPONSE, Word, Work, said, work
from tests.support.topics import poisson

BEIJING = timedelta(hours=8)
CHANNELS = (("phone", 60), ("wechat", 15), ("app", 12), ("web", 8), ("mail", 5))
OPEN_FOR = timedelta(days=4)
"""So long after an appeal another of its street and question may be found to repeat it."""
AGAIN_FOR = timedelta(days=12)
"""And so long where the trouble comes back."""
WEEKEND = 0.7


class Said(NamedTuple):
    """One event of another stage: when, of which aggregate, what."""

    at: datetime
    subject: str
    event: Event


@dataclass(slots=True)
class Life:
    """One appeal: what, where, whose; its rounds as they truly were. `parent` is the ticket it repeats."""

    ticket: UUID
    matter: Matter
    street: Unit
    unit: Unit
    received_at: datetime
    parent: "Life | None" = None
    repeats: int = 0
    returns: int = 0
    closed: bool = False

    @property
    def urgency(self) -> str:
        """Its class."""
        return self.matter.question.urgency


def id_at(at: datetime, random: Random) -> UUID:
    """Return a UUIDv7 of a moment, drawn."""
    chance = random.getrandbits(74)
    return UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | chance >> 62 << 64 | 2 << 62 | chance & (1 << 62) - 1)


class Lives:
    """Everybody's appeals. `truth` has each round of work by ticket and round, for judging afterwards.

    `done` are the rounds of which the unit's word was published.
    """

    def __init__(self, town: Town, per_day: float, seed: int) -> None:
        self.town, self.per_day, self.seed = town, per_day, seed
        self.lives: dict[UUID, Life] = {}
        self.truth: dict[tuple[UUID, int], Work] = {}
        self.done: set[tuple[UUID, int]] = set()
        self._open: dict[tuple[str, str], Life] = {}
        self._to_come: list[tuple[datetime, Matter, Unit]] = []
        self._count = 0

    def day(self, day: date) -> Iterator[Said]:
        """Yield all that is said because of a day's new appeals, in no order."""
        if not FIRST <= day <= LAST:
            return
        random = Random(f"{self.seed} {day}")
        weights, base = self.town.weights(day), self.town.weights(FIRST)
        # More in all where more is asked of a season or a problem, and less at weekends.
        often = self.per_day * weights[-1] / base[-1] * (WEEKEND if day.weekday() > 4 else 1.0)
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - BEIJING
        came = [(midnight + timedelta(hours=random.triangular(6, 24, 11)), *self._drawn(random, weights))
                for _ in range(poisson(often, random))]  # fmt: skip
        due = [one for one in self._to_come if one[0] < midnight + timedelta(days=1)]
        self._to_come = [one for one in self._to_come if one not in due]
        for at, matter, street in sorted((*came, *due), key=lambda one: one[0]):
            yield from self._arrive(random, matter, street, at)

    def _drawn(self, random: Random, weights: list[float]) -> tuple[Matter, Unit]:
        (matter,) = random.choices(self.town.matters, cum_weights=weights)
        weigh = self.town.of_hard if matter.hard else self.town.of_easy
        (street,) = random.choices(self.town.streets, cum_weights=weigh)
        return matter, street

    def _arrive(self, random: Random, matter: Matter, street: Unit, at: datetime) -> Iterator[Said]:
        """Yield what is said of a new appeal: that it came, is judged, and how its unit worked, or what it repeats."""
        ticket = id_at(at, random)
        unit = self.town.units[matter.owner] if matter.owner else street
        life = self.lives[ticket] = Life(ticket, matter, street, unit, at)
        self._count += 1
        back = matter.problem == "coming back" and matter.is_problem(at.date())
        key = matter.question.code, street.ref.code
        open_ = self._open.get(key)
        again = open_ is not None and at - open_.received_at < (AGAIN_FOR if back else OPEN_FOR)
        if (
            again
            and open_
            and (back or not open_.closed)
            and random.random() < (0.75 if back else 10 * matter.repeated)
        ):
            yield from self._repeat(life, open_)
            return
        self._open[key] = life
        receipt = self._receipt(random, life)
        yield Said(at, str(ticket), TicketReceived(**receipt))
        yield self._judged(life, receipt)
        chance = random.random()
        if chance < 0.01:
            end = at + timedelta(hours=random.uniform(0.1, 2))
            yield Said(end, str(ticket), TicketWithdrawn(at=end))
            return
        if chance < 0.02:
            yield from self._screened(random, life)
        yield from self.work(life, 1, at + timedelta(minutes=random.randint(2, 25)))

    def work(self, life: Life, round_: int, begin: datetime) -> Iterator[Said]:
        """Yield what is said of a round of work that begins then, and keep what is true of it."""
        random = Random(f"{self.seed} {life.ticket} {round_}")
        if round_ == 1:
            moved = yield from self._returned(random, life, begin)
            begin += moved
        done = self.truth[life.ticket, round_] = work(random, life.unit, life.matter, begin.date(), round_)
        subject, unit = str(life.ticket), life.unit.ref
        contacted_at = None if done.contact is None else begin + timedelta(hours=done.contact)
        at = begin + timedelta(hours=done.resolve)
        yield from self._clocks(life, round_, begin, done)
        if contacted_at:
            yield Said(contacted_at, subject, TicketContacted(
                unit=unit, method="phone", round=round_, at=contacted_at, first_at=contacted_at))  # fmt: skip
        resolved = TicketResolved(
            unit=unit, reply=done.reply.text, round=round_, at=at, contacted=contacted_at is not None,
            evidence=done.evidence, reply_faults=done.reply.faults, dispatched_at=begin,
            accepted_at=begin + timedelta(hours=done.sign), contacted_at=contacted_at, returns=life.returns,
            reply_words=done.reply.words,
        )  # fmt: skip
        yield Said(at, subject, resolved)
        if done.false and random.random() < 0.35:
            # Others report what was said to be done, as the same event or as one of its own.
            self._to_come.append((at + timedelta(hours=random.uniform(24, 24 * 15)), life.matter, life.street))

    def answer(self, ticket: UUID, round_: int) -> Word | None:
        """Return what the reporter says of a round, once asked; who repeats a matter judges the work on that."""
        life = self.lives[ticket]
        done = self.truth[(life.parent or life).ticket, round_]
        return said(Random(f"{self.seed} {ticket} {round_} word"), done, life.urgency)

    def _returned(self, random: Random, life: Life, begin: datetime) -> Generator[Said, None, timedelta]:
        """Yield a return and its ruling, if there is one, and return how much later the work begins."""
        unit, lazy, known = life.unit, life.unit.manner == "lazy", life.matter
        nobodys = known.problem == "nobody's" and known.is_problem(begin.date())
        if random.random() >= (0.35 if nobodys else 0.15 if lazy else known.returned):
            return timedelta()
        took = timedelta(hours=random.uniform(4, 40))
        upheld = known.owner is None and random.random() < (0.15 if lazy else 0.5)
        if upheld:
            near = [one for one in self.town.streets if one.district == unit.district and one is not unit]
            life.unit = random.choice(near)
        life.returns += 1
        yield Said(begin + took, str(life.ticket), TicketRuled(
            upheld=upheld, unit=life.unit.ref, ground="not_our_duty", note="对照职责清单", round=1, at=begin + took,
            return_id=UUID(int=random.getrandbits(128)), returned_by=unit.ref, against="routing" if upheld else "unit",
        ))  # fmt: skip
        return took

    def _clocks(self, life: Life, round_: int, begin: datetime, done: Work) -> Iterator[Said]:
        """Yield what sla says of both clocks: met, after a breach where it was late; never met without a contact."""
        spans: tuple[tuple[ClockName, float, float | None], ...] = (
            ("response", RESPONSE[life.urgency], done.contact), ("completion", COMPLETION[life.urgency], done.resolve),
        )  # fmt: skip
        for clock, limit, took in spans:
            due = begin + timedelta(hours=limit)
            common: dict[str, Any] = {
                "clock": clock, "round": round_, "urgency": life.urgency, "started_at": begin, "due_at": due,
                "limit_seconds": int(limit * 3600), "policy": "1", "unit": life.unit.ref,
            }  # fmt: skip
            if (done.resolve if took is None else took) > limit:
                yield Said(due, str(life.ticket), ClockBreached(**common, light="yellow"))
            if took is not None:
                met = begin + timedelta(hours=took)
                yield Said(met, str(life.ticket), ClockMet(**common, met_at=met, in_time=took <= limit))

    def _repeat(self, life: Life, parent: Life) -> Iterator[Said]:
        """Yield that an appeal repeats another, whose support grows by it."""
        root = parent.parent or parent
        life.parent, life.unit = root, root.unit
        root.repeats += 1
        receipt = self._receipt(Random(f"{self.seed} {life.ticket}"), life)
        yield Said(life.received_at, str(life.ticket), TicketLinked(**receipt, parent=root.ticket, reason="同一事项"))
        yield self._judged(life, receipt)
        yield Said(life.received_at, str(root.ticket), TicketSupported(support=root.repeats, at=life.received_at))

    def _screened(self, random: Random, life: Life) -> Iterator[Said]:
        """Yield a ruling that the appeal enters no rate, some time after, and perhaps that it is lifted."""
        at = life.received_at + timedelta(days=random.uniform(0.1, 45))
        ruled = TicketScreened(verdict="unreasonable", why="诉求过高", ground="过高诉求", at=at)
        yield Said(at, str(life.ticket), ruled)
        if random.random() < 0.25:
            lifted = at + timedelta(days=random.uniform(1, 30))
            yield Said(lifted, str(life.ticket), ruled.model_copy(update={"lifted": True, "at": lifted}))

    def _receipt(self, random: Random, life: Life) -> dict[str, Any]:
        channel = random.choices([name for name, _ in CHANNELS], [share for _, share in CHANNELS])[0]
        return {
            "number": f"{life.received_at:%Y%m%d}-{self._count:07}", "channel": channel,
            "kind": life.matter.question.kind, "text": life.matter.question.phrases[0],
            "reporter": f"{random.getrandbits(64):016x}", "received_at": life.received_at,
        }  # fmt: skip

    def _judged(self, life: Life, receipt: dict[str, Any]) -> Said:
        question, street = life.matter.question, life.street
        place = Place(
            district=street.district or "", district_name=street.district or "", street=street.ref.code,
            street_name=street.ref.name, confidence=0.9,
        )  # fmt: skip
        judged = TicketClassified(
            receipt=Receipt(**receipt), code=question.code, category=question.category, kind=question.kind,
            urgency=question.urgency, confidence=0.9, summary="", owner_kind=question.owner_kind, owner=question.owner,
            tag=question.tag, elderly=question.elderly, place=place, judged_by="model", model="m", catalogue="c",
        )  # fmt: skip
        return Said(life.received_at + timedelta(minutes=1), str(life.ticket), judged)
