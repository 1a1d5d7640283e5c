"""Watching for hot events: one process of all looks every minute, learns each day that is over, and tells what is news.

Whoever claims a look takes it. It reads and thinks outside of any transaction, and saves only if no other look began
since: a process that was stopped in the middle changes nothing when it wakes.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from libs.common.contracts.classify import HotspotCooled, HotspotRaised, HotspotUpdated
from libs.common.messaging.transaction import Tx
from services.classify import store
from services.classify.domain import Hotspot, Matter, News, Pulse, onset, settled, sorted_out
from services.classify.handlers.around import Here
from services.classify.hotspots import QUICK, SPANS, WEEK, WINDOWS, Cell, Detector, Found, Mention, WordFound

PAUSE = timedelta(minutes=1)
SLOW_MINUTES = 5
"""Windows over an hour are looked at only every so many minutes: they cost the most and change the least."""
LONGEST_NAP_SECONDS = 5.0
SETTLED = timedelta(hours=1)
"""How long after its end a day is learnt: what came late is in by then."""
OLDEST = timedelta(days=8)
"""Beyond it no window reaches."""
LONGEST_HISTORY = 60
"""Days that are learnt of appeals that were there before this was."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
LASTING = timedelta(days=14)
"""An event that lasts longer becomes usual."""
FEW = 500
"""Tickets of a day on which every word is learnt."""
_TEXTS = 30
_SAYS: dict[News, type[HotspotRaised] | type[HotspotUpdated] | type[HotspotCooled]] = {
    "raised": HotspotRaised, "updated": HotspotUpdated, "cooled": HotspotCooled,
}  # fmt: skip


async def watch(here: Here) -> float:
    """Take the look that is due, and return the seconds until the next may be."""
    now = here.clock.now()
    claimed = await store.claim_look(here.database.pool, now, PAUSE)
    if claimed:
        await _follow(here, claimed[0])
        if not await _learn_day(here, now):
            await _look(here, now)
    return min(LONGEST_NAP_SECONDS, max(0.05, here.clock.real_seconds(PAUSE) / 4))


async def _follow(here: Here, learnt: date | None) -> None:
    """Take over the baseline that another process learnt."""
    detector = here.engine.detector
    if learnt and detector.until != learnt:
        packed = await store.baseline(here.database.pool)
        await asyncio.to_thread(detector.use, packed)


async def _learn_day(here: Here, now: datetime) -> bool:
    """Learn the next day that is over, if there is one, and say so."""
    detector, pool = here.engine.detector, here.database.pool
    last = detector.today(now - SETTLED) - timedelta(days=1)
    day = detector.until + timedelta(days=1) if detector.until else None
    if day is None:
        first = await store.first_sighting(pool)
        day = max(detector.today(first), last - timedelta(days=LONGEST_HISTORY)) if first else None
    if day is None or day > last:
        return False
    since, until = detector.midnight(day), detector.midnight(day + timedelta(days=1))
    rows = await store.day_cells(pool, since, until, detector.zone.key, until - LASTING)
    # On a day with many tickets words that one alone used are too many to keep.
    least = 1 if sum(row["count"] for row in rows) < FEW else 2
    words = await store.words(pool, since, until, least, until - LASTING)
    cells = [(r["inside"], r["hour"], Cell(r["code"], r["district"], r["street"], r["count"])) for r in rows]
    packed = await asyncio.to_thread(detector.learnt, day, cells, words)
    await store.save_baseline(pool, day, packed)
    await store.purge_sightings(pool, min(until, now) - OLDEST)
    await asyncio.to_thread(detector.use, packed)
    return True


async def _look(here: Here, now: datetime) -> None:
    """Find what is new, and bring what is known up to its members."""
    pool, detector = here.database.pool, here.engine.detector
    await store.join_members(pool, now - SPANS[-1])
    slow = now.minute % SLOW_MINUTES == 0
    known = await store.hot(pool)
    cooled = await store.cooled(pool, now - timedelta(days=detector.rules.again_days))
    matters = [await _matter_of(here, one, now) for one in await _scanned(here, now, slow=slow)]
    found = [one for one in matters if one]
    found += [await _word_of(here, one, now) for one in await _worded(here, now, found, slow=slow)]
    expected = await asyncio.to_thread(_expected, detector, known, now)
    async with here.database.begin() as tx:
        if await store.hold_look(tx, now):
            await _settle(here, tx, known, *sorted_out(known, found, cooled), expected)


async def _scanned(here: Here, now: datetime, *, slow: bool) -> list[Found]:
    detector = here.engine.detector
    windows = WINDOWS if slow else QUICK
    since = [detector.midnight(detector.today(now)) if window == WEEK else now - window for window in windows]
    rows = await store.cells(here.database.pool, since, now)
    return await asyncio.to_thread(detector.find, windows, rows, now)


async def _worded(here: Here, now: datetime, explained: Sequence[Hotspot], *, slow: bool) -> list[WordFound]:
    """Return the tickets that share new words, but for those which another event explains."""
    pool, detector = here.database.pool, here.engine.detector
    found: list[WordFound] = []
    for span in SPANS if slow and now.minute == 0 else SPANS[:2] if slow else SPANS[:1]:
        counts = await store.words(pool, now - span, now, detector.rules.least, LONG_AGO)
        out = await asyncio.to_thread(detector.standing_out, counts, span, now)
        rows = await store.mentions(pool, now - span, now, out) if out else []
        mentions = [_mention(row) for row in rows if not any(_holds(one.matter, row) for one in explained)]
        found += await asyncio.to_thread(detector.grouped, mentions, out, span)
    return found


