"""All facts of a text at once."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from libs.common.contracts.classify import Details
from services.classify.facts.amounts import amounts
from services.classify.facts.companies import companies
from services.classify.facts.times import times


def details(text: str, words: Sequence[str], now: datetime | None, zone: tzinfo) -> Details:
    """Return the facts of a text that somebody said at `now`; `words` is the same text cut into words.

    Where it is not known when they spoke, no time can be told.
    """
    people, money = amounts(text)
    return Details(
        times=times(text, now, zone) if now else (),
        organisations=companies(words),
        people=people,
        money=money,
    )
