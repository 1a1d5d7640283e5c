"""Hot events as pure decisions: what is counted of a ticket, when an event begins, grows and cools, how grave it is."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import sqrt
from typing import Literal
from uuid import UUID

from services.classify.domain.verdicts import Facts, Verdict

Risk = Literal["low", "medium", "high"]
HotState = Literal["hot", "cooled"]
HOUR = timedelta(hours=1)
GROWN = 2
"""An event is told anew when so many times the people raise it."""
_FEWEST = 3
"""Fewer people than this in a window do not keep an event hot, whatever was expected."""
_URGENT, _VULNERABLE, _SAFETY, _BITTER = 0.2, 0.2, 0.1, -0.3
_MANY_PEOPLE, _MANY_DISTRICTS = 50, 3


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is counted of a ticket. Place codes are empty if unknown; `voice` tells one person from another."""

    ticket_id: UUID
    at: datetime
    code: str
    district: str
    street: str
    voice: int
    urgent: bool
    mood: float
    vulnerable: bool
    safety: bool
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matter:
    """What and where an event is: the questions it covers, and the grams that its tickets share if it is of new words.

    `category` goes as far down as the event does; what is below is empty. `word` is the new word in full. `mostly` is
    what the question is called that most of its tickets are judged to be, `code`.
    """

    code: str
    category: tuple[str, str, str]
    codes: tuple[str, ...]
    district: str | None = None
    street: str | None = None
    place: str = ""
    word: str | None = None
    grams: tuple[str, ...] = ()
    mostly: str = ""

    @property
    def name(self) -> str:
        """What it is called: the place, and the question or the new word; of a wider category what it mostly is."""
        if self.word:
            what = f"“{self.word}”（{self.mostly}等）" if self.mostly else f"“{self.word}”"
            return f"{self.place}：{what}" if self.place else what
        narrowest = next((name for name in reversed(self.category) if name), "")
        what = narrowest if self.category[2] or not self.mostly else f"{self.mostly}等{narrowest}问题"
        return f"{self.place or '全市'}：{what}"

    def holds(self, code: str, district: str, street: str) -> bool:
        """Say whether a ticket of a question in a place is of this matter; of new words only its words would tell."""
        return code in self.codes and self.district in {None, district} and self.street in {None, street}

    def same(self, other: "Matter") -> bool:
        """Say whether another event is of the same matter in the same place, or of the same new word."""
        placed = bool(self.grams) or (self.district, self.street) == (other.district, other.street)
        return placed and (self.covers(other) or other.covers(self))

    def covers(self, other: "Matter") -> bool:
        """Say whether all of another event's tickets would be this one's."""
        if self.grams or other.grams:
            return set(self.grams) <= set(other.grams) and bool(self.grams)
        inside = self.district in {None, other.district} and self.street in {None, other.street}
        return inside and set(other.codes) <= set(self.codes)


@dataclass(frozen=True, slots=True)
class Pulse:
    """What the members of an event come to. `recent` are people in the last `span`, `mood` is a mean from -1 to 1."""

    tickets: int = 0
    voices: int = 0
    urgent: int = 0
    vulnerable: int = 0
    safety: int = 0
    mood: float = 0.0
    districts: int = 0
    streets: int = 0
    recent: int = 0
    last_hour: int = 0
    hour_before: int = 0
    first_ticket: UUID | None = None


@dataclass(frozen=True, slots=True)
class Hotspot:
    """One hot event. `span` is the window it was found in, in seconds, `expected` how many tickets that usually has.

    `told_voices` is how many people raised it when it was last told of. One that flared up after it had cooled is in a
    further `round`, which began with the ticket of `reheated_at`; `voices_before` raised it until then.
    """

    hotspot_id: UUID
    state: HotState
    matter: Matter
    span: float
    expected: float
    raised_at: datetime
    first_at: datetime
    last_at: datetime
    pulse: Pulse
    risk: Risk
    reasons: tuple[str, ...]
    told_voices: int
    quiet_since: datetime | None = None
    cooled_at: datetime | None = None
    round: int = 1
    reheated_at: datetime | None = None
    voices_before: int = 0

    @property
    def patience(self) -> timedelta:
        """In which time an event must have been raised more than usual to be hot: an hour, or its window if longer."""
        return max(timedelta(seconds=self.span), HOUR)


News = Literal["raised", "updated", "cooled"]


def sighted(verdict: Verdict, facts: Facts) -> Sighting | None:
    """Return what is counted of a ticket; nothing of one that was withdrawn or that is no appeal at all.

    A repeat counts as another voice, and so does a ticket that waits for a person or was answered at once.
    """
    if facts.withdrawn or facts.discounted:
        return None
    receipt, reading = verdict.receipt, verdict.reading
    place = reading.place
    return Sighting(
        ticket_id=verdict.ticket_id,
        at=receipt.received_at,
        code=verdict.code,
        district=place.district if place and not reading.outside else "",
        street=(place.street or "") if place and not reading.outside else "",
        voice=voice_of(receipt.reporter or str(verdict.ticket_id)),
        urgent=verdict.urgency == "urgent",
        mood=reading.mood,
        vulnerable=reading.vulnerable,
        safety=reading.safety,
        words=reading.words,
    )


