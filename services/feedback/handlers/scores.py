"""Scores of months: published when one is over, from the record; and again for one unit when a ruling says so."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from libs.common.messaging.transaction import Tx
from services.feedback.domain import NotPossibleError
from services.feedback.domain.deductions import Deduction, deducted, penalty
from services.feedback.domain.periods import Period, before, month_of, period_of
from services.feedback.domain.proactive import credited
from services.feedback.domain.scores import Beside, Publication, Reason, Score, Unit, Weights, changed
from services.feedback.domain.scoring import publish, score
from services.feedback.handlers.around import Here
from services.feedback.store import credits as credits_store
from services.feedback.store import deductions as deductions_store
from services.feedback.store import proactive as proactive_store
from services.feedback.store import scores as store

LOOK = timedelta(hours=1)
OTHER = "other"
"""The kind of a unit that the city does not have any more."""


def subject_of(period: str) -> str:
    """Return the aggregate that holds still while a month is published, appealed against or ruled on."""
    return f"scores:{period}"


async def publish_due(here: Here) -> float:
    """Publish the last month once its time of grace is over: a step of a job. Returns the seconds to the next look."""
    engine = here.engine
    period = before(month_of(here.clock.now() - engine.city.scoring.grace, engine.policy.timezone))
    published = await store.last_publication(here.database.pool, period.name)
    if published is None and await store.any_answer(here.database, *period.span(engine.policy.timezone)):
        async with here.database.begin() as tx:
            await publish_month(tx, here, period, "due", "clock")
    return max(1.0, here.clock.real_seconds(LOOK))


async def publish_month(tx: Tx, here: Here, period: Period, reason: Reason, by: str) -> Publication:
    """Publish a month as the record has it by now. Raises NotPossibleError if it is not over, or nothing changed."""
    if period.span(here.engine.policy.timezone)[1] > tx.now:
        raise NotPossibleError("the month is not over")
    await tx.lock([subject_of(period.name)])
    last = await store.last_publication(tx.connection, period.name)
    if last and reason == "due":
        # Another process published it since this one looked.
        return last
    version, weights = last.version + 1 if last else 1, here.engine.weights
    publication = Publication(
        period.name, version, version, reason, tx.now, by,
        Weights(weights.responded, weights.solved, weights.satisfied), (), here.engine.city.seasons.bonus,
    )  # fmt: skip
    await store.count(tx, version, draw_of(here, period))
    await _credit(tx, here, publication)
    await _propose(tx, here, period)
    return await _publish(tx, here, publication, last)


async def _publish(tx: Tx, here: Here, publication: Publication, last: Publication | None) -> Publication:
    """Score all units by what is counted, and keep and tell what differs from the version before."""
    period, version = publication.period, publication.version
    sums = await store.sums(tx.connection, period, version, publication.weights)
    known = await store.scores_of(tx.connection, period, last.version) if last else []
    beside = await _beside(tx, publication)
    units = {code: unit_of(here, code) for code in {*beside, *(one.unit_code for one in sums)}}
    # A month of a large city takes seconds to sum up, which nobody else should wait for.
    edition = await asyncio.to_thread(
        publish, publication, sums, units, await _before(tx, period), beside, here.engine.city.scoring
    )
    moved = changed(edition.scores, {one.unit_code: one for one in known}, version)
    if last and not moved:
        raise NotPossibleError(f"nothing changed in the record since version {last.version}")
    await store.save_publication(tx, edition.publication, moved)
    await store.save_expectations(tx, edition.expectations)
    await _tell(tx, moved)
    return edition.publication


async def _credit(tx: Tx, here: Here, publication: Publication) -> None:
    """Count the work before the appeal that was done in the month, and what was proven in it."""
    span = period_of(publication.period).span(here.engine.policy.timezone)
    drawn = await proactive_store.counting(tx.connection, *span, publication.bonus.evidence)
    await credits_store.count(tx, publication.period, publication.version, drawn)


async def _beside(tx: Tx, publication: Publication, unit: str | None = None) -> dict[str, Beside]:
    """Return the points beside the totals of a version, of all units that have some, or of one."""
    period, version = publication.period, publication.version
    ruled = deducted(await deductions_store.deductions_in(tx.connection, period, unit))
    counting = await credits_store.of_version(tx.connection, period, version, unit)
    earned = {one.unit_code: one.points for one in credited(counting, publication.bonus)}
    return {code: Beside(earned.get(code, 0.0), ruled.get(code, 0.0)) for code in earned.keys() | ruled.keys()}


async def _propose(tx: Tx, here: Here, period: Period) -> None:
    """Propose what a city takes off for faults of the month, once for each unit and fault."""
    known = await deductions_store.deductions_in(tx.connection, period.name)
    there = {(one.unit_code, one.fault) for one in known}
    proposals: list[Deduction] = []
    for rule in here.engine.city.scoring.penalties:
        for found in await deductions_store.found(tx, rule.fault, *period.span(here.engine.policy.timezone)):
            name = unit_of(here, found.unit_code).name
            made = penalty(rule, found, name, period.name, here.clock.new_id(), tx.now)
            if made and (found.unit_code, rule.fault) not in there:
                proposals.append(made)
    await deductions_store.save_deductions(tx, proposals)


def draw_of(here: Here, period: Period) -> store.Draw:
    """Return what is counted for a month."""
    return store.Draw(period.name, *period.span(here.engine.policy.timezone), here.engine.city.scoring.apart)


async def amend(tx: Tx, here: Here, last: Publication, units: Sequence[str], reason: Reason, by: str) -> None:
    """Publish the next version of a month, in which some units alone are scored anew, by the standards they were.

    The month's aggregate is held already, and what is counted was changed before.
    """
    publication = replace(last, version=last.version + 1, reason=reason, at=tx.now, by=by)
    made = [await _anew(tx, here, publication, last, unit) for unit in units]
    await store.save_publication(tx, publication, made)
    await _tell(tx, made)


async def _anew(tx: Tx, here: Here, publication: Publication, last: Publication, unit: str) -> Score:
    period, version = publication.period, publication.version
    sums = await store.sums(tx.connection, period, version, publication.weights, [unit])
    expected = await store.expected_of(tx.connection, publication, unit)
    old = next(iter(await store.scores_of(tx.connection, period, last.version, [unit])), None)
    beside = (await _beside(tx, publication, unit)).get(unit, Beside())
    what = Unit(old.unit_name, old.level, old.peers) if old else unit_of(here, unit)
    earlier = (await _before(tx, period, [unit])).get(unit)
    rules = here.engine.city.scoring
    return score(publication, (unit, what), sums, expected, earlier, beside, rules)


async def _before(tx: Tx, period: str, units: Sequence[str] | None = None) -> dict[str, Score]:
    """Return the scores of the month before, as they stand now."""
    earlier = await store.last_publication(tx.connection, before(period_of(period)).name)
    if earlier is None:
        return {}
    scores = await store.scores_of(tx.connection, earlier.period, earlier.version, units)
    return {one.unit_code: one for one in scores}


async def _tell(tx: Tx, scores: Iterable[Score]) -> None:
    told = {one.unit_code: one.told for one in scores}
    await tx.lock(told)
    for code, event in told.items():
        tx.emit(code, event)


def unit_of(here: Here, code: str) -> Unit:
    """Return what a unit is called, and of which kind it is."""
    unit = here.engine.city.units.get(code)
    return Unit(unit.name.zh, unit.kind) if unit else Unit(code, OTHER)
