"""Extracts: asked for, ruled on, made and deleted by a job, handed out; whoever does anything of it is kept."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import structlog

from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal
from libs.common.runtime.tables import BYTE_ORDER_MARK, csv_lines
from services.feedback.domain import extracts as domain
from services.feedback.domain.extracts import Act, Deed, Extract, Field
from services.feedback.domain.periods import period_of
from services.feedback.handlers.around import Here
from services.feedback.handlers.releases import release
from services.feedback.handlers.seeing import may_rule, viewer
from services.feedback.store import extracts as store

log = structlog.get_logger(__name__)
LOOK = timedelta(minutes=1)
CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a unit asks for: its purpose in a word of the list and in its own, the fields, the months, which rows."""

    unit: str
    purpose: str
    words: str
    fields: tuple[Field, ...]
    months: tuple[str, ...]
    districts: tuple[str, ...]
    categories: tuple[str, ...]


def seen_by(here: Here, who: Principal) -> list[str] | None:
    """Return whose extracts a key sees: its own units', and those that it supervises; None for all."""
    desk = viewer(here, who)
    own = set(who.units) if "unit" in desk.desks else set()
    if "supervisor" in desk.desks:
        return None if desk.below is None else sorted(own | desk.below)
    return None if "unit" in desk.desks and desk.units is None else sorted(own)


async def ask(tx: Tx, here: Here, who: Principal, wish: Wish) -> Extract:
    """Keep a request of a unit. Raises Problem 403 to who does not speak for it."""
    if not viewer(here, who).acts_for(wish.unit):
        raise Problem(403, "this key does not speak for that unit")
    asked = Extract(
        here.clock.new_id(), wish.unit, here.engine.city.units[wish.unit].name.zh, wish.purpose, wish.words,
        wish.fields, wish.months, wish.districts, wish.categories, "asked", tx.now, who.name,
    )  # fmt: skip
    await store.save(tx, asked, _act(here, asked, "asked", who.name))
    return asked


async def rule(tx: Tx, here: Here, who: Principal, extract_id: UUID, *, granted: bool, note: str, days: int) -> Extract:
    """Grant or refuse a request, as a supervisor above the unit. Raises Problem 403 and 404, NotPossibleError.

    Whose key is limited to some units grants what is of districts among them, and of no other.
    """
    await tx.lock([subject_of(extract_id)])
    extract = await found(tx, here, who, extract_id)
    may_rule(here, who, extract.unit_code)
    seen, asked = seen_by(here, who), {f"d-{district}" for district in extract.districts}
    if granted and seen is not None and not (asked and asked <= set(seen)):
        raise Problem(403, "an extract beyond the districts of this key is granted for the whole city")
    ruled = domain.rule(extract, granted=granted, note=note, days=days, by=who.name, now=tx.now)
    await store.save(tx, ruled, _act(here, ruled, "granted" if granted else "refused", who.name))
    return ruled


async def found(tx: Tx, here: Here, who: Principal, extract_id: UUID) -> Extract:
    """Return an extract in sight. Raises Problem 404 for any other, so that nobody learns what others ask for."""
    extract, seen = await store.extract_of(tx.connection, extract_id), seen_by(here, who)
    if extract is None or (seen is not None and extract.unit_code not in seen):
        raise Problem(404, "no such extract")
    return extract


async def download(tx: Tx, here: Here, who: Principal, extract_id: UUID) -> tuple[Extract, bytes | None]:
    """Hand out the file to the unit that asked, None if it may not be had (any more). Either is kept."""
    extract = await found(tx, here, who, extract_id)
    allowed = viewer(here, who).acts_for(extract.unit_code) and extract.open(tx.now)
    content = await store.file_of(tx.connection, extract_id) if allowed else None
    await store.note(tx, _act(here, extract, "downloaded" if content is not None else "denied", who.name))
    return extract, content


async def keep_extracts(here: Here) -> float:
    """Make what was granted, delete what expired. A step of a job; returns the seconds to the next."""
    for extract in await store.at_work(here.database.pool, here.clock.now()):
        try:
            await _keep(here, extract)
        except Exception:  # one that cannot be made, whatever the reason, must not hold up the others
            log.exception("an extract is not kept up; it is tried again", extract=str(extract.extract_id))
    return max(1.0, here.clock.real_seconds(LOOK))


async def _keep(here: Here, extract: Extract) -> None:
    if extract.expires_at and extract.expires_at <= here.clock.now():
        await _expire(here, extract.extract_id)
    else:
        await _make(here, extract)


async def _make(here: Here, extract: Extract) -> None:
    for month in extract.months:
        await release(here, period_of(month))
    rows = await store.rows(here.database.pool, extract)
    fits = len(rows) <= domain.MOST_ROWS
    content = await asyncio.to_thread(_csv, domain.columns(extract.fields), rows) if fits else None
    sha256 = hashlib.sha256(content).hexdigest() if content is not None else None
    async with here.database.begin() as tx:
        await tx.lock([subject_of(extract.extract_id)])
        current = await store.extract_of(tx.connection, extract.extract_id)
        if current is None or current.state != "granted":
            return
        made = domain.made(current, len(rows), sum(int(str(row[-1])) for row in rows), sha256, tx.now)
        if content is not None:
            await store.keep_file(tx, extract.extract_id, content)
        await store.save(tx, made, _act(here, made, "made", CLOCK))


async def _expire(here: Here, extract_id: UUID) -> None:
    async with here.database.begin() as tx:
        await tx.lock([subject_of(extract_id)])
        current = await store.extract_of(tx.connection, extract_id)
        if current is None or current.state == "expired":
            return
        await store.delete_file(tx, extract_id)
        expired = replace(current, state="expired")
        await store.save(tx, expired, _act(here, expired, "expired", CLOCK))


def subject_of(extract_id: UUID) -> str:
    """Return the aggregate of an extract."""
    return f"extract:{extract_id}"


def _csv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    return (BYTE_ORDER_MARK + csv_lines([columns, *rows])).encode()


def _act(here: Here, extract: Extract, act: Deed, by: str) -> Act:
    tells = act in {"made", "downloaded"}
    log.info("extract", act=act, extract=str(extract.extract_id), by=by, rows=extract.rows if tells else None)
    return Act(
        extract.extract_id, act, by, here.clock.now(), extract.rows if tells else None,
        extract.sha256 if tells else None,
    )  # fmt: skip