def _holds(matter: Matter, row: Any) -> bool:
    return matter.holds(row["code"], row["district"], row["street"])


def _mention(row: Any) -> Mention:
    return Mention(
        row["ticket_id"], row["at"], row["code"], row["district"], row["street"], row["voice"], frozenset(row["words"])
    )


async def _matter_of(here: Here, found: Found, now: datetime) -> Hotspot | None:
    """Return what was found as an event; None if hardly anybody said it, but often."""
    detector, spot = here.engine.detector, found.spot
    district, street = spot.district, spot.street
    matter = Matter(spot.codes[0], spot.category, spot.codes, district, street, detector.name_of(district, street))
    since = detector.week_began(now) if found.window == WEEK else now - found.window
    rows = await store.voices(here.database.pool, matter, since, now)
    voices = {row["voice"] for row in rows}
    if len(voices) < detector.rules.least or (len(voices) < len(rows) and not found.still(len(voices))):
        return None
    an_hour = found.expected * (timedelta(hours=1) / (now - since))
    first = onset([row["at"] for row in rows], now, an_hour)
    return _hotspot(here, matter, found.window, found.expected, first, now)


async def _word_of(here: Here, found: WordFound, now: datetime) -> Hotspot:
    """Return tickets that share a new word as an event, with the word in full."""
    detector, tickets = here.engine.detector, found.mentions
    texts = await store.texts(here.database.pool, [m.ticket_id for m in tickets[:_TEXTS]])
    code, district, street = detector.common(tickets)
    matter = Matter(
        code, detector.category(code), (), district, street, detector.name_of(district, street),
        detector.whole_word(found, texts), found.grams,
    )  # fmt: skip
    return _hotspot(here, matter, found.span, found.expected, tickets[0].at, now)


def _hotspot(
    here: Here, matter: Matter, span: timedelta, expected: float, first: datetime, now: datetime
) -> Hotspot:  # fmt: skip
    return Hotspot(
        here.clock.new_id(), "hot", matter, span.total_seconds(), round(expected, 3), now, first, first, Pulse(), "low",
        (), 0,
    )  # fmt: skip


def _expected(detector: Detector, hotspots: Sequence[Hotspot], now: datetime) -> dict[UUID, float]:
    """Return how many tickets each event usually has in the time in which it must be raised more to be hot."""
    found: dict[UUID, float] = {}
    for hotspot in hotspots:
        since, matter = now - hotspot.patience, hotspot.matter
        if matter.grams:
            found[hotspot.hotspot_id] = detector.expected_words(matter.grams, since, now)
        else:
            found[hotspot.hotspot_id] = detector.expected(matter.codes, matter.district, matter.street, since, now)
    return found


async def _settle(
    here: Here,
    tx: Tx,
    known: Sequence[Hotspot],
    new: Sequence[Hotspot],
    changed: Sequence[Hotspot],
    expected: Mapping[UUID, float],
) -> None:
    """Raise what is new, and what is back; widen what has spread, and tell what is news of each."""
    every = {hotspot.hotspot_id: hotspot for hotspot in (*known, *changed, *new)}
    await tx.lock([str(id_) for id_ in every])
    if new or changed:
        await store.save_hotspots(tx, [*changed, *new])
        await store.join_members(tx.connection, tx.now - SPANS[-1])
    beats = await store.beats(tx.connection, every, tx.now)
    # What was taken back while the look was under way never was an event.
    unraised = [hotspot.hotspot_id for hotspot in new if hotspot.hotspot_id not in beats]
    await store.drop_hotspots(tx, unraised)
    spread = {hotspot.hotspot_id for hotspot in changed}
    told = [
        settled(_measured(here, hotspot, beat), beat.pulse, expected.get(id_, 0.0), tx.now, changed=id_ in spread)
        for id_, hotspot in every.items()
        if id_ not in unraised
        for beat in (beats.get(id_) or _silent(hotspot),)
    ]
    await store.save_hotspots(tx, [hotspot for hotspot, _ in told])
    for hotspot, news in told:
        if news:
            tx.emit(str(hotspot.hotspot_id), _SAYS[news](**_said(hotspot)))


def _silent(hotspot: Hotspot) -> store.Beat:
    """Return what an event comes to whose tickets were all taken back."""
    return store.Beat(Pulse(), hotspot.first_at, hotspot.last_at, hotspot.matter.code)


def _measured(here: Here, hotspot: Hotspot, beat: store.Beat) -> Hotspot:
    matter = replace(hotspot.matter, code=beat.code, mostly=here.engine.detector.category(beat.code)[2])
    # Its tickets are taken in from `first_at` on: one that was taken back may come again.
    return replace(hotspot, matter=matter, first_at=min(hotspot.first_at, beat.first_at), last_at=beat.last_at)


def _said(hotspot: Hotspot) -> dict[str, Any]:
    matter, pulse = hotspot.matter, hotspot.pulse
    return {
        "code": matter.code,
        "category": matter.category,
        "district": matter.district,
        "street": matter.street,
        "count": pulse.tickets,
        "first_at": hotspot.first_at,
        "last_at": hotspot.last_at,
        "title": matter.name,
        "word": matter.word,
        "voices": pulse.voices,
        "urgent": pulse.urgent,
        "districts": pulse.districts,
        "streets": pulse.streets,
        "mood": pulse.mood,
        "risk": hotspot.risk,
        "reasons": hotspot.reasons,
        "expected": hotspot.expected,
        "window_minutes": round(hotspot.span / 60),
        "first_ticket": pulse.first_ticket,
        "raised_at": hotspot.raised_at,
        "round": hotspot.round,
        "reheated_at": hotspot.reheated_at,
    }