def voice_of(whose: str) -> int:
    """Return a number for a pseudonym, that says nothing of it."""
    return int.from_bytes(hashlib.blake2b(whose.encode(), digest_size=8).digest(), signed=True)


def onset(times: Sequence[datetime], now: datetime, expected_an_hour: float) -> datetime:
    """Return which of some times, oldest first, an event began at: the one since when the most came beyond the usual.

    The background of a long window came before it and is none of the event (a scan of all suffixes).
    """

    def excess(i: int) -> float:
        return (len(times) - i) - 2 * expected_an_hour * ((now - times[i]) / HOUR)

    return times[max(range(len(times)), key=lambda i: (excess(i), -i))]


def sorted_out(
    known: Sequence[Hotspot], found: Sequence[Hotspot], cooled: Sequence[Hotspot] = ()
) -> tuple[list[Hotspot], list[Hotspot]]:
    """Return which of the events found are new, and known ones as they change by the others.

    What a known event covers is its own. What covers a known event is that event, spread; if it covers several, the
    oldest spreads and the others end in it. What is the same as one that `cooled` lately is that one, once more; of
    several the one that cooled last, so they come in that order.
    """
    new: list[Hotspot] = []
    changed: dict[UUID, Hotspot] = {}
    for one in found:
        if any(other.matter.covers(one.matter) for other in (*known, *new, *changed.values())):
            continue
        within = [hotspot for hotspot in known if one.matter.covers(hotspot.matter)]
        for hotspot in within[1:]:
            changed[hotspot.hotspot_id] = replace(hotspot, state="cooled")
        for hotspot in within[:1]:
            first = min(hotspot.first_at, one.first_at)
            wider = replace(hotspot, matter=one.matter, expected=one.expected, first_at=first)
            changed[hotspot.hotspot_id] = replace(wider, span=max(hotspot.span, one.span))
        again = next((old for old in cooled if old.hotspot_id not in changed and old.matter.same(one.matter)), None)
        if again and not within:
            changed[again.hotspot_id] = reheated(again, one)
        new += [] if within or again else [one]
    return new, list(changed.values())


def reheated(old: Hotspot, again: Hotspot) -> Hotspot:
    """Return an event that had cooled as it flares up: the same affair with its past, and to be raised once more."""
    return replace(
        old, state="hot", matter=old.matter if old.matter.covers(again.matter) else again.matter, span=again.span,
        expected=again.expected, raised_at=again.raised_at, reheated_at=again.first_at, round=old.round + 1,
        voices_before=old.pulse.voices, told_voices=0, quiet_since=None, cooled_at=None,
    )  # fmt: skip


def settled(
    hotspot: Hotspot, pulse: Pulse, expected: float, now: datetime, *, changed: bool = False
) -> tuple[Hotspot, News | None]:
    """Bring an event up to its members, and say what is news of it. `expected` are tickets in its `patience`."""
    risk, reasons = graded(pulse, hotspot.round)
    after = replace(hotspot, pulse=pulse, risk=risk, reasons=reasons)
    told = replace(after, told_voices=pulse.voices)
    if hotspot.state == "cooled" or not pulse.voices:
        return replace(told, state="cooled", cooled_at=now), "cooled"
    if not hotspot.told_voices:
        return told, "raised"
    quiet = pulse.recent < max(_FEWEST, expected + 2 * sqrt(expected))
    since = (hotspot.quiet_since or now) if quiet else None
    if since and now - since >= max(HOUR, hotspot.patience / 4):
        return replace(told, state="cooled", cooled_at=now), "cooled"
    before = hotspot.voices_before
    if changed or risk != hotspot.risk or pulse.voices - before >= GROWN * (hotspot.told_voices - before):
        return replace(told, quiet_since=since), "updated"
    return replace(after, quiet_since=since), None


def graded(pulse: Pulse, round_: int = 1) -> tuple[Risk, tuple[str, ...]]:
    """Return how grave an event is, and why.

    Danger weighs twice; growth, reach, bitterness, who suffers, and that it was over and is back, once.
    """
    tickets = max(pulse.tickets, 1)
    growth = f"近一小时{pulse.last_hour}人，此前一小时{pulse.hour_before}人"
    told = (
        (2, pulse.urgent >= max(2, _URGENT * tickets), f"其中{pulse.urgent}件紧急"),
        (1, pulse.safety >= max(2, _SAFETY * tickets), f"{pulse.safety}件提到安全风险"),
        (1, pulse.vulnerable >= max(2, _VULNERABLE * tickets), f"{pulse.vulnerable}件涉及老幼病残等群体"),
        (1, pulse.last_hour >= max(5, 2 * pulse.hour_before), growth),
        (1, pulse.voices >= _MANY_PEOPLE, f"已有{pulse.voices}人反映"),
        (1, pulse.districts >= _MANY_DISTRICTS, f"波及{pulse.districts}个区"),
        (1, pulse.mood <= _BITTER, f"情绪激烈（{pulse.mood:.2f}）"),
        (1, round_ > 1, f"平息后再次升温（第{round_}轮）"),
    )
    weight = sum(points for points, so, _ in told if so)
    reasons = tuple(reason for _, so, reason in told if so) or (f"{pulse.voices}人反映",)
    return ("high" if weight >= 4 else "medium" if weight >= 2 else "low"), reasons
