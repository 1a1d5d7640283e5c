"""Work before the appeal, proposed by rule: what the rules stand on is read, and what they ask for told to units."""

from datetime import date, timedelta

from libs.common.contracts.feedback import ProactiveProposed
from services.feedback.domain.proactive import Order, proposed
from services.feedback.domain.proposing import Ahead, Ground, Proposal, ahead, gravest, places, season_work, surges
from services.feedback.handlers.advising import advice, what, why
from services.feedback.handlers.around import Here
from services.feedback.store import forecasts as forecasts_store
from services.feedback.store import proactive as store

YEAR = 364 * timedelta(days=1)
"""A whole number of weeks, as the forecasts have it."""
PROPOSING = "proactive"
"""What is held while it is decided what is new."""
CANDIDATES = 10
"""So many times more troubles are looked at than are proposed: some have been, some are nobody's."""


def ground_of(here: Here) -> Ground:
    """Return what the rules stand on."""
    city = here.engine.city
    return Ground(city.units, city.catalogue.by_code, city.seasons, here.engine.policy.timezone)


async def propose(here: Here, today: date) -> list[Order]:
    """Propose what the rules ask for on a day, but nothing again that was proposed of late."""
    ground = ground_of(here)
    rules = ground.seasons.rules
    found = gravest(
        [
            *await _seasons(here, ground, today),
            *await _surges(here, ground, today),
            *await _places(here, ground, today),
        ],
        CANDIDATES * rules.most,
    )
    async with here.database.begin() as tx:
        # So that of two runs, one of which lags, the second sees what the first proposed.
        await tx.lock([PROPOSING])
        known = await store.themes(tx.connection, [one.theme for one in found], tx.now - rules.again)
        fresh = gravest([one for one in found if one.theme not in known], rules.most)
        orders = [_order(here, ground, one) for one in fresh]
        await tx.lock(str(order.order_id) for order in orders)
        await store.save_work(tx, orders)
        for order in orders:
            tx.emit(str(order.order_id), told(here, order))
    return orders


def told(here: Here, order: Order) -> ProactiveProposed:
    """Return what is told of an order, in the city's language."""
    language = here.engine.city.default_language
    return proposed(order, what(language, order), why(language, order))


async def _seasons(here: Here, ground: Ground, today: date) -> list[Proposal]:
    found: list[Proposal] = []
    for one in ahead(ground.seasons, today):
        last_year = await _last_season(here, ground, one)
        found += season_work(ground, one, last_year)
    return found


async def _last_season(here: Here, ground: Ground, one: Ahead) -> dict[str, int]:
    first = ground.start_of(one.season.span(one.first.year - 1)[0])
    until = first + timedelta(weeks=ground.seasons.effect.weeks)
    codes = [question.code for question in ground.seasons.questions[one.season.id]]
    return await store.by_place(here.database.pool, codes, first, until)


async def _surges(here: Here, ground: Ground, today: date) -> list[Proposal]:
    return list(surges(ground, await forecasts_store.local_forecasts(here.database.pool, today), today))


async def _places(here: Here, ground: Ground, today: date) -> list[Proposal]:
    rules, now = ground.seasons.rules, ground.start_of(today)
    found: list[Proposal] = []
    for last_year in (False, True):
        since = now - YEAR if last_year else now - rules.places_within
        span = (since, since + rules.places_within)
        most = CANDIDATES * rules.most
        seen = await store.troubles(
            here.database.pool, span, rules.places_least, rules.places_weeks, most, here.engine.city.timezone
        )
        found += places(ground, seen, today, last_year=last_year)
    return found


def _order(here: Here, ground: Ground, one: Proposal) -> Order:
    return Order(
        order_id=here.clock.new_id(), rule=one.rule, theme=one.theme, unit_code=one.unit.code,
        unit_name=one.unit.name.zh, codes=one.codes, district=one.district, street=one.street,
        what=one.what or advice(one), why=one.why,
        by_date=ground.end_of(one.by_day), begins=ground.start_of(one.begins) if one.begins else None,
        proposed_at=here.clock.now(),
    )  # fmt: skip
