"""What work before the appeal averted, counted each day until its weeks are over."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from services.feedback.domain.averting import Counts, Effect, against
from services.feedback.domain.forecasts import Forecast
from services.feedback.domain.proactive import Order
from services.feedback.forecasts import WEEKS
from services.feedback.handlers.around import Here
from services.feedback.store import forecasts as forecasts_store
from services.feedback.store import proactive as store

FIRST_SAID = timedelta(weeks=2)
"""Less than this after it began, nothing is said of an effect."""
YEAR = timedelta(days=364)
WEEK = timedelta(weeks=1)
LOOKED_BACK = timedelta(days=400)
"""Work done longer ago is measured no more: the longest season begins half a year after its work."""


async def measure(here: Here, now: datetime) -> int:
    """Bring the effects of what was done up to now, and return of how many orders."""
    measured = []
    for order in await store.to_measure(here.database.pool, now - LOOKED_BACK):
        effect = await _effect(here, order, now)
        if effect:
            measured.append(replace(order, effect=effect))
    async with here.database.begin() as tx:
        await tx.lock(str(order.order_id) for order in measured)
        await store.save_work(tx, measured)
    return len(measured)


async def _effect(here: Here, order: Order, now: datetime) -> Effect | None:
    """Return what came of one order by now; None while it is too early to say."""
    rules = here.engine.city.seasons.effect
    began = max(moment for moment in (order.ended_at, order.begins) if moment)
    weeks = min((now - began) // WEEK, rules.weeks)
    if weeks * WEEK < FIRST_SAID:
        return None
    here_, elsewhere = await _counts(here, order, began, weeks)
    compared = against(here_, elsewhere, rules.least)
    effect = Effect(now, weeks == rules.weeks, weeks, here_.after, here_.before)
    if compared:
        effect = replace(
            effect, places=compared.places, ratio=compared.ratio, low=compared.low, high=compared.high
        )  # fmt: skip
    return await _beside_forecast(here, order, effect, began)


async def _counts(here: Here, order: Order, began: datetime, weeks: int) -> tuple[Counts, list[Counts]]:
    """Return what came before and after from the place of an order, and from its like where nothing was done.

    Before is a year ago, in the same season, where the record has it; else right before the work.
    """
    pool, span = here.database.pool, weeks * WEEK
    after = await store.by_place(pool, order.codes, began, began + span)
    before = await store.by_place(pool, order.codes, began - YEAR, began - YEAR + span)
    if not before:
        start = order.ended_at or began
        before = await store.by_place(pool, order.codes, start - span, start)
    place = order.street or order.district
    if place is None:
        districts = {unit.district for unit in here.engine.city.units.values() if unit.kind == "district"}
        return Counts(*(sum(n for key, n in counts.items() if key in districts) for counts in (before, after))), []
    treated = await store.treated(pool, order.codes, began - LOOKED_BACK)
    units = here.engine.city.units
    like = [key for key in before if key != place and key not in treated and (key in units) is (place in units)]
    return Counts(before.get(place, 0), after.get(place, 0)), [Counts(before[k], after.get(k, 0)) for k in like]


async def _beside_forecast(here: Here, order: Order, effect: Effect, began: datetime) -> Effect:
    """Add what was expected when the work was done, of the whole weeks since it began; streets have no forecast."""
    zone = here.engine.policy.timezone
    if order.street or order.ended_at is None:
        return effect
    pool, began_on = here.database.pool, began.astimezone(zone).date()
    made_on = await forecasts_store.last_made(pool, order.ended_at.astimezone(zone).date())
    if made_on is None:
        return effect
    made = await forecasts_store.forecasts_of(pool, made_on, order.district or "", order.codes)
    first = -(-(began_on - made_on).days // 7)
    last = min(WEEKS, first + effect.weeks, ((effect.measured_at.astimezone(zone).date() - made_on).days) // 7)
    if not made or first >= last:
        return effect
    came = await _came(here, made, made_on + first * WEEK, made_on + last * WEEK)
    expected = sum(sum(one.weeks[first:last]) for one in made)
    # Bounds of sums: what questions are off by is independent, what the weeks of one are off by is not.
    below = sum(sum(one.weeks[week] - one.weeks_low[week] for week in range(first, last)) ** 2 for one in made) ** 0.5
    above = sum(sum(one.weeks_high[week] - one.weeks[week] for week in range(first, last)) ** 2 for one in made) ** 0.5
    return replace(
        effect, foreseen=came, expected=round(expected, 2), expected_low=round(max(expected - below, 0.0), 2),
        expected_high=round(expected + above, 2),
    )  # fmt: skip


async def _came(here: Here, made: list[Forecast], since: date, until: date) -> int:
    found = await forecasts_store.came(here.database.pool, since, until, "code", made[0].district, "")
    wanted = {one.matter for one in made}
    return sum(sum(days.values()) for matter, days in found.items() if matter in wanted)
